// Owns following applied objects: which of them have drifted, and how the ones that are waited for are (lockstep.md §2,
// §3). What counts as drift is plan/drift.ts; putting it back is act.ts.
import type { ObjectReference as LiveReference } from '../../api/meta/object.ts';
import { asManifest } from '../../apply/dry-run.ts';
import type { Informers } from '../../cluster/informers.ts';
import { isFinished, isShortLived } from '../../health/kinds/pods.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { isAbridged } from '../../objects/abridge.ts';
import {
  groupOf,
  identityKey,
  type Manifest,
  type ObjectReference,
  referenceOf,
  toApiVersion,
} from '../../objects/manifest.ts';
import { type AppliedMark, appliedAgain, type Drift, findDrift } from '../../plan/drift.ts';
import type { TakenManager } from '../../plan/take-over.ts';
import { KindWatches, kindKey } from './kind-watches.ts';
import { TargetWatches, targetKey } from './target-watches.ts';
import type { HealthTarget, ObservedDrift } from './types.ts';

/** An applied object that is watched for drift. */
export interface FollowedObject {
  readonly reference: ObjectReference;
  readonly mark: AppliedMark;
  /** `metadata.resourceVersion` that the mark was made of: neither it nor older states are drift. */
  readonly resourceVersion: string;
}

export interface AppliedObjectsOptions {
  readonly informers: Informers;
  readonly manager: string;
  readonly takenManagers: readonly TakenManager[];
  /** Selects what is watched: objects that carry their owner's label. */
  readonly labelSelector: string;
  /** All objects that are waited for carry the label: their kinds are watched, and none of them alone. @default false */
  readonly watchesTargets?: boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** Brings a Kustomization's key back into its queue. */
  readonly enqueue: (key: string, trigger: string) => void;
}

/** What the cache knows of an object; undefined for one that is not there. `unknown`: it is not watched (yet). */
export type CachedObject =
  | { readonly state: 'known'; readonly object: Manifest | undefined }
  | { readonly state: 'unknown' };

interface Followed extends FollowedObject {
  readonly owner: string;
}

/** A cache that was just created may lag behind the answer of a write by this much, in ms. */
const CACHE_LAG_MS = 2_000;

/**
 * How long a write that got no answer may still arrive, in ms: after a minute the API server gives requests up
 * (`--request-timeout`), and so do we.
 */
const LATE_WRITE_MS = 60_000;

/** Follows the applied objects of all Kustomizations of one API server. */
export class AppliedObjects {
  readonly #options: AppliedObjectsOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #byOwner = new Map<string, Set<string>>();
  readonly #drifted = new Map<string, Map<string, Drift>>();
  /** Owners whose pass is writing: until there are new marks nothing in our own name is drift. */
  readonly #writing = new Set<string>();
  /** Identities of objects with a write that may still arrive, and until when it may arrive, in ms of the monotonic clock. */
  readonly #doubted = new Map<string, number>();
  /** Targets of each owner, and the owners that wait for each target: events come by target, and many. */
  readonly #targets = new Map<string, ReadonlySet<string>>();
  readonly #waiting = new Map<string, Set<string>>();
  readonly #kinds: KindWatches;
  /** Objects that are waited for and were not applied. */
  readonly #foreign: TargetWatches;

