// Owns what a Kubernetes object is as data, and its names. Parsing streams is parse.ts.
import type { ManagedFieldsEntry, OwnerReference } from '../api/meta/object.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';

/** A Kubernetes object as plain JSON. Unknown fields are kept. */
export interface Manifest extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: ManifestMetadata;
}

export interface ManifestMetadata extends JsonObject {
  name: string;
}

/** Identity of an object within a cluster. The API version is not part of it (flux.md §4.11). */
export interface ObjectIdentity {
  readonly group: string;
  readonly kind: string;
  /** '' for a cluster-scoped object, or for one whose namespace is not known yet. */
  readonly namespace: string;
  readonly name: string;
}

/** Identity plus the API version to reach the object with. */
export interface ObjectReference extends ObjectIdentity {
  readonly version: string;
}

/** True when the value has apiVersion, kind and a name: the least that can be sent to an API server. */
export function isManifest(value: JsonValue | undefined): value is Manifest {
  if (!isJsonObject(value)) return false;
  const { apiVersion, kind, metadata } = value;
  return (
    typeof apiVersion === 'string' &&
    apiVersion !== '' &&
    typeof kind === 'string' &&
    kind !== '' &&
    isJsonObject(metadata) &&
    typeof metadata['name'] === 'string' &&
    metadata['name'] !== ''
  );
}

/** `apps/v1` → `apps`; `v1` → ''. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** `apps/v1` → `v1`. */
export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

/** ('apps', 'v1') → `apps/v1`; ('', 'v1') → `v1`. */
export function toApiVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

export function namespaceOf(manifest: Manifest): string {
  const namespace = manifest.metadata['namespace'];
  return typeof namespace === 'string' ? namespace : '';
}

export function referenceOf(manifest: Manifest): ObjectReference {
  return {
    group: groupOf(manifest.apiVersion),
    version: versionOf(manifest.apiVersion),
    kind: manifest.kind,
    namespace: namespaceOf(manifest),
    name: manifest.metadata.name,
  };
}

/** The name of an object in messages: `Kind/namespace/name`, or `Kind/name` without a namespace (flux.md §4.9). */
export function formatObjectId(identity: Pick<ObjectIdentity, 'kind' | 'namespace' | 'name'>): string {
  return identity.namespace === ''
    ? `${identity.kind}/${identity.name}`
    : `${identity.kind}/${identity.namespace}/${identity.name}`;
}

/** A text that is equal exactly when two identities are equal. */
export function identityKey(identity: ObjectIdentity): string {
  return `${identity.group}|${identity.kind}|${identity.namespace}|${identity.name}`;
}

/** Labels of an object; empty when it has none or they are no map of strings. */
export function labelsOf(manifest: Manifest): Readonly<Record<string, string>> {
  return stringMapOf(manifest.metadata['labels']);
}

export function annotationsOf(manifest: Manifest): Readonly<Record<string, string>> {
  return stringMapOf(manifest.metadata['annotations']);
}

export function managedFieldsOf(manifest: Manifest): readonly ManagedFieldsEntry[] {
  const entries = manifest.metadata['managedFields'];
  return Array.isArray(entries) ? (entries as unknown as ManagedFieldsEntry[]) : [];
}

export function ownerReferencesOf(manifest: Manifest): readonly OwnerReference[] {
  const owners = manifest.metadata['ownerReferences'];
  return Array.isArray(owners) ? (owners as unknown as OwnerReference[]) : [];
}

function stringMapOf(value: JsonValue | undefined): Record<string, string> {
  if (!isJsonObject(value)) return {};
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(entries);
}

/** The object with its labels and annotations merged over; the input is not changed. */
export function withMetadata(
  manifest: Manifest,
  add: { readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> },
): Manifest {
  const metadata: ManifestMetadata = { ...manifest.metadata };
  if (add.labels !== undefined) metadata['labels'] = { ...labelsOf(manifest), ...add.labels };
  if (add.annotations !== undefined) metadata['annotations'] = { ...annotationsOf(manifest), ...add.annotations };
  return { ...manifest, metadata };
}
