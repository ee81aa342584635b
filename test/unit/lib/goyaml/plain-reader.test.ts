// The reader of plain YAML beside the parser: whatever it reads, the parser reads the same, and what the parser refuses
// it does not read at all.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Composer } from '../../../../src/lib/goyaml/internal/compose.ts';
import { decodeNode } from '../../../../src/lib/goyaml/internal/decode.ts';
import { readPlainYaml } from '../../../../src/lib/goyaml/internal/plain-reader.ts';
import { type JsonValue, stringifyJson } from '../../../../src/lib/json.ts';

function parse(text: string): JsonValue {
  const document = new Composer(text, 'v2').next();
  return document === undefined ? null : decodeNode(document, { dialect: 'v2', strict: true });
}

// Pieces that make sense next to each other, and pieces that do not.
const SENSE = ['a: ', 'key:', 'b', '- ', '\n', '\n  ', '\n    ', '\n- ', '\n  - ', 'k: |\n', 'k: |-\n  ', '1', '1.5'];
const TYPED = [
  'true',
  'yes',
  '~',
  'null',
  '012',
  '0x1F',
  '1_000',
  '2020-01-01',
  '12:30',
  '1e3',
  '.5',
  '+1',
  '-1',
  '12345678901234567890',
];
const QUOTED = ['"q"', "'s'", '"a: b"', '"k": ', "'k': ", '"\\n"', "''", ' # c', '#', '{}', '[]'];
const ODD = [
  '<<: ',
  '__proto__: ',
  'toString: ',
  '---',
  '...',
  '%',
  '&a ',
  '*a',
  '!t ',
  '|',
  '>',
  '? ',
  '@',
  '`',
  ',',
  '=',
  '$',
  'é',
  '\t',
  '\r',
  ' : ',
  '::',
  '   \n',
  'y: ',
  '1: ',
];

describe('the reader of plain YAML', () => {
  it('agrees with the parser on every text that it reads', () => {
    const piece = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...SENSE) },
      { weight: 1, arbitrary: fc.constantFrom(...TYPED) },
      { weight: 1, arbitrary: fc.constantFrom(...QUOTED) },
      { weight: 1, arbitrary: fc.constantFrom(...ODD) },
    );
    let read = 0;

    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        const value = readPlainYaml(text);
        if (value === undefined) return;
        read++;
        expect(stringifyJson(value)).toBe(stringifyJson(parse(text)));
      }),
      { numRuns: 5000 },
    );

    expect(read).toBeGreaterThan(250);
  });

  it.each([
    ['maps in lists in maps', 'a:\n  - b: 1\n    c:\n    - d\n  -\n    e: f\ng:\n- h\n'],
    ['literal blocks', 'a: |\n  one\n\n   two\n\nb: |-\n  three\n\nc:\n- |\n  four'],
    ['comments and blank lines', '# top\na: 1 # one\n\n  # between\nb: # nothing\n  c: "x" # y\n'],
    ['quoted keys and values', '"a/b": \'c: d\'\n\'e\': "f # g"\n'],
    ['typed scalars', 'a: yes\nb: 0o17\nc: 1.50\nd: ~\ne:\nf: 2020-01-01\ng: {}\nh: []\n'],
    ['plain scalars with marks inside', 'a: b:c#d {e} [f], g\nb: $(x)\nc: -x\n'],
  ])('reads %s', (_name, text) => {
    expect(readPlainYaml(text)).toEqual(parse(text));
  });

  it.each([
    ['flow collections', 'a: {b: c}\n'],
    ['several lines of one scalar', 'a: b\n  c\n'],
    ['anchors', 'a: &x b\n'],
    ['a key twice', 'a: 1\na: 2\n'],
    ['keys that are no text', '1: a\n'],
    ['escapes', 'a: "\\n"\n'],
    ['folded blocks', 'a: >\n  b\n'],
    ['a second document', 'a: 1\n---\nb: 2\n'],
    ['other characters than ASCII', 'a: ü\n'],
    ['a scalar alone', 'a\n'],
    ['nothing', '# nothing\n'],
    ['deep nesting', Array.from({ length: 200 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
  ])('leaves %s to the parser', (_name, text) => {
    expect(readPlainYaml(text)).toBeUndefined();
  });
});
