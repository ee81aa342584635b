// Compares objects that are changed on the client's side with what Kubernetes' own library makes of them, as Helm uses it:
// seeded random versions of objects are patched here and by a small Go program.
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/lib/json.ts';
import { patchTypeOf } from '../../src/objects/schema/patch-schema.ts';
import { strategicMergePatch } from '../../src/plan/client-side.ts';
import { strategicPatch } from '../../src/sandbox/patch/strategic.ts';
import { hasGo, useGoOracle } from '../support/go-oracle.ts';
import { builtinSchema } from '../unit/sandbox/schema-of.ts';
import { type ClientSideInput, generateClientSide } from './clientside/generate.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 20_000);
const BATCH = 5_000;

interface Answer {
  readonly live?: JsonObject;
  readonly error?: string;
}

describe.skipIf(!hasGo)('random client-side changes against Go (skipped only where there is no go command)', () => {
  const ask = useGoOracle('clientside/oracle');

  it.each(Array.from({ length: Math.ceil(SEEDS / BATCH) }, (_, batch) => batch * BATCH))(
    'seeds from %i on',
    (first) => {
      const inputs = Array.from({ length: BATCH }, (_, index) => generateClientSide(first + index));

      const wanted = JSON.parse(ask(JSON.stringify(inputs))) as Answer[];

      const differing = inputs.flatMap((input, index) => {
        const got = change(input);
        const want = wanted[index]!;
        const isSame = JSON.stringify(canonical(got)) === JSON.stringify(canonical(want));
        return isSame ? [] : [{ seed: first + index, got, want }];
      });
      expect(differing.slice(0, 3)).toEqual([]);
    },
  );
});

function change(input: ClientSideInput): Answer {
  const group = input.apiVersion.includes('/') ? input.apiVersion : `/${input.apiVersion}`;
  const patch = strategicMergePatch(input, patchTypeOf(input.apiVersion, input.kind)!);
  return { live: strategicPatch(builtinSchema(`${group}/${input.kind}`), input.live, patch) as JsonObject };
}

/**
 * What counts of an object. The library leaves directives and nulls standing where the live object had nothing to merge
 * with, which a server does not store; and it orders what only others have in a list by chance.
 */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.filter((item) => item?.$patch === undefined).map(canonical);
    return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, inner]) => inner !== null && !key.startsWith('$'));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, canonical(inner)]));
}
