// Owns the Bucket kind: types, schema, reasons, columns (flux.md §3.2, §5). How it is reconciled is controllers/bucket.
import { ageColumn, readyColumn, statusColumn } from '../kind.ts';
import type { LocalObjectReference } from '../meta/object.ts';
import { boolean, duration, localReference, object, type Schema, sourceTimeout, string } from '../schema.ts';
import { artifact } from './artifact.ts';
import { type CloudProvider, type SourceObject, type SourceStatus, sourceReasons } from './source-object.ts';
import {
  accessFrom,
  certSecretRef,
  ignore,
  observedIgnore,
  proxySecretRef,
  sourceKind,
  sourceStatus,
  unusedUrl,
} from './source-schema.ts';

export interface BucketSpec {
  readonly bucketName: string;
  /** `host[:port]`, without a scheme. */
  readonly endpoint: string;
  readonly interval: string;
  /** @default '60s' */
  readonly timeout?: string;
  readonly provider?: CloudProvider;
  readonly region?: string;
  readonly prefix?: string;
  /** Speaks plain HTTP. */
  readonly insecure?: boolean;
  readonly ignore?: string;
  /** Secret with `accesskey` and `secretkey`; anonymous without. */
  readonly secretRef?: LocalObjectReference;
  readonly certSecretRef?: LocalObjectReference;
  readonly proxySecretRef?: LocalObjectReference;
  readonly serviceAccountName?: string;
  readonly sts?: {
    readonly provider: 'aws' | 'ldap';
    readonly endpoint: string;
    readonly secretRef?: LocalObjectReference;
    readonly certSecretRef?: LocalObjectReference;
  };
  readonly suspend?: boolean;
}

export interface BucketStatus extends SourceStatus {
  readonly observedIgnore?: string;
}

export type Bucket = SourceObject<'Bucket', BucketSpec, BucketStatus>;

/** Reasons of Bucket conditions and events (flux.md §3.2). */
export const bucketReasons = {
  ...sourceReasons,
  bucketOperationFailed: 'BucketOperationFailed',
} as const;

const sts = object(
  'A service that gives temporary credentials.',
  {
    certSecretRef: certSecretRef(),
    endpoint: string('Address of the service.', { pattern: '^(http|https)://.*$' }),
    provider: string('Kind of the service.', { enum: ['aws', 'ldap'] }),
    secretRef: localReference('Secret with username and password for the service.'),
  },
  ['endpoint', 'provider'],
);

const common: { readonly [name: string]: Schema } = {
  bucketName: string('Name of the bucket.'),
  certSecretRef: certSecretRef(),
  endpoint: string('Host, and port when needed, of the object storage.'),
  ignore,
  insecure: boolean('Speak plain HTTP to the object storage.'),
  interval: duration('How often the bucket is listed.'),
  prefix: string('Only objects whose key begins with this.'),
  provider: string('Kind of the object storage; generic is anything that speaks the API of S3.', {
    default: 'generic',
    enum: ['generic', 'aws', 'gcp', 'azure'],
  }),
  proxySecretRef: proxySecretRef(),
  region: string('Region of the bucket.'),
  secretRef: localReference('Secret with accesskey and secretkey.'),
  sts,
  suspend: boolean('Stop listing; the artifact stays and is still served.'),
  timeout: sourceTimeout('How long one listing or fetch may take in all.'),
};

const stsRules = [
  {
    message: "STS configuration is only supported for the 'aws' and 'generic' Bucket providers",
    rule: "self.provider == 'aws' || self.provider == 'generic' || !has(self.sts)",
  },
  {
    message: "'aws' is the only supported STS provider for the 'aws' Bucket provider",
    rule: "self.provider != 'aws' || !has(self.sts) || self.sts.provider == 'aws'",
  },
  {
    message: "'ldap' is the only supported STS provider for the 'generic' Bucket provider",
    rule: "self.provider != 'generic' || !has(self.sts) || self.sts.provider == 'ldap'",
  },
  {
    message: "spec.sts.secretRef is not required for the 'aws' STS provider",
    rule: "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.secretRef)",
  },
  {
    message: "spec.sts.certSecretRef is not required for the 'aws' STS provider",
    rule: "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.certSecretRef)",
  },
];

const accountRules = [
  {
    message: "ServiceAccountName is not supported for the 'generic' Bucket provider",
    rule: "self.provider != 'generic' || !has(self.serviceAccountName)",
  },
  {
    message: 'cannot set both .spec.secretRef and .spec.serviceAccountName',
    rule: '!has(self.secretRef) || !has(self.serviceAccountName)',
  },
];

const required = ['bucketName', 'endpoint', 'interval'];

const status = sourceStatus({ artifact: artifact('The stored artifact.'), observedIgnore, url: unusedUrl });

const what = 'What to fetch, and how.';

export const bucketKind = sourceKind({
  kind: 'Bucket',
  plural: 'buckets',
  singular: 'bucket',
  shortNames: [],
  columns: [{ name: 'Endpoint', type: 'string', jsonPath: '.spec.endpoint' }, ageColumn, readyColumn, statusColumn],
  description: 'A bucket of an object storage whose content is fetched and kept as an artifact for others to use.',
  v1: {
    spec: object(
      what,
      { ...common, serviceAccountName: string('ServiceAccount whose cloud identity logs in.') },
      required,
      { 'x-kubernetes-validations': [...stsRules, ...accountRules] },
    ),
    status,
  },
  v1beta2: {
    spec: object(what, { ...common, accessFrom: accessFrom() }, required, { 'x-kubernetes-validations': stsRules }),
    status,
  },
});
