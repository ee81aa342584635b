// Owns the OCIRepository kind: types, schema, reasons, columns (flux.md §3.1, §5). How it is reconciled is
// controllers/ocirepository.
import { ageColumn, type KindDescription, readyColumn, statusColumn } from '../kind.ts';
import type { LocalObjectReference } from '../meta/object.ts';
import {
  boolean,
  conditions,
  duration,
  integer,
  localReference,
  object,
  type Schema,
  sourceTimeout,
  string,
  topLevel,
} from '../schema.ts';
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
  layerSelector,
  ociVerification,
  proxySecretRef,
  sourceCategories,
  sourceGroup,
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
  ignore: string('Patterns in the form of .gitignore of what stays out of the artifact; switches the defaults off.'),
  insecure: boolean('Speak plain HTTP to the registry.'),
  interval: duration('How often the registry is asked for news.'),
  layerSelector: layerSelector('Which layer to take; the first one, unpacked, by default.'),
  provider: string('How to log in beyond what the Secret says.', {
    default: 'generic',
    enum: ['generic', 'aws', 'azure', 'gcp'],
  }),
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
  conditions: conditions(),
  lastHandledReconcileAt: string('Value of the reconcile request annotation that was handled last.'),
  observedGeneration: integer('The generation that was reconciled last.'),
  observedIgnore: string('spec.ignore of the stored artifact.'),
  observedLayerSelector: layerSelector('spec.layerSelector of the stored artifact.'),
  url: string('Not used.'),
};

const description = 'An artifact in a container registry that is fetched and kept for others to use.';

export const ociRepositoryKind: KindDescription = {
  group: sourceGroup,
  kind: 'OCIRepository',
  plural: 'ocirepositories',
  singular: 'ocirepository',
  shortNames: ['ocirepo'],
  categories: sourceCategories,
  columns: [{ name: 'URL', type: 'string', jsonPath: '.spec.url' }, readyColumn, statusColumn, ageColumn],
  versions: [
    {
      name: 'v1',
      storage: true,
      schema: topLevel(
        description,
        object(
          'What to fetch, and how.',
          {
            ...common,
            verify: ociVerification({
              trustedRootSecretRef: localReference('Secret with the roots of trust of signatures without a key.'),
            }),
          },
          required,
        ),
        object('What was seen and stored.', statusFields),
      ),
    },
    {
      name: 'v1beta2',
      storage: false,
      deprecationWarning: 'v1beta2 OCIRepository is deprecated, upgrade to v1',
      schema: topLevel(
        description,
        object('What to fetch, and how.', { ...common, verify: ociVerification() }, required),
        object('What was seen and stored.', { ...statusFields, contentConfigChecksum: string('Not used.') }),
      ),
    },
  ],
};
