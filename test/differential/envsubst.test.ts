// Compares variable substitution with Flux's envsubst: seeded random texts are substituted here and by a small Go
// program; every result and every error must be the same byte for byte.
import { describe, expect, it } from 'vitest';
import { expand } from '../../src/lang/envsubst/expand.ts';
import { errorMessage } from '../../src/lib/errors.ts';
import { type AskGo, describeAnswer, hasGo, type TextAnswer, useGoOracle } from '../support/go-oracle.ts';
import { generateSubstitution, type SubstitutionInput } from './envsubst/generate.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 40_000);
const BATCH = 10_000;

describe.skipIf(!hasGo)('random substitutions against Go (skipped only where there is no go command)', () => {
  const ask = useGoOracle('envsubst/oracle');

  it.each(Array.from({ length: Math.ceil(SEEDS / BATCH) }, (_, batch) => batch * BATCH))(
    'seeds from %i on',
    (first) => {
      const inputs = Array.from({ length: BATCH }, (_, index) => generateSubstitution(first + index));

      const wanted = runOracle(ask, inputs);

      const differing = inputs.flatMap((input, index) => {
        const got = substitute(input);
        const want = wanted[index]!;
        // The reference crashes on lengths that overflow; here they reach to the end of the value.
        if (got === want || want.startsWith('error panic: runtime error: slice bounds')) return [];
        return [{ seed: first + index, input, got, want }];
      });
      expect(differing.slice(0, 5)).toEqual([]);
    },
  );
});

function substitute({ text, variables, strict }: SubstitutionInput): string {
  try {
    const bytes = expand(text, new Map(Object.entries(variables)), { strict });
    return `text ${Buffer.from(bytes).toString('latin1')}`;
  } catch (error) {
    return `error ${Buffer.from(errorMessage(error)).toString('latin1')}`;
  }
}

function runOracle(ask: AskGo, inputs: readonly SubstitutionInput[]): string[] {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const input = inputs.map(({ text, variables, strict }) => ({
    text: encode(text),
    variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, encode(value)])),
    strict,
  }));
  return (JSON.parse(ask(JSON.stringify(input))) as TextAnswer[]).map(describeAnswer);
}
