// Owns the OCIRepository kind: types, schema, reasons, columns (flux.md §3.1, §5). How it is reconciled is
// controllers/ocirepository.
import { ageColumn, readyColumn, statusColumn } from '../kind.ts';
import type { LocalObjectReference } from '../meta/object.ts';
import { boolean, duration, localReference, object, type Schema, sourceTimeout, string } from '../schema.ts';
import { artifact } from './artifact.ts';
import {
  type CloudProvider,
  type OciVerification,
  type SourceObject,
  type SourceStatus,
  sourceReasons,
} from './source-object.ts';
import {
  certSecretRef,
  cloudProvider,
  ignore,
  layerSelector,
  observedIgnore,
  ociVerification,
  proxySecretRef,
  sourceKind,
  sourceStatus,
  unusedUrl,
} from './source-schema.ts';

/** Which artifact of the repository: digest over semver over tag; tag `latest` when nothing is said. */
export interface OciRepositoryRef {
  readonly tag?: string;
  readonly semver?: string;
  /** Regular expression that a tag must match before `semver` looks at it. */
  readonly semverFilter?: string;
  readonly digest?: string;
}

export interface OciLayerSelector {
  /** The first layer when absent. */
  readonly mediaType?: string;
  /** @default 'extract' */
  readonly operation?: 'extract' | 'copy';
}

export interface OciRepositorySpec {
  readonly url: string;
  readonly interval: string;
  /** @default '60s' */
  readonly timeout?: string;
  readonly ref?: OciRepositoryRef;
  readonly layerSelector?: OciLayerSelector;
  readonly provider?: CloudProvider;
  readonly secretRef?: LocalObjectReference;
  /** ServiceAccount whose image pull secrets log in. */
  readonly serviceAccountName?: string;
  readonly certSecretRef?: LocalObjectReference;
  readonly proxySecretRef?: LocalObjectReference;
  readonly verify?: OciVerification;
  readonly ignore?: string;
  readonly insecure?: boolean;
  readonly suspend?: boolean;
}

export interface OciRepositoryStatus extends SourceStatus {
  readonly observedIgnore?: string;
  readonly observedLayerSelector?: OciLayerSelector;
}

export type OCIRepository = SourceObject<'OCIRepository', OciRepositorySpec, OciRepositoryStatus>;

/** Reasons of OCIRepository conditions and events (flux.md §3.1). */
export const ociRepositoryReasons = {
  ...sourceReasons,
  readOperationFailed: 'ReadOperationFailed',
  pullFailed: 'OCIArtifactPullFailed',
  layerOperationFailed: 'OCIArtifactLayerOperationFailed',
  verificationError: 'VerificationError',
} as const;

const common: { readonly [name: string]: Schema } = {
  certSecretRef: certSecretRef(),
  ignore,
  insecure: boolean('Speak plain HTTP to the registry.'),
  interval: duration('How often the registry is asked for news.'),
  layerSelector: layerSelector('Which layer to take; the first one, unpacked, by default.'),
  provider: cloudProvider('How to log in beyond what the Secret says.'),
  proxySecretRef: proxySecretRef(),
  ref: object('Which artifact to take; tag latest when nothing is said.', {
    digest: string('A digest, sha256:…. Wins over semver and tag.'),
    semver: string('A range of versions; the highest tag within it is taken. Wins over tag.'),
    semverFilter: string('Regular expression that tags must match before semver looks at them.'),
    tag: string('A tag.'),
  }),
  secretRef: localReference('Secret with .dockerconfigjson, or username and password.'),
  serviceAccountName: string('ServiceAccount whose image pull secrets log in.'),
  suspend: boolean('Stop asking; the artifact stays and is still served.'),
  timeout: sourceTimeout('How long one fetch may take in all.'),
  url: string('Address of the repository without a tag, oci://host/name.', { pattern: '^oci://.*$' }),
};

const required = ['interval', 'url'];

const statusFields = {
  artifact: artifact('The stored artifact.'),
  observedIgnore,
  observedLayerSelector: layerSelector('spec.layerSelector of the stored artifact.'),
  url: unusedUrl,
};

const verify = ociVerification({
  trustedRootSecretRef: localReference('Secret with the roots of trust of signatures without a key.'),
});

export const ociRepositoryKind = sourceKind({
  kind: 'OCIRepository',
  plural: 'ocirepositories',
  singular: 'ocirepository',
  shortNames: ['ocirepo'],
  columns: [{ name: 'URL', type: 'string', jsonPath: '.spec.url' }, readyColumn, statusColumn, ageColumn],
  description: 'An artifact in a container registry that is fetched and kept for others to use.',
  v1: {
    spec: object('What to fetch, and how.', { ...common, verify }, required),
    status: sourceStatus(statusFields),
  },
  v1beta2: {
    spec: object('What to fetch, and how.', { ...common, verify: ociVerification() }, required),
    status: sourceStatus({ ...statusFields, contentConfigChecksum: string('Not used.') }),
  },
});
