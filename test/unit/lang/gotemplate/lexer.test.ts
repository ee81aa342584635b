import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeToken, tokenize } from '../../../../src/lang/gotemplate/lexer.ts';

function shapes(text: string): string[] {
  return tokenize(text).map(({ type, value }) => `${type} ${value}`);
}

describe('tokenize', () => {
  it('splits text and actions', () => {
    expect(shapes('a{{ .B.c | f $x "s" 1 }}z')).toEqual([
      'text a',
      'leftDelim {{',
      'space  ',
      'field .B',
      'field .c',
      'space  ',
      'pipe |',
      'space  ',
      'identifier f',
      'space  ',
      'variable $x',
      'space  ',
      'string "s"',
      'space  ',
      'number 1',
      'space  ',
      'rightDelim }}',
      'text z',
      'eof EOF',
    ]);
  });

  it('trims space at marked delimiters, but `{{-3` is a number', () => {
    expect(shapes('a \n{{- 1 -}}\t b').filter((token) => token.startsWith('text'))).toEqual(['text a', 'text b']);
    expect(shapes('a {{-3}}')).toContain('number -3');
  });

  it('drops comments with the space their markers ask for', () => {
    expect(shapes('a {{- /* x */ -}} b')).toEqual(['text a', 'text b', 'eof EOF']);
  });

  it.each([
    ['{{/* a', 1, 'unclosed comment'],
    ['{{/* a */ "x"}}', 1, 'comment ends before closing delimiter'],
    ['\n{{ .x', 2, 'unclosed action'],
    ['{{ (1 }}', 1, 'unclosed left paren'],
    ['{{ ) }}', 1, 'unexpected right paren'],
    ['{{ "a\n"', 1, 'unterminated quoted string'],
    ['{{ `a', 1, 'unterminated raw quoted string'],
    ["{{ 'a", 1, 'unterminated character constant'],
    ['{{ 1a }}', 1, 'bad number syntax: "1a"'],
    ['{{ $x: }}', 1, 'expected :='],
    ['{{ .x-}}', 1, "bad character U+002D '-'"],
    ['{{ \u0001 }}', 1, 'unrecognized character in action: U+0001'],
  ])('%j fails in line %i: %s', (text, line, message) => {
    expect(tokenize(text).at(-1)).toMatchObject({ type: 'error', line, value: message });
  });

  it('names tokens as Go does', () => {
    const [, keyword, , long] = tokenize('{{end "a long string"}}');

    expect(describeToken(keyword!)).toBe('<end>');
    expect(describeToken(long!)).toBe('"\\"a long st"...');
  });
});

describe('properties of the lexer', () => {
  const fragment = fc.constantFrom(
    '{{',
    '}}',
    '{{- ',
    ' -}}',
    '/*',
    '*/',
    '"',
    '`',
    "'",
    '\\',
    '.',
    '$x',
    ' ',
    '\n',
    '(',
    ')',
    '|',
    '1',
    'é',
    'end',
    ':=',
  );
  const text = fc
    .array(fc.oneof(fragment, fc.string({ unit: 'grapheme', maxLength: 3 })))
    .map((parts) => parts.join(''));

  it('ends every text with one eof or error token', () => {
    fc.assert(
      fc.property(text, (source) => {
        const types = tokenize(source).map(({ type }) => type);

        expect(types.at(-1)).toMatch(/^(?:eof|error)$/);
        expect(types.slice(0, -1)).not.toContain('eof');
        expect(types.slice(0, -1)).not.toContain('error');
      }),
    );
  });

  it('takes each token from its place in the text, in order, skipping only trimmed space and comments', () => {
    fc.assert(
      fc.property(text, (source) => {
        let end = 0;
        for (const { type, pos, value } of tokenize(source)) {
          if (type === 'error' || type === 'eof') break;
          expect(source.slice(pos, pos + value.length)).toBe(value);
          expect(source.slice(end, pos).replace(/\/\*.*?\*\//gs, '')).toMatch(/^(?:\s|-|\{\{|\}\})*$/);
          end = pos + value.length;
        }
      }),
    );
  });

  it('gives text without delimiters back whole', () => {
    fc.assert(
      fc.property(
        fc.string().filter((source) => source !== '' && !source.includes('{{')),
        (source) => {
          expect(shapes(source)).toEqual([`text ${source}`, 'eof EOF']);
        },
      ),
    );
  });

  it('counts the lines before each token', () => {
    fc.assert(
      fc.property(text, (source) => {
        for (const { type, pos, line } of tokenize(source)) {
          if (type !== 'error') expect(line).toBe(source.slice(0, pos).split('\n').length);
        }
      }),
    );
  });
});
