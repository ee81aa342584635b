import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitDocuments } from '../../../../src/lib/goyaml/emit.ts';
import { YamlError } from '../../../../src/lib/goyaml/error.ts';
import { parseDocuments } from '../../../../src/lib/goyaml/parse.ts';
import { fromYaml, toYaml } from '../../../../src/lib/goyaml/sigs.ts';
import { nodeToValue, valueToNode } from '../../../../src/lib/goyaml/value.ts';
import type { JsonValue } from '../../../../src/lib/json.ts';

/** Text that Go can read again: it writes `<<` plain, and in v3 a tab at the beginning of a literal text. */
const nasty = fc.constantFrom('yes', '012', '1e3', '~', '', ' ', 'a: b', '#', '- x', '"', "'", '\n', 'a\n', '😀');
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }).filter((s) => !/[\t\x7f-\x9f\ufffe\uffff]|^<<$/.test(s)),
  fc.array(nasty, { maxLength: 4 }).map((parts) => parts.join('')),
);
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x)),
  fc.bigInt(2n ** 60n, 2n ** 64n - 1n),
);
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

/** Floats beyond 64 bits come back as numbers; a value is compared by its YAML text then. */
function settle(input: JsonValue): JsonValue {
  return fromYaml(toYaml(input));
}

describe('what is written is read again', () => {
  it('by sigs.k8s.io/yaml rules', () => {
    fc.assert(
      fc.property(value, (input) => {
        expect(settle(input)).toEqual(normal(input));
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it('by yaml.v3 rules', () => {
    const roundTrip = (input: JsonValue): void => {
      const document = parseDocuments(emitDocuments([valueToNode({ root: input })]))[0]!;

      expect(nodeToValue(document)).toEqual({ root: normal(input) });
    };

    fc.assert(fc.property(value, roundTrip), { seed: 7, numRuns: 500 });
  });

  it('in the same bytes the second time', () => {
    const stable = (input: JsonValue): void => {
      const once = emitDocuments([valueToNode(input)]);

      expect(emitDocuments(parseDocuments(once))).toBe(once);
    };

    fc.assert(fc.property(value, stable), { seed: 7, numRuns: 500 });
  });
});

/** Integral numbers that do not fit a double are bigint when they come from text. */
function normal(input: JsonValue): JsonValue {
  if (typeof input === 'number' && Number.isInteger(input) && !Number.isSafeInteger(input) && Math.abs(input) < 1e21) {
    const wide = BigInt(String(input));
    return wide >= -(2n ** 63n) && wide < 2n ** 64n ? wide : input;
  }
  if (Array.isArray(input)) return (input as readonly JsonValue[]).map(normal);
  if (typeof input !== 'object' || input === null) return input;
  return Object.fromEntries(Object.entries(input).map(([key, item]) => [key, normal(item)]));
}

describe('any text', () => {
  it('is read or refused with a YamlError', () => {
    const parts = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '"',
      "'",
      '&a',
      '*a',
      '!',
      '|',
      '>',
      '#',
      '?',
      '%',
      '\t',
      '---',
      '...',
    );
    const soup = fc.array(parts, { maxLength: 30 }).map((list) => list.join(''));
    const read = (input: string): void => {
      for (const run of [() => parseDocuments(input), () => fromYaml(input)]) {
        try {
          run();
        } catch (error) {
          expect(error).toBeInstanceOf(YamlError);
        }
      }
    };

    fc.assert(fc.property(soup, read), { seed: 7, numRuns: 2000 });
  });
});
