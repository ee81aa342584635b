import { describe, expect, it } from 'vitest';
import type { OCIRepository, OciRepositorySpec } from '../../../../src/api/source/ocirepository.ts';
import { decide } from '../../../../src/controllers/ocirepository/decide.ts';
import type { Observed, ResolvedArtifact } from '../../../../src/controllers/ocirepository/types.ts';

const revision = `v1@sha256:${'a'.repeat(64)}`;

function repository(spec: Partial<OciRepositorySpec> = {}, status: object = {}): OCIRepository {
  const artifact = { path: 'p', url: 'u', digest: 'sha256:0', lastUpdateTime: '', revision };
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'OCIRepository',
    metadata: { name: 'app', namespace: 'ns', generation: 2 },
    spec: { url: 'oci://host/app', interval: '1h', ...spec },
    status: { artifact, ...status },
  };
}

function observed(object: OCIRepository, changes: Partial<Observed> = {}): Observed {
  return { object, archive: 'present', resolved: { revision } as ResolvedArtifact, ...changes };
}

const verify = { provider: 'cosign', secretRef: { name: 'keys' } } as const;
const verified = (status: string, generation: number) => ({
  conditions: [
    {
      type: 'SourceVerified',
      status,
      reason: 'x',
      message: '',
      lastTransitionTime: '',
      observedGeneration: generation,
    },
  ],
});

describe('decide', () => {
  it.each([
    ['the stored revision', observed(repository()), { do: 'nothing' }],
    [
      'another revision',
      observed(repository(), { resolved: { revision: 'v2@sha256:b' } as ResolvedArtifact }),
      { do: 'fetch', pull: true, verify: false },
    ],
    ['nothing stored', observed(repository(), { archive: 'none' }), { do: 'fetch', because: 'building artifact' }],
    [
      'a lost archive',
      observed(repository(), { archive: 'lost' }),
      { because: 'building artifact: disappeared from storage' },
    ],
    ['other ignore rules', observed(repository({ ignore: 'x' })), { because: 'spec.ignore changed', pull: true }],
    [
      'another layer',
      observed(repository({ layerSelector: { operation: 'copy' } })),
      { because: 'spec.layerSelector changed' },
    ],
    [
      'the same layer',
      observed(repository({ layerSelector: { operation: 'copy' } }, { observedLayerSelector: { operation: 'copy' } })),
      { do: 'nothing' },
    ],
    ['a signature that is not checked', observed(repository({ verify })), { do: 'fetch', verify: true, pull: false }],
    ['one that was checked', observed(repository({ verify }, verified('True', 2))), { do: 'nothing' }],
    ['one of another generation', observed(repository({ verify }, verified('True', 1))), { verify: true, pull: false }],
    ['one that failed', observed(repository({ verify }, verified('False', 2))), { verify: true, pull: false }],
  ])('%s', (_name, input, wanted) => {
    expect(decide(input)).toMatchObject(wanted);
  });

  it.each([
    [{ provider: 'gcp' }, 'FieldNotSupported', 'spec.provider gcp is not supported yet'],
    [
      { verify: { provider: 'cosign' } },
      'FieldNotSupported',
      'spec.verify without secretRef (cosign keyless) is not supported yet',
    ],
    [
      { verify: { provider: 'notation', secretRef: { name: 'x' } } },
      'FieldNotSupported',
      'spec.verify.provider notation is not supported yet',
    ],
    [
      { url: 'oci://host/App' },
      'URLInvalid',
      "URL validation failed for 'oci://host/App': repository can only contain",
    ],
    [{ ref: { tag: '../x' } }, 'URLInvalid', "tag '../x' can only contain"],
    [{ ref: { digest: 'sha512:0' } }, 'URLInvalid', "'sha512:0' is no digest"],
  ] as const)('stalls for %o', (spec, reason, message) => {
    const decision = decide(observed(repository(spec as Partial<OciRepositorySpec>), { resolved: undefined }));

    expect(decision).toMatchObject({
      do: 'fail',
      failure: { reason, retry: 'stalled', message: expect.stringContaining(message) },
    });
  });
});
