import { describe, expect, it } from 'vitest';
import { emitDocuments } from '../../../../src/lib/goyaml/emit.ts';
import { createNode } from '../../../../src/lib/goyaml/node.ts';
import { parseDocuments } from '../../../../src/lib/goyaml/parse.ts';

describe('emitDocuments', () => {
  it('keeps comments, styles, anchors and tags', () => {
    const text = [
      '# licence',
      '',
      '# head',
      'a: &x',
      '  - "q" # one',
      "  - 's'",
      '  # foot',
      'b: *x',
      'c: [1, {d: e}]',
      'd: !mine v',
      'e: |',
      '  text',
      '---',
      'f: >-',
      '  folded',
      '',
    ].join('\n');

    expect(emitDocuments(parseDocuments(text), { sequenceStyle: 'wide' })).toBe(text);
  });

  it('puts lists at their key or below it', () => {
    const documents = parseDocuments('a:\n- b:\n  - c\n');

    expect(emitDocuments(documents)).toBe('a:\n- b:\n  - c\n');
    expect(emitDocuments(documents, { sequenceStyle: 'wide' })).toBe('a:\n  - b:\n      - c\n');
    expect(emitDocuments(documents, { indent: 4, sequenceStyle: 'wide' })).toBe('a:\n    - b:\n        - c\n');
  });

  it('does not fold', () => {
    const long = `a: ${'word '.repeat(40)}end\n`;

    expect(emitDocuments(parseDocuments(long))).toBe(long);
  });

  it('quotes a string that would read as something else', () => {
    const list = createNode(
      'sequence',
      '!!seq',
      '',
      ['1', 'true', 'plain', 'a: b'].map((v) => createNode('scalar', '!!str', v)),
    );

    expect(emitDocuments([list])).toBe('- "1"\n- "true"\n- plain\n- \'a: b\'\n');
  });

  it('writes a tag that the text does not tell', () => {
    expect(emitDocuments([createNode('scalar', '!!int', 'x')])).toBe('!!int x\n');
    expect(emitDocuments(parseDocuments('a: &a {b: c}\n<<: *a\n'))).toBe('a: &a {b: c}\n!!merge <<: *a\n');
  });

  it('writes nothing for no documents', () => {
    expect(emitDocuments([])).toBe('');
  });
});
