// Owns the watches of kinds: one for each kind that somebody's applied objects have, for as long as somebody has some.
// What a change means is the caller's business (applied-objects.ts).
import type { KubeObject } from '../../api/meta/object.ts';
import { asKubeObject, asManifest } from '../../apply/dry-run.ts';
import type { Informer } from '../../cluster/informer.ts';
import type { InformerLease, InformerRequest, Informers, Shape } from '../../cluster/informers.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { abridge } from '../../objects/abridge.ts';
import type { Manifest } from '../../objects/manifest.ts';

export interface KindWatchesOptions {
  readonly informers: Informers;
  /** Selects what is watched. */
  readonly labelSelector: string;
  readonly log: Log;
  /** An object is there, or has changed. */
  readonly seen: (object: Manifest) => void;
  /** An object is there no more; its last state. */
  readonly gone: (object: Manifest) => void;
}

interface KindWatch {
  readonly lease: InformerLease;
  readonly removeHandler: () => void;
  users: number;
}

/** Values that neither drift nor health needs are not kept in memory, only what tells whether they have changed. */
const abridged: Shape = {
  name: 'abridged',
  transform: (object: KubeObject) => asKubeObject(abridge(asManifest(object))),
};

/** Name of a kind in one version. */
export function kindKey(apiVersion: string, kind: string): string {
  return `${apiVersion}#${kind}`;
}

/** Watches of kinds, by their owners' needs. Kinds are named by `kindKey`. */
export class KindWatches {
  readonly #options: KindWatchesOptions;
  readonly #kinds = new Map<string, Promise<KindWatch | undefined>>();
  /** Kinds that each owner uses. */
  readonly #leases = new Map<string, Set<string>>();
  /** Kinds of each owner that cannot be watched, or not yet. */
  readonly #unwatched = new Map<string, Set<string>>();

  constructor(options: KindWatchesOptions) {
    this.#options = options;
  }

  /** Watches these kinds for an owner, and none of its others. Resolves once each is watched, or known not to be. */
  async watch(owner: string, kinds: ReadonlySet<string>): Promise<void> {
    const held = this.#leases.get(owner) ?? new Set<string>();
    this.#leases.set(owner, held);
    const unwatched = new Set<string>();
    for (const kind of kinds) {
      // One that could not be watched is tried again the next time.
      const watch = await (held.has(kind) ? this.#kinds.get(kind) : this.#acquire(owner, kind));
      if (watch !== undefined && (await isFollowing(watch.lease.informer))) continue;
      unwatched.add(kind);
      // A list that came through later ends the dry-runs of the kind.
      watch?.lease.informer.waitForSync().then(
        () => unwatched.delete(kind),
        () => {},
      );
    }
    this.#unwatched.set(owner, unwatched);
    for (const kind of held) if (!kinds.has(kind) && held.delete(kind)) await this.#release(kind);
  }

  /** Whether a kind that an owner asked for is not watched (yet). */
  isUnwatched(owner: string, kind: string): boolean {
    return this.#unwatched.get(owner)?.has(kind) ?? false;
  }

  /** What the watch of a kind has; undefined when nobody watches it. It may not have its first list yet. */
  async informer(kind: string): Promise<Informer | undefined> {
    return (await this.#kinds.get(kind))?.lease.informer;
  }

  /** Ends what only this owner needed. */
  forget(owner: string): void {
    this.#unwatched.delete(owner);
    const held = this.#leases.get(owner);
    this.#leases.delete(owner);
    for (const kind of held ?? []) void this.#release(kind);
    held?.clear();
  }

  async #acquire(owner: string, kind: string): Promise<KindWatch | undefined> {
    const held = this.#leases.get(owner);
    for (;;) {
      const starting = this.#kinds.get(kind) ?? this.#start(kind);
      this.#kinds.set(kind, starting);
      const watch = await starting;
      // Its last user may have let it go by now.
      if (this.#kinds.get(kind) !== starting) continue;
      if (watch === undefined) {
        this.#kinds.delete(kind);
        return undefined;
      }
      watch.users += 1;
      // Who was forgotten meanwhile needs it no more.
      if (this.#leases.get(owner) === held) held?.add(kind);
      else await this.#release(kind);
      return watch;
    }
  }

  async #start(kind: string): Promise<KindWatch | undefined> {
    const [apiVersion = '', name = ''] = kind.split('#');
    const { informers, labelSelector, log, seen, gone } = this.#options;
    const request: InformerRequest = { labelSelector, shape: abridged };
    try {
      const lease = await informers.acquire({ apiVersion, kind: name }, request);
      const removeHandler = lease.informer.addHandler({
        add: (object) => seen(asManifest(object)),
        update: (object) => seen(asManifest(object)),
        delete: (object) => gone(asManifest(object)),
      });
      return { lease, removeHandler, users: 0 };
    } catch (error) {
      log.info('applied objects of a kind are not watched', { kind, error: errorMessage(error) });
      return undefined;
    }
  }

  async #release(kind: string): Promise<void> {
    const watch = await this.#kinds.get(kind);
    if (watch === undefined) return;
    watch.users -= 1;
    if (watch.users > 0) return;
    this.#kinds.delete(kind);
    watch.removeHandler();
    watch.lease.release();
  }
}

/** True once the first list is in; false when it was refused, so that the objects are asked for instead. */
export async function isFollowing(informer: Informer): Promise<boolean> {
  try {
    await informer.waitForSync({ failFast: true });
    return true;
  } catch {
    return false;
  }
}
