// Owns the GitRepository kind: types, schema, reasons, columns (flux.md §2, §5, §9). How it is reconciled is
// controllers/gitrepository.

import { ageColumn, readyColumn, statusColumn } from '../kind.ts';
import type { Artifact } from '../meta/artifact.ts';
import type { LocalObjectReference } from '../meta/object.ts';
import { boolean, duration, list, localReference, object, sourceTimeout, string } from '../schema.ts';
import { artifact, artifactV1Beta2 } from './artifact.ts';
import { type SourceObject, type SourceStatus, sourceReasons } from './source-object.ts';
import { ignore, observedIgnore, proxySecretRef, sourceKind, sourceStatus, unusedUrl } from './source-schema.ts';

/** Which commit to take. The first that is set of commit, name, tag, semver, branch decides; branch `master` if none. */
export interface GitRepositoryRef {
  readonly branch?: string;
  readonly tag?: string;
  readonly semver?: string;
  readonly name?: string;
  readonly commit?: string;
}

export interface GitRepositoryInclude {
  readonly repository: LocalObjectReference;
  readonly fromPath?: string;
  readonly toPath?: string;
}

export type VerificationMode = 'head' | 'HEAD' | 'Tag' | 'TagAndHEAD';

export interface GitRepositorySpec {
  readonly url: string;
  readonly interval: string;
  readonly timeout?: string;
  readonly ref?: GitRepositoryRef;
  readonly secretRef?: LocalObjectReference;
  readonly provider?: 'generic' | 'aws' | 'azure' | 'github';
  readonly serviceAccountName?: string;
  readonly proxySecretRef?: LocalObjectReference;
  readonly verify?: { readonly mode?: VerificationMode; readonly secretRef: LocalObjectReference };
  readonly ignore?: string;
  readonly suspend?: boolean;
  readonly recurseSubmodules?: boolean;
  readonly include?: readonly GitRepositoryInclude[];
  readonly sparseCheckout?: readonly string[];
}

export interface GitRepositoryStatus extends SourceStatus {
  readonly includedArtifacts?: readonly Artifact[];
  readonly observedIgnore?: string;
  readonly observedRecurseSubmodules?: boolean;
  readonly observedInclude?: readonly GitRepositoryInclude[];
  readonly observedSparseCheckout?: readonly string[];
  readonly sourceVerificationMode?: VerificationMode;
}

export type GitRepository = SourceObject<'GitRepository', GitRepositorySpec, GitRepositoryStatus>;

/** Reasons of GitRepository conditions and events (flux.md §2.8, §2.9). */
export const gitRepositoryReasons = {
  ...sourceReasons,
  gitOperationFailed: 'GitOperationFailed',
  invalidProviderConfiguration: 'InvalidProviderConfiguration',
  emptyGitRepository: 'EmptyGitRepository',
  includeNotFound: 'NotFound',
  includeNoArtifact: 'NoArtifact',
  copyFailure: 'CopyFailure',
  verificationError: 'VerificationError',
  invalidCommitSignature: 'InvalidCommitSignature',
  invalidTagSignature: 'InvalidTagSignature',
  invalidGitObject: 'InvalidGitObject',
  invalidVerificationMode: 'InvalidVerificationMode',
} as const;

const include = list(
  'Other GitRepositories whose artifacts are copied into this one.',
  object(
    'One included repository.',
    {
      fromPath: string('Folder of the included artifact to take; its root by default.'),
      repository: localReference('A GitRepository of the same namespace.'),
      toPath: string('Where to put it in this artifact; the name of the repository by default.'),
    },
    ['repository'],
  ),
);

const ref = object('Which commit to take; the head of branch master when nothing is said.', {
  branch: string('A branch.'),
  commit: string('A commit, by its full hash. Wins over everything else.'),
  name: string('A full reference such as refs/heads/main or refs/pull/1/head. Wins over tag, semver and branch.'),
  semver: string('A range of versions; the highest tag within it is taken. Wins over branch.'),
  tag: string('A tag. Wins over semver and branch.'),
});

