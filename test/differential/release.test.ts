// Compares the digests in a HelmRelease's status with those of Flux's helm-controller: of seeded random releases, values,
// post-renderers and common metadata, computed here and by a small Go program with Helm's and Flux's own types.
import { describe, expect, it } from 'vitest';
import {
  digestCommonMetadata,
  digestPostRenderers,
  digestRelease,
  digestValues,
} from '../../src/engines/helm/release/digest.ts';
import { decodeRelease } from '../../src/engines/helm/release/encode.ts';
import { hasGo, useGoOracle } from '../support/go-oracle.ts';
import { type DigestInput, generateDigestInput } from './release/generate.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 10_000);
const BATCH = 5_000;

describe.skipIf(!hasGo)('random digests against Go (skipped only where there is no go command)', () => {
  const ask = useGoOracle('release/oracle');

  it.each(Array.from({ length: Math.ceil(SEEDS / BATCH) }, (_, batch) => batch * BATCH))(
    'seeds from %i on',
    (first) => {
      const inputs = Array.from({ length: BATCH }, (_, index) => generateDigestInput(first + index));

      const wanted = JSON.parse(ask(JSON.stringify(inputs))) as object[];

      const differing = inputs.flatMap((input, index) => {
        const got = digestAll(input);
        return JSON.stringify(got) === JSON.stringify(wanted[index]) ? [] : [{ input, got, want: wanted[index] }];
      });
      expect(differing.slice(0, 3)).toEqual([]);
    },
  );
});

function digestAll({ release, ociDigest, values, postRenderers, commonMetadata }: DigestInput): object {
  const stored = Buffer.from(JSON.stringify(release)).toString('base64');
  return {
    release: digestRelease(decodeRelease(stored), ociDigest),
    values: digestValues(values),
    postRenderers: digestPostRenderers(postRenderers),
    commonMetadata: digestCommonMetadata(commonMetadata),
  };
}
