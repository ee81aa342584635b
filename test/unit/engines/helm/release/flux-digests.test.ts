// Digests as Flux's helm-controller 1.6 writes them into status, recorded by test/differential/release/oracle: a release
// that moves here, or back, is known again.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  digestCommonMetadata,
  digestPostRenderers,
  digestRelease,
  digestValues,
} from '../../../../../src/engines/helm/release/digest.ts';
import { decodeRelease } from '../../../../../src/engines/helm/release/encode.ts';
import type { DigestInput } from '../../../../differential/release/generate.ts';

interface RecordedDigests {
  readonly title: string;
  readonly input: DigestInput;
  readonly digests: Readonly<Record<string, string>>;
}

const recorded = JSON.parse(
  readFileSync(new URL('flux-digests.json', import.meta.url), 'utf8'),
) as readonly RecordedDigests[];

describe('digests of Flux', () => {
  it.each(recorded)('$title', ({ input, digests }) => {
    const stored = Buffer.from(JSON.stringify(input.release)).toString('base64');

    expect({
      release: digestRelease(decodeRelease(stored), input.ociDigest),
      values: digestValues(input.values),
      postRenderers: digestPostRenderers(input.postRenderers),
      commonMetadata: digestCommonMetadata(input.commonMetadata),
    }).toEqual(digests);
  });
});
