// Owns the Secret that holds one revision of a release: its name, type and labels (helm.md §19).
import { isJsonObject, type JsonObject } from '../../../lib/json.ts';
import { decodeRelease, encodeRelease, ReleaseError } from './encode.ts';
import type { ReleaseRecord, ReleaseStatus } from './record.ts';

export const releaseSecretType = 'helm.sh/release.v1';
/** Selects the Secrets of all releases. */
export const releaseSelector = 'owner=helm';

const SYSTEM_LABELS = new Set(['name', 'owner', 'status', 'version', 'createdAt', 'modifiedAt']);
/** What the API server takes for the data of one Secret. */
const MAX_SECRET_BYTES = 1024 * 1024;

/** What the labels of a Secret tell of its release. */
export interface StoredRevision {
  readonly name: string;
  readonly version: number;
  readonly status: ReleaseStatus;
}

export function releaseSecretName(name: string, version: number): string {
  return `sh.helm.release.v1.${name}.v${version}`;
}

/**
 * The Secret of a revision. `stamp` is the label of this write, with Unix seconds: `createdAt`, or `modifiedAt` beside
 * the `createdAt` that is kept. Throws `ReleaseError` for a release that is too large to be stored.
 */
export function toReleaseSecret(release: ReleaseRecord, namespace: string, stamp: Record<string, string>): JsonObject {
  const text = encodeRelease(release);
  if (text.length > MAX_SECRET_BYTES) {
    const message = `the release is ${text.length} bytes large, and a Secret holds at most ${MAX_SECRET_BYTES}`;
    throw new ReleaseError('ReleaseInvalid', message, { size: text.length });
  }
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: releaseSecretName(release.name, release.version),
      namespace,
      labels: {
        ...release.labels,
        ...stamp,
        name: release.name,
        owner: 'helm',
        status: release.info.status,
        version: String(release.version),
      },
    },
    type: releaseSecretType,
    data: { release: Buffer.from(text).toString('base64') },
  };
}

/** The release of a Secret. Throws `ReleaseError`. */
export function fromReleaseSecret(secret: JsonObject): ReleaseRecord {
  const data = isJsonObject(secret['data']) ? secret['data']['release'] : undefined;
  if (typeof data !== 'string') throw new ReleaseError('ReleaseInvalid', 'the Secret holds no release', { size: 0 });
  const own = Object.entries(labelsOf(secret)).filter(([key]) => !SYSTEM_LABELS.has(key));
  return decodeRelease(Buffer.from(data, 'base64').toString('latin1'), Object.fromEntries(own));
}

/** What the labels tell; undefined when the Secret holds no release. */
export function revisionOf(secret: JsonObject): StoredRevision | undefined {
  const { name, owner, status, version } = labelsOf(secret);
  if (owner !== 'helm' || name === undefined || !/^\d+$/.test(version ?? '')) return undefined;
  return { name, version: Number(version), status: (status ?? 'unknown') as ReleaseStatus };
}

/** The `createdAt` label that a rewritten Secret keeps. */
export function createdAtOf(secret: JsonObject): Record<string, string> {
  const { createdAt } = labelsOf(secret);
  return createdAt === undefined ? {} : { createdAt };
}

function labelsOf(secret: JsonObject): Readonly<Record<string, string>> {
  const metadata = secret['metadata'];
  const labels = isJsonObject(metadata) ? metadata['labels'] : undefined;
  return isJsonObject(labels) ? (labels as Record<string, string>) : {};
}
