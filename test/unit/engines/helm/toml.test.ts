import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseToml } from '../../../../src/engines/helm/toml-decode.ts';
import { encodeToml } from '../../../../src/engines/helm/toml-encode.ts';
import { formatValue } from '../../../../src/lang/gotemplate/printf.ts';
import { type GoValue, int } from '../../../../src/lang/gotemplate/value.ts';
import { fromJson, toJson } from '../../../../src/lang/gotemplate/value-json.ts';
import { rendered } from './charts.ts';

describe('parseToml', () => {
  it.each([
    ['a.b = 1\na.c = "x"\n', { a: { b: 1, c: 'x' } }],
    [
      '[t]\nx = 0o17\n[t.u]\ny = 1_000\n[[l]]\na = 1\n[[l]]\na = 2\n',
      { t: { x: 15, u: { y: 1000 } }, l: [{ a: 1 }, { a: 2 }] },
    ],
    ['i = { a = 1, b.c = [1, "x", # c\n 2.5,] }', { i: { a: 1, b: { c: [1, 'x', 2.5] } } }],
    [
      's = "\\u00e9\\t"\nm = """\nx\\\n   y"""\nr = \'\'\'\\n\'\'\'\n"q q" = \'l\'\n',
      { s: 'é\t', m: 'xy', r: '\\n', 'q q': 'l' },
    ],
    [
      'd = 1979-05-27T00:32:00.500-07:00\nl = 1979-05-27\nt = 07:32:00\n',
      { d: '1979-05-27T00:32:00.5-07:00', l: '1979-05-27T00:00:00Z', t: '0000-01-01T07:32:00Z' },
    ],
    ['__proto__.x = 1\n[constructor]\ny = 2\n', { ['__proto__']: { x: 1 }, constructor: { y: 2 } }],
  ])('reads %j', (text, want) => {
    expect(toJson(parseToml(text))).toEqual(want);
  });

  // What the decoder in Helm says.
  it.each([
    ['a = ', 'toml: line 1 (last key "a"): unexpected EOF; expected value'],
    ['a = 1\na = 2', 'toml: line 2 (last key "a"): Key \'a\' has already been defined.'],
    ['a = 1\n[a]', "toml: line 2: Key 'a' has already been defined."],
    ['[a]\n[[a]]', "toml: line 2: Key 'a' was already created and cannot be used as an array."],
    ['a = 007', 'toml: line 1 (last key "a"): Invalid integer "007": cannot have leading zeroes'],
    ['a = 1__0', 'toml: line 1 (last key "a"): Invalid integer "1__0": underscores must be surrounded by digits'],
    ['a = 9223372036854775808', 'toml: line 1 (last key "a"): 9223372036854775808 is out of range for int64'],
    ['a = 1.', 'toml: line 1 (last key "a"): Invalid float "1.": \'.\' must be followed by one or more digits'],
    ['a = 1e400', 'toml: line 1 (last key "a"): 1e400 is out of range for float64'],
    ['a = .5', 'toml: line 1 (last key "a"): floats must start with a digit, not \'.\''],
    ['a = -0x1F', 'toml: line 1 (last key "a"): cannot use sign with non-decimal numbers: \'-0x\''],
    ['a = yes', 'toml: line 1 (last key "a"): expected value but found "yes" instead'],
    ['a = "x', 'toml: line 1 (last key "a"): unexpected EOF; expected \'"\''],
    ['a = "\\q"', 'toml: line 1 (last key "a"): invalid escape in string \'\\q\''],
    ['a = "\\ud800"', 'toml: line 1 (last key "a"): Escaped character \'\\ud800\' is not valid UTF-8.'],
    ['a = 1979-02-30', 'toml: line 1 (last key "a"): invalid datetime: "1979-02-30"'],
    ['a = [1 2]', "toml: line 1 (last key \"a\"): expected a comma (',') or array terminator (']'), but got '2'"],
    ['[]', 'toml: line 1: unexpected end of table name (table names cannot be empty)'],
    ['= 1', "toml: line 1: unexpected '=': key name appears blank"],
    ['a = 1 b', "toml: line 1: expected a top-level item to end with a newline, comment, or EOF, but got 'b' instead"],
  ])('refuses %j', (text, message) => {
    expect(() => parseToml(text)).toThrow(message);
  });

  it('refuses lists nested without end', () => {
    expect(() => parseToml(`a = ${'['.repeat(100_000)}`)).toThrow('value is nested too deep');
  });

  it('prints dates with the zone they were given', () => {
    const map = parseToml('a = 1979-05-27T07:32:00Z\nb = 1979-05-27T07:32:00+02:00\nc = 1979-05-27');

    expect(formatValue(map)).toBe(
      'map[a:1979-05-27 07:32:00 +0000 UTC b:1979-05-27 07:32:00 +0200 +0200 c:1979-05-27 00:00:00 +0000 date-local]',
    );
  });
});

describe('encodeToml', () => {
  it.each([
    [{ b: 1, a: { y: [1, 'x'], x: null } }, 'b = 1.0\n\n[a]\n  y = [1.0, "x"]\n'],
    [{ l: [{ a: 1 }, { b: { c: true } }] }, '[[l]]\n  a = 1.0\n\n[[l]]\n  [l.b]\n    c = true\n'],
    [{ 'a b': 'q"\\\n\u0001', é: 1e21 }, '"a b" = "q\\"\\\\\\n\\u0001"\n"é" = 1e+21\n'],
    [{ m: [[{ a: 1 }], 2] }, 'm = [[{a = 1.0}], 2.0]\n'],
    [{}, ''],
  ])('writes %j', (value, want) => {
    expect(encodeToml(fromJson(value))).toBe(want);
  });

  it('tells integers from floats', () => {
    expect(
      encodeToml(
        new Map<string, GoValue>([
          ['a', int(1)],
          ['b', 1],
        ]),
      ),
    ).toBe('a = 1\nb = 1.0\n');
  });

  it('writes structs in the order of their fields', () => {
    const template = 'kind: M\nt: {{ toToml .Chart | quote }}\n';

    const text = rendered({ 'templates/a.yaml': template })['c/templates/a.yaml']!;

    expect(text).toMatch(/^kind: M\nt: "Name = \\"c\\"\\nHome = \\"\\"\\nVersion = .*IsRoot = true\\n"$/);
  });

  it.each([
    [{ a: [1, null] }, 'toml: cannot encode array with nil element'],
    [[{ a: 1 }], 'toml: top-level values must be Go maps or structs'],
  ])('refuses %j', (value, message) => {
    expect(() => encodeToml(fromJson(value))).toThrow(message);
  });

  it('writes what can be read back', () => {
    const leaf = fc.oneof(
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string({ unit: 'grapheme' }),
    );
    const tree = fc.dictionary(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }),
      fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), leaf)),
    );

    fc.assert(
      fc.property(tree, (value) => {
        const text = encodeToml(fromJson(JSON.parse(JSON.stringify(value))));

        expect(toJson(parseToml(text))).toEqual(toJson(fromJson(JSON.parse(JSON.stringify(value)))));
      }),
    );
  });
});
