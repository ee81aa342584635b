import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatGoJson, parseGoJson } from '../../../src/lib/gojson.ts';

describe('parseGoJson', () => {
  // What Go 1.26 says about each text.
  it.each([
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['[1,', 'unexpected end of JSON input'],
    ['{"a"}', "invalid character '}' after object key"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['tru', "invalid character ' ' in literal true (expecting 'e')"],
    ['nulx', "invalid character 'x' in literal null (expecting 'l')"],
    ['01', "invalid character '1' after top-level value"],
    ['-', "invalid character ' ' in numeric literal"],
    ['1.', "invalid character ' ' after decimal point in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e', "invalid character ' ' in exponent of numeric literal"],
    ['1e+x', "invalid character 'x' in exponent of numeric literal"],
    ['"abc', 'unexpected end of JSON input'],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['"\\u12x"', "invalid character 'x' in \\u hexadecimal character escape"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['[1]x', "invalid character 'x' after top-level value"],
    ['\u00e9', "invalid character '\u00c3' looking for beginning of value"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['+1', "invalid character '+' looking for beginning of value"],
    ['[,]', "invalid character ',' looking for beginning of value"],
    ['"\\', "invalid character ' ' in string escape code"],
    ['1e400', 'json: cannot unmarshal number 1e400 into Go value of type float64'],
    ['[1,2,1e999]', 'json: cannot unmarshal number 1e999 into Go value of type float64'],
    ['{"a"=1}', "invalid character '=' after object key"],
    ['\\', "invalid character '\\\\' looking for beginning of value"],
    ['\u0001', "invalid character '\\x01' looking for beginning of value"],
  ])('says of %j what Go says', (text, message) => {
    expect(() => parseGoJson(text)).toThrow(expect.objectContaining({ code: 'InvalidJson', message }));
  });

  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseGoJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('says something about every text that is no JSON', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[[\]{},:"\\u01e.truefalsn -]{0,12}$/), (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (!valid) expect(() => parseGoJson(text)).toThrow(/^(invalid character|unexpected end of JSON input)/);
      }),
    );
  });
});

describe('formatGoJson', () => {
  it('escapes HTML and line separators', () => {
    expect(formatGoJson({ a: '<b> & \u2028' })).toBe('{"a":"\\u003cb\\u003e \\u0026 \\u2028"}');
    expect(formatGoJson('<&\u2029', { escapeHtml: false })).toBe('"<&\\u2029"');
  });

  it('replaces what is no text', () => {
    expect(formatGoJson('a\ud800b')).toBe('"a\ufffdb"');
    expect(formatGoJson('a\\ud800b')).toBe('"a\\\\ud800b"');
  });

  it('keeps long integers', () => {
    expect(formatGoJson([9007199254740993n, 1e21, 1e-7])).toBe('[9007199254740993,1e+21,1e-7]');
  });
});
