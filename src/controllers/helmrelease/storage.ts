// Owns the reading and writing of one release's revisions in Helm's storage, the Secrets of a namespace (helm.md §19).
// The form of a Secret is engines/helm/release; which revisions are there without asking is revisions.ts.
import type { KubeObject } from '../../api/meta/object.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import type { ReleaseRecord, ReleaseStatus } from '../../engines/helm/release/record.ts';
import {
  createdAtOf,
  fromReleaseSecret,
  releaseSecretName,
  releaseSelector,
  revisionOf,
  toReleaseSecret,
} from '../../engines/helm/release/secret.ts';
import type { Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import { fieldManager } from './ports.ts';

/** A stored revision, as far as its metadata tells. */
export interface Revision {
  readonly version: number;
  readonly status: ReleaseStatus;
  readonly resourceVersion: string;
}

export interface ReleaseStoreOptions {
  readonly client: DynamicClient;
  readonly clock: Clock;
  readonly namespace: string;
  readonly name: string;
}

interface Entry extends Revision {
  /** Absent until it is asked for. */
  readonly release?: ReleaseRecord;
  /** `createdAt` of the Secret, which a rewrite keeps. */
  readonly created?: Record<string, string>;
}

/** The revisions of one release. Writes fail with `ApiConflict` when somebody else has written meanwhile. */
export class ReleaseStore {
  readonly #options: ReleaseStoreOptions;
  #entries = new Map<number, Entry>();

  constructor(options: ReleaseStoreOptions) {
    this.#options = options;
  }

  /** Reads what is there, by one request. */
  async load(): Promise<void> {
    const { client, namespace, name } = this.#options;
    const labelSelector = `name=${name},${releaseSelector}`;
    const { items } = await client.list(SECRET, { namespace, labelSelector });
    this.#entries = new Map();
    for (const secret of items) this.#remember(secret as unknown as JsonObject, true);
  }

  /** Oldest first. */
  revisions(): readonly Revision[] {
    return [...this.#entries.values()].sort((a, b) => a.version - b.version);
  }

  /** The newest revision. */
  async last(): Promise<ReleaseRecord | undefined> {
    for (;;) {
      const newest = this.revisions().at(-1);
      if (newest === undefined) return undefined;
      const release = await this.get(newest.version);
      if (release !== undefined) return release;
    }
  }

  /** One revision; undefined when it is not there (any more). */
  async get(version: number): Promise<ReleaseRecord | undefined> {
    const entry = this.#entries.get(version);
    if (entry === undefined) return undefined;
    if (entry.release !== undefined) return entry.release;
    const { client, namespace, name } = this.#options;
    const found = await client.find({ ...SECRET, namespace, name: releaseSecretName(name, version) });
    if (found === undefined) this.#entries.delete(version);
    else this.#remember(found as unknown as JsonObject, true);
    return this.#entries.get(version)?.release;
  }

  /** All revisions in a status. */
  async withStatus(status: ReleaseStatus): Promise<readonly ReleaseRecord[]> {
    const found: ReleaseRecord[] = [];
    for (const { version } of this.revisions().filter((revision) => revision.status === status)) {
      const release = await this.get(version);
      if (release !== undefined) found.push(release);
    }
    return found;
  }

  /** Stores a new revision; the oldest ones go before, until no more than `keep` remain with it (0 keeps all). */
  async create(release: ReleaseRecord, keep: number): Promise<void> {
    if (keep > 0) await this.#prune(keep - 1);
    const secret = toReleaseSecret(release, this.#options.namespace, { createdAt: this.#seconds() });
    const stored = await this.#options.client.create(asObject(secret), { fieldManager });
    this.#put(stored, release);
  }

  /** Stores a revision again. */
  async update(release: ReleaseRecord): Promise<void> {
    const entry = this.#entries.get(release.version);
    const stamp = { ...entry?.created, modifiedAt: this.#seconds() };
    const secret = toReleaseSecret(release, this.#options.namespace, stamp);
    const metadata = { ...(secret['metadata'] as JsonObject), resourceVersion: entry?.resourceVersion ?? '' };
    const stored = await this.#options.client.update(asObject({ ...secret, metadata }), { fieldManager });
    this.#put(stored, release);
  }

  async delete(version: number): Promise<void> {
    const { client, namespace, name } = this.#options;
    this.#entries.delete(version);
    await client.delete({ ...SECRET, namespace, name: releaseSecretName(name, version) });
  }

  /** Helm never drops the last deployed revision: it is what a failed upgrade goes back to. */
  async #prune(keep: number): Promise<void> {
    const revisions = this.revisions();
    const deployed = revisions.findLast((revision) => revision.status === 'deployed')?.version;
    let excess = revisions.length - keep;
    for (const { version } of revisions) {
      if (excess <= 0) return;
      if (version === deployed) continue;
      await this.delete(version);
      excess -= 1;
    }
  }

  #put(stored: KubeObject, release: ReleaseRecord): void {
    this.#remember(stored as unknown as JsonObject, false);
    const entry = this.#entries.get(release.version);
    if (entry !== undefined) this.#entries.set(release.version, { ...entry, release });
  }

  #remember(secret: JsonObject, decodes: boolean): void {
    const revision = revisionOf(secret);
    if (revision === undefined) return;
    this.#entries.set(revision.version, {
      version: revision.version,
      status: revision.status,
      resourceVersion: resourceVersionOf(secret),
      created: createdAtOf(secret),
      ...(decodes ? { release: fromReleaseSecret(secret) } : {}),
    });
  }

  #seconds(): string {
    return String(Math.floor(this.#options.clock.now() / 1000));
  }
}

const SECRET = { apiVersion: 'v1', kind: 'Secret' } as const;

function resourceVersionOf(secret: JsonObject): string {
  const version = (secret['metadata'] as JsonObject | undefined)?.['resourceVersion'];
  return typeof version === 'string' ? version : '';
}

function asObject(value: JsonObject): KubeObject {
  return value as unknown as KubeObject;
}
