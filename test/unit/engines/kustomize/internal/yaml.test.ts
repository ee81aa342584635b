import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatGoFloat,
  isYaml11NonString,
  jsonToNode,
  nodeText,
  nodeToJson,
  parseNode,
} from '../../../../../src/engines/kustomize/internal/yaml.ts';
import { nodeToValue } from '../../../../../src/lib/goyaml/value.ts';
import type { JsonValue } from '../../../../../src/lib/json.ts';

describe('nodeToJson', () => {
  it('is what printing and reading again gives', () => {
    fc.assert(
      fc.property(
        fc.object({
          maxDepth: 3,
          // A merge key, also when it came as JSON: refused below.
          key: fc.string().filter((key) => key !== '<<'),
          values: [
            fc.string(),
            fc.integer(),
            fc.boolean(),
            fc.double({ noNaN: true, noDefaultInfinity: true }),
            fc.constant(null),
          ],
        }),
        (value) => {
          const node = jsonToNode(JSON.parse(JSON.stringify(value)) as JsonValue);

          expect(nodeToJson(node)).toEqual(nodeToValue(parseNode(nodeText(node))!));
        },
      ),
    );
  });

  it('takes `<<` for a merge key, however it came', () => {
    const node = jsonToNode({ '<<': 'x' });
    const refusal = 'map merge requires map or sequence of maps as the value';

    expect(() => nodeToJson(node)).toThrow(refusal);
    expect(() => nodeToValue(parseNode(nodeText(node))!)).toThrow(refusal);
  });

  it.each([
    ['a: 1', { a: 1 }],
    ['a: {t: 2001-01-01 10:00:00, e: , n: null}', { a: { t: '2001-01-01 10:00:00', e: '', n: null } }],
    ['a: 2001-01-01 10:00:00', { a: '2001-01-01T10:00:00Z' }],
    ['a: !!str 1', { a: '1' }],
    ['a: !!float 5', { a: 5 }],
    ['1: a\ntrue: b', { 1: 'a', true: 'b' }],
  ])('%s', (text, want) => {
    expect(nodeToJson(parseNode(text)!)).toEqual(want);
  });

  it.each([
    ['a: {1: x}', 'json: unsupported type: map[interface {}]interface {}'],
    ['a: .inf', 'json: unsupported value: +Inf'],
    ['a: 1\na: 2', 'mapping key "a" already defined at line 1'],
  ])('refuses %s', (text, message) => {
    expect(() => nodeToJson(parseNode(text)!)).toThrow(message);
  });
});

describe('formatGoFloat', () => {
  it.each([
    [0, '0'],
    [8080, '8080'],
    [1234567, '1.234567e+06'],
    [1e6, '1e+06'],
    [999999, '999999'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [-1.5, '-1.5'],
    [1e21, '1e+21'],
  ])('%d is %s', (value, want) => {
    expect(formatGoFloat(value)).toBe(want);
  });
});

describe('isYaml11NonString', () => {
  it.each(['yes', 'n', '012', '1.5', '~', 'null', 'a: b', '[x]', '- x', 'a:', '# c'])('%s is none', (text) => {
    expect(isYaml11NonString(text)).toBe(true);
  });

  it.each(['', 'web', '2001-01-01', 'nginx:1.21', '1.2.3', 'a\nb', '@at', '"q"'])('%s is one', (text) => {
    expect(isYaml11NonString(text)).toBe(false);
  });
});
