// Owns reading what a registry says of an artifact: manifests, descriptors, lists of tags. Strangers wrote it: everything
// is checked, nothing is trusted.
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import { RegistryError } from './errors.ts';
import { isDigest } from './reference.ts';

/** Content by its digest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** Only in indexes of referrers. */
  readonly artifactType?: string | undefined;
}

/** An image manifest: a configuration and layers. */
export interface Manifest {
  readonly mediaType: string;
  readonly config: Descriptor | undefined;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** What is asked for when a manifest is fetched. */
export const MANIFEST_TYPES: readonly string[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

const MAX_LAYERS = 10_000;

/** Reads a manifest with layers. Throws RegistryError `RegistryMalformed`, also for an index of platforms. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const body = parseObject(bytes, 'manifest');
  if (Array.isArray(body['manifests']) && body['layers'] === undefined) {
    throw malformed('manifest is an index of several artifacts, not one artifact');
  }
  const layers = body['layers'];
  if (layers !== undefined && layers !== null && !Array.isArray(layers)) throw malformed('manifest has no layers');
  const config = body['config'];
  return {
    mediaType: typeof body['mediaType'] === 'string' ? body['mediaType'] : '',
    config: isJsonObject(config) ? toDescriptor(config) : undefined,
    layers: ((layers ?? []) as readonly JsonValue[]).slice(0, MAX_LAYERS).map(toDescriptor),
    annotations: stringsOf(body['annotations']),
  };
}

/** Reads an index; absent entries are none. Throws RegistryError `RegistryMalformed`. */
export function parseIndex(bytes: Uint8Array): Descriptor[] {
  const { manifests } = parseObject(bytes, 'index');
  if (manifests === undefined || manifests === null) return [];
  if (!Array.isArray(manifests)) throw malformed('index has no list of manifests');
  return (manifests as readonly JsonValue[]).slice(0, MAX_LAYERS).map(toDescriptor);
}

/** Reads one page of tags. Throws RegistryError `RegistryMalformed`. */
export function parseTags(bytes: Uint8Array): string[] {
  const { tags } = parseObject(bytes, 'list of tags');
  if (tags === null || tags === undefined) return [];
  if (!Array.isArray(tags)) throw malformed('list of tags has another form');
  return (tags as readonly JsonValue[]).filter((tag) => typeof tag === 'string');
}

function parseObject(bytes: Uint8Array, what: string): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw malformed(`${what} is not JSON`);
  }
  if (!isJsonObject(body)) throw malformed(`${what} is no JSON object`);
  return body;
}

function toDescriptor(value: JsonValue): Descriptor {
  if (!isJsonObject(value)) throw malformed('manifest holds a descriptor that is no object');
  const { mediaType, digest, size, artifactType } = value;
  if (!isDigest(digest)) throw malformed('manifest holds a descriptor without a SHA-256 digest');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw malformed('manifest holds a descriptor without a size');
  }
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    digest,
    size,
    annotations: stringsOf(value['annotations']),
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
  };
}

function stringsOf(value: JsonValue | undefined): Record<string, string> {
  const entries = isJsonObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function malformed(message: string): RegistryError {
  return new RegistryError('RegistryMalformed', message, {});
}
