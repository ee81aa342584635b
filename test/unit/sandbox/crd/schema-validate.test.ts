import { describe, expect, it } from 'vitest';
import { validateValue } from '../../../../src/sandbox/crd/schema-validate.ts';
import { customSchema } from '../schema-of.ts';

const schema = customSchema({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 10 },
        color: { type: 'string', enum: ['red', 'green'] },
        name: { type: 'string', pattern: '^[a-z]+$', minLength: 2, maxLength: 4 },
        when: { type: 'string', format: 'date-time' },
        port: { 'x-kubernetes-int-or-string': true },
        tags: { type: 'array', items: { type: 'string' }, maxItems: 2, 'x-kubernetes-list-type': 'set' },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
        },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        either: {
          type: 'object',
          oneOf: [{ required: ['a'] }, { required: ['b'] }],
          properties: { a: { type: 'string' }, b: { type: 'string' } },
        },
        nothing: { type: 'string', nullable: true },
      },
    },
  },
});

function faults(spec: unknown): string[] {
  return validateValue(schema, { spec }, '').map(({ field, message }) => `${field}: ${message}`);
}

describe('validation of custom resources', () => {
  it.each([
    [{}, 'spec.size: Required value'],
    [{ size: 0 }, 'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1'],
    [{ size: 11 }, 'spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10'],
    [{ size: 'x' }, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
    [{ size: 1.5 }, 'spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"'],
    [{ size: 1, color: 'blue' }, 'spec.color: Unsupported value: "blue": supported values: "red", "green"'],
    [{ size: 1, name: 'A1' }, 'spec.name: Invalid value: "A1": spec.name in body should match \'^[a-z]+$\''],
    [{ size: 1, name: 'a' }, 'spec.name: Invalid value: "a": spec.name in body should be at least 2 chars long'],
    [{ size: 1, name: 'abcde' }, 'spec.name: Too long: may not be more than 4 bytes'],
    [{ size: 1, when: 'now' }, 'spec.when: Invalid value: "now": spec.when in body must be of type date-time: "now"'],
    [
      { size: 1, port: true },
      'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    ],
    [{ size: 1, tags: ['a', 'b', 'c'] }, 'spec.tags: Too many: 3: must have at most 2 items'],
    [{ size: 1, tags: ['a', 'a'] }, 'spec.tags[1]: Duplicate value: "a"'],
    [{ size: 1, items: [{ name: 'a' }, { name: 'a' }] }, 'spec.items[1]: Duplicate value: {"name":"a"}'],
    [{ size: 1, items: [{}] }, 'spec.items[0].name: Required value'],
    [
      { size: 1, labels: { a: 1 } },
      'spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"',
    ],
  ])('%j: %s', (spec, want) => {
    expect(faults(spec)).toEqual([want]);
  });

  it('wants exactly one branch of oneOf', () => {
    expect(faults({ size: 1, either: { a: 'x' } })).toEqual([]);
    expect(faults({ size: 1, either: { a: 'x', b: 'y' } })[0]).toContain(
      'must validate one and only one schema (oneOf). Found 2 valid alternatives',
    );
  });

  it('accepts null where the schema says so', () => {
    expect(faults({ size: 1, nothing: null })).toEqual([]);
  });
});