const common = {
  ignore,
  include,
  interval: duration('How often the repository is asked for news.'),
  recurseSubmodules: boolean('Fetch submodules too, with the same credentials.'),
  ref,
  secretRef: localReference(
    'Secret with credentials: username and password, bearerToken, identity and known_hosts, ca.crt, tls.crt and tls.key.',
  ),
  suspend: boolean('Stop asking; the artifact stays and is still served.'),
  timeout: sourceTimeout('How long one fetch may take in all.'),
  url: string('Address of the repository, http, https or ssh.', { pattern: '^(http|https|ssh)://.*$' }),
};

const verifySecret = localReference('Secret with public keys: *.asc for OpenPGP, *.sshpub for SSH.');

const specV1 = object(
  'What to fetch, and how.',
  {
    ...common,
    provider: string('How to log in beyond what the Secret says.', { enum: ['generic', 'aws', 'azure', 'github'] }),
    proxySecretRef: proxySecretRef(),
    serviceAccountName: string('ServiceAccount whose cloud identity logs in; only with provider azure or aws.'),
    sparseCheckout: list('Folders that go into the artifact; everything when empty.', { type: 'string' }),
    verify: object(
      'Refuse commits or tags without a signature by one of the given keys.',
      {
        mode: string('Which object must be signed.', { default: 'HEAD', enum: ['head', 'HEAD', 'Tag', 'TagAndHEAD'] }),
        secretRef: verifySecret,
      },
      ['secretRef'],
    ),
  },
  ['interval', 'url'],
  {
    'x-kubernetes-validations': [
      {
        message: "serviceAccountName can only be set when provider is 'azure' or 'aws'",
        rule: "!has(self.serviceAccountName) || (has(self.provider) && (self.provider == 'azure' || self.provider == 'aws'))",
      },
    ],
  },
);

const specV1Beta2 = object(
  'What to fetch, and how.',
  {
    ...common,
    accessFrom: object('Not used.', {
      namespaceSelectors: list(
        'Not used.',
        object('Not used.', { matchLabels: { type: 'object', additionalProperties: { type: 'string' } } }),
      ),
    }),
    gitImplementation: string('Not used.', { default: 'go-git', enum: ['go-git', 'libgit2'] }),
    verify: object(
      'Refuse commits without a signature by one of the given keys.',
      { mode: string('Which object must be signed.', { enum: ['head'] }), secretRef: verifySecret },
      ['mode', 'secretRef'],
    ),
  },
  ['interval', 'url'],
);

const statusFields = {
  observedIgnore,
  observedInclude: include,
  observedRecurseSubmodules: boolean('spec.recurseSubmodules of the stored artifact.'),
};

export const gitRepositoryKind = sourceKind({
  kind: 'GitRepository',
  plural: 'gitrepositories',
  singular: 'gitrepository',
  shortNames: ['gitrepo'],
  columns: [{ name: 'URL', type: 'string', jsonPath: '.spec.url' }, ageColumn, readyColumn, statusColumn],
  description: 'A Git repository whose content is fetched and kept as an artifact for others to use.',
  v1: {
    spec: specV1,
    status: sourceStatus({
      ...statusFields,
      artifact: artifact('The stored artifact.'),
      includedArtifacts: list('Artifacts that were copied in.', artifact('One of them.')),
      observedSparseCheckout: list('spec.sparseCheckout of the stored artifact.', { type: 'string' }),
      sourceVerificationMode: string('Mode of the last signature check.'),
    }),
  },
  v1beta2: {
    spec: specV1Beta2,
    status: sourceStatus({
      ...statusFields,
      artifact: artifactV1Beta2('The stored artifact.'),
      contentConfigChecksum: string('Not used.'),
      includedArtifacts: list('Artifacts that were copied in.', artifactV1Beta2('One of them.')),
      url: unusedUrl,
    }),
  },
});
