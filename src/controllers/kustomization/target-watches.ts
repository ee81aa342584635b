// Owns the watches of single objects: those whose health is waited for, and that are not among what was applied.
import type { Informer } from '../../cluster/informer.ts';
import type { InformerLease, Informers } from '../../cluster/informers.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { isFollowing } from './kind-watches.ts';
import type { HealthTarget } from './types.ts';

export interface TargetWatchesOptions {
  readonly informers: Informers;
  readonly log: Log;
  /** Something has become of an owner's target. */
  readonly changed: (owner: string) => void;
}

interface TargetWatch {
  readonly lease: InformerLease;
  readonly removeHandler: () => void;
  readonly isFollowing: boolean;
}

/** Name of a target's object in one version. */
export function targetKey({ reference }: Pick<HealthTarget, 'reference'>): string {
  const { apiVersion, kind, namespace, name } = reference;
  return `${apiVersion}#${kind}|${namespace}|${name}`;
}

/** Watches of targets, by owner. */
export class TargetWatches {
  readonly #options: TargetWatchesOptions;
  /** By owner and `targetKey`. */
  readonly #watches = new Map<string, Map<string, TargetWatch>>();

  constructor(options: TargetWatchesOptions) {
    this.#options = options;
  }

  /** Watches each of these targets for an owner, and none of its others. One that may not be watched is left out. */
  async watch(owner: string, targets: readonly HealthTarget[]): Promise<void> {
    const held = this.#watches.get(owner) ?? new Map<string, TargetWatch>();
    if (targets.length > 0) this.#watches.set(owner, held);
    for (const target of targets) {
      const key = targetKey(target);
      if (held.has(key)) continue;
      const watch = await this.#start(owner, target);
      // Who was forgotten meanwhile needs it no more.
      if (this.#watches.get(owner) !== held) return release(watch);
      if (watch !== undefined) held.set(key, watch);
    }
    const wanted = new Set(targets.map(targetKey));
    for (const [key, watch] of held) if (!wanted.has(key) && held.delete(key)) release(watch);
    if (held.size === 0) this.#watches.delete(owner);
  }

  /** What the watch of a target has; undefined when it is not watched. */
  informer(owner: string, target: Pick<HealthTarget, 'reference'>): Informer | undefined {
    const watch = this.#watches.get(owner)?.get(targetKey(target));
    return watch?.isFollowing === true ? watch.lease.informer : undefined;
  }

  /** Ends the watches of an owner. */
  forget(owner: string): void {
    for (const watch of this.#watches.get(owner)?.values() ?? []) release(watch);
    this.#watches.delete(owner);
  }

  async #start(owner: string, { reference }: HealthTarget): Promise<TargetWatch | undefined> {
    const { apiVersion, kind, namespace, name } = reference;
    const place = namespace === '' ? {} : { namespace };
    const request = { ...place, fieldSelector: `metadata.name=${name}` };
    const changed = (): void => this.#options.changed(owner);
    try {
      const lease = await this.#options.informers.acquire({ apiVersion, kind }, request);
      const isFollowed = await isFollowing(lease.informer);
      const removeHandler = lease.informer.addHandler({ add: changed, update: changed, delete: changed });
      return { lease, removeHandler, isFollowing: isFollowed };
    } catch (error) {
      this.#options.log.info('an object is not watched', { kind, name, error: errorMessage(error) });
      return undefined;
    }
  }
}

function release(watch: TargetWatch | undefined): void {
  watch?.removeHandler();
  watch?.lease.release();
}
