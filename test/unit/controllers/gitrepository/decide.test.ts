// What a pass for a GitRepository does, row by row (flux.md §2.2, §2.6, §2.8).
import { describe, expect, it } from 'vitest';
import type {
  GitRepository,
  GitRepositorySpec,
  GitRepositoryStatus,
} from '../../../../src/api/source/gitrepository.ts';
import { decide } from '../../../../src/controllers/gitrepository/decide.ts';
import type { Observed } from '../../../../src/controllers/gitrepository/types.ts';

const SHA = '0123456789012345678901234567890123456789';
const revision = `main@sha1:${SHA}`;
const artifact = { path: 'p', url: 'u', revision, digest: 'sha256:0', lastUpdateTime: 't' };
const include = { repository: { name: 'base' } };
const observedInclude = { name: 'base', fromPath: '', toPath: 'base', artifact, exists: true };

function observed(
  spec: Partial<GitRepositorySpec> = {},
  status: Partial<GitRepositoryStatus> = {},
  more: Partial<Observed> = {},
): Observed {
  const object: GitRepository = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'app', namespace: 'ns' },
    spec: { interval: '1m', url: 'https://host/r', ...spec },
    status: { artifact, ...status },
  };
  const remote = { transport: {}, resolved: {}, auth: {} } as never;
  return Object.freeze({
    object,
    archive: 'present',
    includes: [],
    remote,
    revision,
    requeueDependencyMs: 30_000,
    ...more,
  });
}

const verify = { secretRef: { name: 'keys' } };

describe('decide', () => {
  it.each([
    ['nothing for what is stored', observed(), { do: 'nothing', because: `revision ${revision} is stored` }],
    ['a first fetch', observed({}, {}, { archive: 'none' }), { do: 'fetch', because: 'building artifact' }],
    [
      'to fetch again what was lost',
      observed({}, {}, { archive: 'lost' }),
      { do: 'fetch', because: 'building artifact: disappeared from storage' },
    ],
    [
      'to fetch another revision, older or newer',
      observed({}, {}, { revision: 'main@sha1:other' }),
      { do: 'fetch', because: "building artifact: new upstream revision 'main@sha1:other'", verify: false },
    ],
    ['nothing for a revision in the old form', observed({}, {}, { revision: `main/${SHA}` }), { do: 'nothing' }],
    ['to pack anew under other ignore rules', observed({ ignore: '*.md' }), { because: 'spec.ignore changed' }],
    ['to fetch submodules', observed({ recurseSubmodules: true }), { because: 'spec.recurseSubmodules changed' }],
    ['to fetch other folders', observed({ sparseCheckout: ['a'] }), { because: 'spec.sparseCheckout changed' }],
    [
      'to fetch folders in another order',
      observed({ sparseCheckout: ['a', 'b'] }, { observedSparseCheckout: ['b', 'a'] }),
      { because: 'spec.sparseCheckout changed' },
    ],
    ['to verify what is not yet', observed({ verify }), { because: 'a signature is not verified yet', verify: true }],
    ['nothing for what is verified', observed({ verify }, { sourceVerificationMode: 'HEAD' }), { do: 'nothing' }],
    [
      'to verify the tag when the mode grew',
      observed({ verify: { ...verify, mode: 'TagAndHEAD' }, ref: { tag: 'v1' } }, { sourceVerificationMode: 'HEAD' }),
      { do: 'fetch', verify: true },
    ],
    [
      'to verify each new revision',
      observed({ verify }, { sourceVerificationMode: 'HEAD' }, { revision: 'main@sha1:other' }),
      { do: 'fetch', verify: true },
    ],
    [
      'to lay includes over',
      observed({ include: [include] }, {}, { includes: [observedInclude] }),
      { because: 'building artifact: included artifacts differ from last observed includes' },
    ],
    [
      'nothing for includes that are in',
      observed(
        { include: [include] },
        { observedInclude: [include], includedArtifacts: [artifact] },
        { includes: [observedInclude] },
      ),
      { do: 'nothing' },
    ],
  ])('decides %s', (_name, input, want) => {
    expect(decide(input)).toMatchObject(want);
  });

  it.each([
    [
      'a URL that is none',
      observed({ url: 'https://[' }, {}, { remote: undefined }),
      { reason: 'URLInvalid', message: "failed to parse url 'https://[': it is not a URL", retry: 'stalled' },
    ],
    [
      'a mode that asks for a tag where none is named',
      observed({ verify: { ...verify, mode: 'Tag' }, ref: { branch: 'main' } }),
      {
        reason: 'InvalidVerificationMode',
        message: "cannot verify tag object's signature if a tag reference is not specified",
        condition: 'SourceVerified',
        retry: 'stalled',
      },
    ],
    [
      'a mode that asks for a tag beside a commit',
      observed({ verify: { ...verify, mode: 'TagAndHEAD' }, ref: { tag: 'v1', commit: SHA } }),
      { reason: 'InvalidVerificationMode' },
    ],
    [
      'the login of a cloud',
      observed({ provider: 'azure' }, {}, { remote: undefined }),
      { reason: 'FieldNotSupported', message: 'spec.provider azure is not supported yet', retry: 'stalled' },
    ],
    [
      'an include that is not there',
      observed({ include: [include] }, {}, { includes: [{ ...observedInclude, exists: false, artifact: undefined }] }),
      {
        reason: 'NotFound',
        message: `could not get resource for include 'base': GitRepository.source.toolkit.fluxcd.io "base" not found`,
        condition: 'IncludeUnavailable',
        retry: 'waiting',
        retryAfterMs: 30_000,
      },
    ],
    [
      'an include without artifact',
      observed({ include: [include] }, {}, { includes: [{ ...observedInclude, artifact: undefined }] }),
      { reason: 'NoArtifact', message: "no artifact available for include 'base'", retry: 'waiting' },
    ],
  ])('is blocked by %s', (_name, input, failure) => {
    expect(decide(input)).toMatchObject({ do: 'fail', failure });
  });
});
