import { describe, expect, it } from 'vitest';
import { emitDocuments } from '../../../../src/lib/goyaml/emit.ts';
import { parseDocuments } from '../../../../src/lib/goyaml/parse.ts';
import { nodeToValue, valueToNode } from '../../../../src/lib/goyaml/value.ts';
import type { JsonValue } from '../../../../src/lib/json.ts';

const read = (text: string): JsonValue => nodeToValue(parseDocuments(text)[0]!);

describe('nodeToValue', () => {
  it('keeps 64-bit integers and makes timestamps text', () => {
    expect(read('a: 12345678901234567890\nb: 2001-01-01\nc: yes\n')).toEqual({
      a: 12345678901234567890n,
      b: '2001-01-01T00:00:00Z',
      c: 'yes',
    });
  });

  it('merges so that explicit keys win, and the first of several maps', () => {
    expect(read('x: &x {a: 1, b: 1}\ny: &y {a: 2, c: 2}\nz:\n  b: 0\n  <<: [*x, *y]\n')).toMatchObject({
      z: { a: 1, b: 0, c: 2 },
    });
  });

  it('reports all keys given twice', () => {
    expect(() => read('a: 1\nb: 2\na: 3\nb: 4\n')).toThrow(
      'yaml: unmarshal errors:\n  line 3: mapping key "a" already defined at line 1\n  line 4: mapping key "b" already defined at line 2',
    );
  });

  it('takes any key in the root and only strings below', () => {
    expect(read('1: a\ntrue: b\n')).toEqual({ '1': 'a', true: 'b' });
    expect(() => read('a: {1: b}\n')).toThrow('json: unsupported type: map[interface {}]interface {}');
  });

  it('refuses what JSON has no word for, unless it is overwritten', () => {
    expect(() => read('a: .inf\n')).toThrow('json: unsupported value: +Inf');
    expect(() => read('a: .nan\n')).toThrow('json: unsupported value: NaN');
  });

  it('makes own properties of names that a prototype has', () => {
    const value = read('__proto__: {polluted: true}\nconstructor: 1\n') as Record<string, unknown>;

    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('decodes binary, a mark for each byte that is no text', () => {
    expect(read('a: !!binary aGk=\nb: !!binary /4A=\n')).toEqual({ a: 'hi', b: '\ufffd\ufffd' });
    expect(() => read('a: !!binary x\n')).toThrow('yaml: !!binary value contains invalid base64 data');
  });

  it('says that an anchor contains itself', () => {
    expect(() => read('a: &a [*a]')).toThrow("yaml: anchor 'a' value contains itself");
  });
});

describe('valueToNode', () => {
  it('sorts keys as Go does and quotes what must be quoted', () => {
    const node = valueToNode({ b10: 1, b2: 'yes', a: ['1', 'x\ny', null, true, 1.5], A: {} });

    expect(emitDocuments([node])).toBe('A: {}\na:\n- "1"\n- |-\n  x\n  y\n- null\n- true\n- 1.5\nb2: "yes"\nb10: 1\n');
  });

  it('keeps the order when asked to', () => {
    expect(emitDocuments([valueToNode({ b: 1, a: 2 }, { sortKeys: false })])).toBe('b: 1\na: 2\n');
  });
});