  constructor(options: AppliedObjectsOptions) {
    this.#options = options;
    const { informers, labelSelector, log } = options;
    this.#kinds = new KindWatches({
      informers,
      labelSelector,
      log,
      seen: (object) => this.#seen(object),
      gone: (object) => this.#gone(object),
    });
    this.#foreign = new TargetWatches({ informers, log, changed: (owner) => options.enqueue(owner, 'health') });
  }

  /**
   * Replaces what is followed for a Kustomization. Drift seen before is forgotten: the marks are newer. Each change of
   * a target brings the key back too.
   */
  async follow(owner: string, objects: readonly FollowedObject[], targets: readonly HealthTarget[]): Promise<void> {
    const keys = new Set(objects.map((object) => identityKey(object.reference)));
    for (const key of this.#byOwner.get(owner) ?? []) {
      if (!keys.has(key) && this.#followed.get(key)?.owner === owner) this.#followed.delete(key);
    }
    this.#byOwner.set(owner, keys);
    this.#drifted.delete(owner);
    this.#writing.delete(owner);
    for (const object of objects) this.#followed.set(identityKey(object.reference), { ...object, owner });
    const kinds = new Set(
      objects.map((object) =>
        kindKey(toApiVersion(object.reference.group, object.reference.version), object.reference.kind),
      ),
    );
    if (this.#options.watchesTargets === true) {
      for (const { reference } of targets) kinds.add(kindKey(reference.apiVersion, reference.kind));
    }
    this.#setTargets(owner, new Set(targets.map((target) => targetKey(target))));
    await this.#kinds.watch(owner, kinds);
    await this.#foreign.watch(
      owner,
      this.#options.watchesTargets === true ? [] : targets.filter((target) => !keys.has(identityOf(target))),
    );
    for (const object of objects) this.#recheck(identityKey(object.reference));
  }

  /** New marks for some of the objects of a Kustomization, after they were put back. */
  update(owner: string, objects: readonly FollowedObject[]): void {
    this.#writing.delete(owner);
    for (const object of objects) {
      const key = identityKey(object.reference);
      this.#followed.set(key, { ...object, owner });
      this.#drifted.get(owner)?.delete(key);
      this.#recheck(key);
    }
  }

  /** Runs what writes objects of a Kustomization, up to `follow` or `update`: what is seen of it is no drift. */
  async writing<T>(owner: string, write: () => Promise<T>): Promise<T> {
    this.#writing.add(owner);
    try {
      return await write();
    } finally {
      this.#writing.delete(owner);
    }
  }

  /** A write of an object may arrive late, and undo what is written after it. */
  doubt(reference: ObjectReference): void {
    const now = this.#options.clock.monotonic();
    for (const [key, until] of this.#doubted) if (until <= now) this.#doubted.delete(key);
    this.#doubted.set(identityKey(reference), now + LATE_WRITE_MS);
  }

  /** Objects that have drifted since they were followed. */
  drifted(owner: string): readonly ObservedDrift[] {
    return [...(this.#drifted.get(owner) ?? [])].map(([key, drift]) => ({ key, drift }));
  }

  /** Identities of followed objects that are not watched: their kind cannot be, or they lost the label on the way. */
  unwatched(owner: string): readonly string[] {
    return [...(this.#byOwner.get(owner) ?? [])].filter((key) => {
      const followed = this.#followed.get(key);
      if (followed === undefined) return false;
      const { group, version, kind } = followed.reference;
      return !this.#isLabelled(followed) || this.#kinds.isUnwatched(owner, kindKey(toApiVersion(group, version), kind));
    });
  }

  /** The object of a target as the watches of its Kustomization have it; whole, or as far as health needs it. */
  async lookup(owner: string, target: HealthTarget, whole = false): Promise<CachedObject> {
    const { apiVersion, kind, namespace, name } = target.reference;
    const foreign = this.#foreign.informer(owner, target);
    if (foreign !== undefined) {
      const live = foreign.get(namespace, name);
      return { state: 'known', object: live === undefined ? undefined : asManifest(live) };
    }
    if (whole && isAbridged(kind)) return { state: 'unknown' };
    const informer = await this.#kinds.informer(kindKey(apiVersion, kind));
    if (informer === undefined || !informer.synced) return { state: 'unknown' };
    const found = informer.get(namespace, name);
    // Only objects with an owner are watched: one that is not in the cache may be there without.
    return found === undefined ? { state: 'unknown' } : { state: 'known', object: asManifest(found) };
  }

  /** The live object of a manifest in its short form, as the watch of its kind has it; undefined when it has none. */
  live(desired: Manifest): Promise<Manifest | undefined> {
    const { kind, namespace, name } = referenceOf(desired);
    return this.find({ apiVersion: desired.apiVersion, kind, name, ...(namespace === '' ? {} : { namespace }) });
  }

  /** The same by reference. */
  async find({ apiVersion, kind, namespace, name }: LiveReference): Promise<Manifest | undefined> {
    const informer = await this.#kinds.informer(kindKey(apiVersion, kind));
    if (informer === undefined || !informer.synced) return undefined;
    const found = informer.get(namespace, name);
    return found === undefined ? undefined : asManifest(found);
  }

  /** True when a change of the target's object is seen by watching. */
  isWatched(owner: string, { reference }: HealthTarget): boolean {
    const target = { id: '', reference };
    if (this.#foreign.informer(owner, target) !== undefined) return true;
    const { apiVersion, kind } = reference;
    const followed = this.#followed.get(identityOf(target));
    if (followed === undefined || !this.#isLabelled(followed)) return false;
    return !this.#kinds.isUnwatched(owner, kindKey(apiVersion, kind));
  }

  /** Drops everything that is kept for a Kustomization. */
  forget(owner: string): void {
    for (const key of this.#byOwner.get(owner) ?? []) {
      if (this.#followed.get(key)?.owner === owner) this.#followed.delete(key);
    }
    this.#byOwner.delete(owner);
    this.#drifted.delete(owner);
    this.#setTargets(owner, new Set());
    this.#foreign.forget(owner);
    this.#kinds.forget(owner);
  }

  /** True for objects that the watches of their kind show. */
  #isLabelled(followed: FollowedObject): boolean {
    return this.#options.watchesTargets === true || isSelected(followed);
  }

  #seen(object: Manifest): void {
    const key = identityKey(referenceOf(object));
    this.#notifyWaiting(object);
    const followed = this.#followed.get(key);
    if (followed === undefined || !isNewer(object, followed.resourceVersion)) return;
    const drift = this.#findDrift(key, followed, object);
    if (drift === undefined) this.#drifted.get(followed.owner)?.delete(key);
    else this.#note(followed.owner, key, drift);
  }

  #findDrift(key: string, { mark, owner }: Followed, object: Manifest): Drift | undefined {
    const { manager, takenManagers, clock } = this.#options;
    const drift = findDrift(mark, object, manager, takenManagers);
    if (drift !== undefined) return drift.because === 'applied again' && this.#writing.has(owner) ? undefined : drift;
    // The server's times are whole seconds: in the one of the mark a late write looks like the mark's own.
    const isDoubted = (this.#doubted.get(key) ?? 0) > clock.monotonic();
    return isDoubted && mark.watchFor === 'content' && !this.#writing.has(owner) ? appliedAgain(manager) : undefined;
  }

  #gone(object: Manifest): void {
    const key = identityKey(referenceOf(object));
    this.#notifyWaiting(object);
    const followed = this.#followed.get(key);
    if (isRunOut(object)) return;
    if (followed !== undefined && followed.mark.uid === object.metadata['uid']) {
      this.#note(followed.owner, key, { because: 'deleted', manager: '', fields: [] });
    }
  }

  #note(owner: string, key: string, drift: Drift): void {
    const drifts = this.#drifted.get(owner) ?? new Map<string, Drift>();
    drifts.set(key, drift);
    this.#drifted.set(owner, drifts);
    this.#options.enqueue(owner, 'drift');
  }

  #notifyWaiting(object: Manifest): void {
    const { group, version, kind, namespace, name } = referenceOf(object);
    const key = `${toApiVersion(group, version)}#${kind}|${namespace}|${name}`;
    for (const owner of this.#waiting.get(key) ?? []) this.#options.enqueue(owner, 'health');
  }

  #setTargets(owner: string, targets: ReadonlySet<string>): void {
    for (const target of this.#targets.get(owner) ?? []) {
      const owners = this.#waiting.get(target);
      owners?.delete(owner);
      if (owners?.size === 0) this.#waiting.delete(target);
    }
    if (targets.size === 0) this.#targets.delete(owner);
    else this.#targets.set(owner, targets);
    for (const target of targets) {
      const owners = this.#waiting.get(target);
      if (owners === undefined) this.#waiting.set(target, new Set([owner]));
      else owners.add(owner);
    }
  }

  /** Looks at what the cache has of an object now; one that is absent is looked at again after the cache's lag. */
  #recheck(key: string, isSecondLook = false): void {
    const followed = this.#followed.get(key);
    if (followed === undefined || !this.#isLabelled(followed)) return;
    const { reference } = followed;
    const kind = kindKey(toApiVersion(reference.group, reference.version), reference.kind);
    void this.#kinds.informer(kind).then((informer) => {
      if (informer === undefined || this.#followed.get(key) !== followed) return;
      const object = informer.synced ? informer.get(reference.namespace, reference.name) : undefined;
      if (object !== undefined) this.#seen(asManifest(object));
      // What the cache has while the server is away may be older than the apply.
      else if (!isSecondLook || (informer.synced && informer.error !== undefined)) {
        this.#options.clock.setTimer(CACHE_LAG_MS, () => this.#recheck(key, true));
      } else if (informer.synced) {
        this.#note(followed.owner, key, { because: 'deleted', manager: '', fields: [] });
      }
    });
  }
}

/** True for a Job that is removed because it has finished: made anew, it would run again, and again. */
function isRunOut(object: Manifest): boolean {
  return isShortLived(object) && isFinished(object);
}

/** Identity of a target's object. */
export function identityOf({ reference: { apiVersion, kind, namespace, name } }: HealthTarget): string {
  return identityKey({ group: groupOf(apiVersion), kind, namespace, name });
}

/** Watches select by the owner's label: an admission webhook that drops it takes the object out of them. */
function isSelected({ mark }: FollowedObject): boolean {
  return mark.ownerName !== '';
}

/**
 * True for a state after the one that a mark was made of; what that one has is no drift, or an apply that changes
 * nothing would be repeated without end. Compared as numbers, as Kubernetes allows since 1.35.
 */
function isNewer(object: Manifest, than: string): boolean {
  const version = object.metadata['resourceVersion'];
  if (typeof version !== 'string' || !/^\d+$/.test(version) || !/^\d+$/.test(than)) return version !== than;
  return BigInt(version) > BigInt(than);
}
