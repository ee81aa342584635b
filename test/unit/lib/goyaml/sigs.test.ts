import { describe, expect, it } from 'vitest';
import { YamlError } from '../../../../src/lib/goyaml/error.ts';
import { fromYaml, fromYamlDocuments, splitYamlStream, toYaml } from '../../../../src/lib/goyaml/sigs.ts';

describe('fromYaml', () => {
  it('reads by YAML 1.1, keys too', () => {
    expect(fromYaml('a: yes\ny: 1\n2: b\n1.0: c\n0777: d\n')).toEqual({
      a: true,
      true: 1,
      '2': 'b',
      '1': 'c',
      '511': 'd',
    });
  });

  it('lets the last of equal keys win, and refuses them when strict', () => {
    expect(fromYaml('a: 1\na: 2\n')).toEqual({ a: 2 });
    expect(() => fromYaml('a: 1\na: 2\n', { strict: true })).toThrow(
      'error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key "a" already set in map',
    );
    expect(fromYaml('1: a\n"1": b\n', { strict: true })).toEqual({ '1': 'b' });
  });

  it('merges in the order of the text', () => {
    expect(fromYaml('x: &x {a: 1}\nw: {a: 0, <<: *x}\nz: {<<: *x, a: 2}\n')).toMatchObject({
      w: { a: 1 },
      z: { a: 2 },
    });
  });

  it('reads nothing as null', () => {
    expect(fromYaml('')).toBeNull();
    expect(fromYaml('# nothing\n')).toBeNull();
  });

  it.each([
    ['a: 1\nb: c: d\n', 'YamlSyntax', 'yaml: line 2: mapping values are not allowed in this context'],
    ['a: {{ x }}\n', 'YamlValue', 'yaml: invalid map key: map[interface {}]interface {}{"x":interface {}(nil)}'],
    ['~: x\n', 'YamlValue', 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "x"'],
    ['a: .inf\n', 'YamlValue', 'json: unsupported value: +Inf'],
    ['a: *b\n', 'YamlReference', "yaml: unknown anchor 'b' referenced"],
    ['<<: 1\n', 'YamlReference', 'yaml: map merge requires map or sequence of maps as the value'],
  ])('says of %j what sigs says', (text, code, message) => {
    let error: unknown;
    try {
      fromYaml(text);
    } catch (caught) {
      error = caught;
    }

    expect(error).toBeInstanceOf(YamlError);
    expect(error).toMatchObject({ code, message: `error converting YAML to JSON: ${message}` });
  });

  it('carries the place in plain data, not the node', () => {
    expect(() => fromYaml('<<: 1\n')).toThrow(expect.objectContaining({ data: { line: 1, column: 5 } }));
  });
});

describe('streams', () => {
  it('are split at lines of dashes', () => {
    expect(splitYamlStream('a: 1\n---\nb: 2\n--- # note\nc: |\n  x\n')).toEqual(['a: 1\n', 'b: 2\n', 'c: |\n  x\n']);
  });

  it('keep a separator that nothing stands before, and end with a line break', () => {
    expect(splitYamlStream('---\r\na: 1\r\n---\n--- # two\nb: |\n  x')).toEqual([
      '---\na: 1\n',
      '--- # two\nb: |\n  x\n',
    ]);
    expect(splitYamlStream('')).toEqual([]);
  });

  it('count lines as Go does in the text, and from the beginning in data', () => {
    expect(() => fromYamlDocuments('a: 1\n---\nb: 1\nc: d: e\n')).toThrow(
      expect.objectContaining({
        message: 'error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context',
        data: { line: 4, column: 5 },
      }),
    );
  });

  it('leave out documents without content', () => {
    expect(fromYamlDocuments('---\n---\na: 1\n---\n# only a comment\n---\nb: 2\n')).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('refuse content behind the dashes', () => {
    expect(() => fromYamlDocuments('a: 1\n--- b: 2\n')).toThrow('invalid Yaml document separator: b: 2');
  });
});

describe('toYaml', () => {
  it.each<[unknown, string]>([
    [null, 'null\n'],
    [{}, '{}\n'],
    [{ a: [], b: {} }, 'a: []\nb: {}\n'],
    [{ a: ['x', ['y']] }, 'a:\n- x\n- - "y"\n'],
    [{ A1: 0, 'a-b': 0, 'a.b': 0, a2: 0, a10: 0, ab: 0 }, 'A1: 0\na-b: 0\na.b: 0\na2: 0\na10: 0\nab: 0\n'],
    [
      ['yes', 'y', '012', '1e3', '~', '0x1', '1:30', '2001-12-14', '', '='],
      '- "yes"\n- "y"\n- "012"\n- "1e3"\n- "~"\n- "0x1"\n- "1:30"\n- "2001-12-14"\n- ""\n- =\n',
    ],
    [
      ['\ttab', 'a: b', '#', 'x ', "it's", 'é', '😀'],
      "- \"\\ttab\"\n- 'a: b'\n- '#'\n- 'x '\n- it's\n- é\n- \"\\U0001F600\"\n",
    ],
    [
      ['a\nb', 'a\nb\n', 'a\n\n', ' a\nb', 'a \nb'],
      '- |-\n  a\n  b\n- |\n  a\n  b\n- |+\n  a\n\n- |2-\n   a\n  b\n- "a \\nb"\n',
    ],
    [
      [1e3, 1e20, 1e21, 123456.5, 1234567.5, 1e-5, -0, 2 ** 63],
      '- 1000\n- 1e+20\n- 1e+21\n- 123456.5\n- 1.2345675e+06\n- 1e-05\n- 0\n- 9223372036854776000\n',
    ],
    [[9007199254740993n, 18446744073709551616n], '- 9007199254740993\n- 1.8446744073709552e+19\n'],
  ])('writes %s', (value, text) => {
    expect(toYaml(value as never)).toBe(text);
  });

  it('folds behind column 80', () => {
    const words = Array.from({ length: 30 }, (_, i) => `word${i}`).join(' ');
    const lines = toYaml({ key: words }).split('\n');

    expect(lines).toHaveLength(4);
    expect(lines[0]!.length).toBeGreaterThan(80);
    expect(lines[1]).toMatch(/^ {2}word/);
    expect(fromYaml(lines.join('\n'))).toEqual({ key: words });
  });

  it('uses a question mark for a key that is long or has line breaks', () => {
    expect(toYaml({ ['k'.repeat(129)]: 1 })).toBe(`? ${'k'.repeat(129)}\n: 1\n`);
    expect(toYaml({ 'a\nb': 1 })).toBe('? |-\n  a\n  b\n: 1\n');
  });

  it('loses in JSON what Go loses', () => {
    expect(toYaml({ a: 'x\u0085y' })).toBe('a: x y\n');
    expect(() => toYaml({ a: '\u007f' })).toThrow('yaml: control characters are not allowed');
    expect(() => toYaml({ ['k'.repeat(1023)]: 1 })).toThrow("yaml: did not find expected ',' or '}'");
    expect(() => toYaml([Number.NaN])).toThrow('error marshaling into JSON: json: unsupported value: NaN');
  });
});
