// Owns the HelmRepository kind: types, schema, reasons, columns (flux.md §3.3, §5; helm.md §22.1). How it is reconciled
// is controllers/helmrepository.
import { ageColumn, readyColumn, statusColumn } from '../kind.ts';
import type { LocalObjectReference } from '../meta/object.ts';
import { boolean, duration, GO_DURATION_WITHOUT_HOURS, localReference, object, string } from '../schema.ts';
import { artifact } from './artifact.ts';
import { type CloudProvider, type SourceObject, type SourceStatus, sourceReasons } from './source-object.ts';
import { accessFrom, certSecretRef, cloudProvider, sourceKind, sourceStatus, unusedUrl } from './source-schema.ts';

export interface HelmRepositorySpec {
  readonly url: string;
  /** @default '1m' */
  readonly interval?: string;
  /** @default '1m' */
  readonly timeout?: string;
  /** `oci` is static: read by HelmCharts, never reconciled. @default 'default' */
  readonly type?: 'default' | 'oci';
  readonly secretRef?: LocalObjectReference;
  readonly certSecretRef?: LocalObjectReference;
  /** Sends the credentials to the host of a chart's URL too, when that is another one. */
  readonly passCredentials?: boolean;
  readonly insecure?: boolean;
  readonly provider?: CloudProvider;
  readonly suspend?: boolean;
}

export type HelmRepository = SourceObject<'HelmRepository', HelmRepositorySpec, SourceStatus>;

// What is not done yet concerns registries, and those are read by HelmCharts.
const { fieldNotSupported: _notSupported, ...withoutNotSupported } = sourceReasons;

/** Reasons of HelmRepository conditions and events (helm.md §22.1). */
export const helmRepositoryReasons = {
  ...withoutNotSupported,
  failed: 'Failed',
  indexationFailed: 'IndexationFailed',
} as const;

const version = {
  spec: object(
    'Where the charts are, and how to log in.',
    {
      accessFrom: accessFrom(),
      certSecretRef: certSecretRef(),
      insecure: boolean('Speak plain HTTP to the registry; only with type oci.'),
      interval: duration('How often the index is fetched.'),
      passCredentials: boolean('Send the credentials to the host of a chart too, when that is another one.'),
      provider: cloudProvider('How to log in beyond what the Secret says; only with type oci.'),
      secretRef: localReference('Secret with username and password; for a registry also .dockerconfigjson.'),
      suspend: boolean('Stop fetching; the artifact stays and is still served.'),
      timeout: string('How long one fetch may take in all.', { pattern: GO_DURATION_WITHOUT_HOURS }),
      type: string('What is at the address: an index (default) or a registry (oci).', { enum: ['default', 'oci'] }),
      url: string('Address of the repository, http, https or oci.', { pattern: '^(http|https|oci)://.*$' }),
    },
    ['url'],
  ),
  status: sourceStatus({ artifact: artifact('The stored index.'), url: unusedUrl }),
};

export const helmRepositoryKind = sourceKind({
  kind: 'HelmRepository',
  plural: 'helmrepositories',
  singular: 'helmrepository',
  shortNames: ['helmrepo'],
  columns: [{ name: 'URL', type: 'string', jsonPath: '.spec.url' }, ageColumn, readyColumn, statusColumn],
  description: 'A repository of Helm charts: an index over HTTP, or a registry.',
  v1: version,
  v1beta2: version,
});
