// Owns the Deployment controller: revisions of the pod template as ReplicaSets, and the steps from one to the next.
// Counts and words are in arithmetic.ts and status.ts.
import { equalJson } from '../../object.ts';
import { type Key, ownKey, type StageContext, type StageController } from '../loop.ts';
import { claimChildren, controllerReference, isControlledBy, keyOfControllerOrSelectors } from '../ownership.ts';
import { hashTemplate, isSameTemplate, POD_TEMPLATE_HASH, withoutHash } from '../pod-template.ts';
import { findCondition, writeStatus } from '../status.ts';
import { type Deployment, type DeploymentStatus, type Pod, RESOURCES, type ReplicaSet } from '../types.ts';
import { annotationsOfNew, desiredWhenScaled, REVISION, revisionOf, withSizes } from './annotations.ts';
import {
  availableReplicas,
  byAge,
  isRollingUpdate,
  maxSurge,
  maxUnavailable,
  nextSizeOfNew,
  proportionalSizes,
  wantedReplicas,
} from './arithmetic.ts';
import {
  countReplicas,
  hasProgressDeadline,
  isComplete,
  progressCheckIn,
  rolloutStatus,
  withCondition,
} from './status.ts';

const COMPONENT = 'deployment-controller';
const KEEP_ALL = 2_147_483_647;

export const deployments: StageController = {
  name: 'deployments',
  watches: [
    { resource: RESOURCES.deployments, keys: ownKey },
    { resource: RESOURCES.replicaSets, keys: keyOfControllerOrSelectors('Deployment', RESOURCES.deployments) },
    { resource: RESOURCES.pods, keys: keysOfRecreating },
  ],
  reconcile({ namespace, name }, context) {
    const live = context.store.get(RESOURCES.deployments, namespace, name) as Deployment | undefined;
    if (live === undefined) return undefined;
    return new Rollout(context, live).run();
  },
};

// Only a Deployment that recreates waits for single pods to be gone.
function keysOfRecreating(pod: { metadata: Pod['metadata'] }, { store }: StageContext): readonly Key[] {
  const owner = pod.metadata.ownerReferences?.find(({ kind, controller }) => kind === 'ReplicaSet' && controller);
  const namespace = pod.metadata.namespace ?? '';
  const set = owner && store.get(RESOURCES.replicaSets, namespace, owner.name);
  const parent = set?.metadata.ownerReferences?.find(({ kind, controller }) => kind === 'Deployment' && controller);
  const deployment = parent && (store.get(RESOURCES.deployments, namespace, parent.name) as Deployment | undefined);
  if (deployment === undefined || isRollingUpdate(deployment)) return [];
  return [{ namespace, name: deployment.metadata.name }];
}

/** One pass over one Deployment. Holds what the pass has read and written so far. */
class Rollout {
  readonly #context: StageContext;
  #deployment: Deployment;
  #sets: ReplicaSet[] = [];

  constructor(context: StageContext, deployment: Deployment) {
    this.#context = context;
    this.#deployment = deployment;
  }

  run(): number | undefined {
    const { spec, metadata } = this.#deployment;
    this.#sets = claimChildren<ReplicaSet>(this.#context, RESOURCES.replicaSets, this.#deployment, spec.selector).sort(
      byAge,
    );
    if (metadata.deletionTimestamp !== undefined) {
      this.#writeStatus(countReplicas(this.#deployment, this.#sets, this.#newSet(), this.#now()));
      return undefined;
    }
    this.#notePause();
    this.#syncRevision();
    if (spec.paused === true || this.#wasScaled()) this.#scale();
    else if (isRollingUpdate(this.#deployment)) this.#roll();
    else this.#recreate();
    return progressCheckIn(this.#deployment, this.#now());
  }

  #now(): number {
    return this.#context.clock.now();
  }

  #newSet(): ReplicaSet | undefined {
    return this.#sets.find((set) => isSameTemplate(set.spec.template, this.#deployment.spec.template));
  }

  #oldSets(): ReplicaSet[] {
    const newSet = this.#newSet();
    return this.#sets.filter((set) => set !== newSet);
  }

  #writeStatus(status: DeploymentStatus): void {
    this.#deployment = writeStatus(this.#context, RESOURCES.deployments, this.#deployment, status);
  }

  #setProgressing(value: 'True' | 'False' | 'Unknown', reason: string, message: string): void {
    if (!hasProgressDeadline(this.#deployment)) return;
    const status = this.#deployment.status ?? {};
    this.#writeStatus(withCondition(status, this.#now(), 'Progressing', value, reason, message));
  }

  #record(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.events.record(COMPONENT, this.#deployment, type, reason, message);
  }

  /** A paused rollout makes no progress, which must not count against its deadline. */
  #notePause(): void {
    const condition = findCondition(this.#deployment.status?.conditions, 'Progressing');
    if (condition?.reason === 'ProgressDeadlineExceeded') return;
    const noted = condition?.reason === 'DeploymentPaused';
    const paused = this.#deployment.spec.paused === true;
    if (paused && !noted) this.#setProgressing('Unknown', 'DeploymentPaused', 'Deployment is paused');
    if (!paused && noted) this.#setProgressing('Unknown', 'DeploymentResumed', 'Deployment is resumed');
  }

  /** Gives the new ReplicaSet the highest revision, and the Deployment the same. */
  #syncRevision(): void {
    const existing = this.#newSet();
    if (existing === undefined) return;
    const revision = Math.max(0, ...this.#oldSets().map(revisionOf)) + 1;
    const before = existing.metadata.annotations ?? {};
    const annotations = annotationsOfNew(this.#deployment, before, revision);
    const minReadySeconds = this.#deployment.spec.minReadySeconds ?? 0;
    if (!equalJson(before, annotations) || (existing.spec.minReadySeconds ?? 0) !== minReadySeconds) {
      this.#updateSet({
        ...existing,
        metadata: { ...existing.metadata, annotations },
        spec: { ...existing.spec, minReadySeconds },
      });
    }
    this.#noteRevision(annotations[REVISION]);
    if (findCondition(this.#deployment.status?.conditions, 'Progressing') === undefined) {
      this.#setProgressing('True', 'FoundNewReplicaSet', `Found new replica set "${existing.metadata.name}"`);
    }
  }

  // The real controller writes the annotation through the status, which is where managedFields then shows it. A server
  // that keeps metadata out of status writes takes it the plain way.
  #noteRevision(revision: string | undefined): void {
    const annotations = this.#deployment.metadata.annotations ?? {};
    if (revision === undefined || annotations[REVISION] === revision) return;
    const metadata = { ...this.#deployment.metadata, annotations: { ...annotations, [REVISION]: revision } };
    const { store } = this.#context;
    const changed = { ...this.#deployment, metadata };
    const stored = store.update(RESOURCES.deployments, changed, { subresource: 'status' });
    const isKept = stored.metadata.annotations?.[REVISION] === revision;
    this.#deployment = (isKept ? stored : store.update(RESOURCES.deployments, changed)) as Deployment;
  }

  #updateSet(changed: ReplicaSet): void {
    const stored = this.#context.store.update(RESOURCES.replicaSets, changed) as ReplicaSet;
    this.#sets = this.#sets.map((set) => (set.metadata.uid === stored.metadata.uid ? stored : set));
  }

  /** The new ReplicaSet, made when there is none. Undefined when another one has its name: then the hash changes. */
  #ensureNewSet(): ReplicaSet | undefined {
    const existing = this.#newSet();
    if (existing !== undefined) return existing;
    const { metadata, spec, status } = this.#deployment;
    const hash = hashTemplate(withoutHash(spec.template), status?.collisionCount);
    const name = `${metadata.name}-${hash}`;
    if (this.#context.store.get(RESOURCES.replicaSets, metadata.namespace ?? '', name) !== undefined) {
      this.#writeStatus({ ...status, collisionCount: (status?.collisionCount ?? 0) + 1 });
      return undefined;
    }
    const revision = Math.max(0, ...this.#sets.map(revisionOf)) + 1;
    const replicas = nextSizeOfNew(this.#deployment, this.#sets, 0);
    const created = this.#createSet(name, hash, replicas, revision);
    if (replicas > 0)
      this.#record('Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicas}`);
    this.#noteRevision(String(revision));
    this.#setProgressing('True', 'NewReplicaSetCreated', `Created new replica set "${name}"`);
    return created;
  }

  #createSet(name: string, hash: string, replicas: number, revision: number): ReplicaSet {
    const { metadata, spec } = this.#deployment;
    const labels = { ...spec.template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
    const annotations = annotationsOfNew(this.#deployment, {}, revision);
    const set: ReplicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name,
        namespace: metadata.namespace ?? '',
        labels,
        annotations: withSizes(annotations, spec.replicas, spec.replicas + maxSurge(this.#deployment)),
        ownerReferences: [controllerReference(this.#deployment)],
      },
      spec: {
        replicas,
        ...(spec.minReadySeconds ? { minReadySeconds: spec.minReadySeconds } : {}),
        selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [POD_TEMPLATE_HASH]: hash } },
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
      },
    };
    try {
      const created = this.#context.store.create(RESOURCES.replicaSets, set) as ReplicaSet;
      this.#sets = [...this.#sets, created];
      return created;
    } catch (error) {
      const message = `Failed to create new replica set "${name}": ${error instanceof Error ? error.message : error}`;
      this.#setProgressing('False', 'ReplicaSetCreateError', message);
      this.#record('Warning', 'ReplicaSetCreateError', message);
      throw error;
    }
  }

  /** True when `spec.replicas` is another than when the active ReplicaSets were last scaled. */
  #wasScaled(): boolean {
    return this.#sets.some((set) => {
      const desired = set.spec.replicas > 0 ? desiredWhenScaled(set) : undefined;
      return desired !== undefined && desired !== this.#deployment.spec.replicas;
    });
  }

  #resize(set: ReplicaSet, replicas: number, always = false): boolean {
    const wanted = this.#deployment.spec.replicas;
    const before = set.spec.replicas;
    if (!always && before === replicas) return false;
    const annotations = withSizes(set.metadata.annotations ?? {}, wanted, wanted + maxSurge(this.#deployment));
    if (before === replicas && equalJson(annotations, set.metadata.annotations)) return false;
    this.#updateSet({ ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } });
    if (before === replicas) return false;
    const direction = before < replicas ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`;
    this.#record('Normal', 'ScalingReplicaSet', message);
    return true;
  }

  /** Scales without rolling on: while paused, or when `spec.replicas` was changed. */
  #scale(): void {
    this.#scaleSets();
    if (this.#deployment.spec.paused === true) this.#forgetOld();
    this.#writeStatus(countReplicas(this.#deployment, this.#sets, this.#newSet(), this.#now()));
  }

  #scaleSets(): void {
    const active = this.#sets.filter(({ spec }) => spec.replicas > 0);
    const wanted = this.#deployment.spec.replicas;
    if (active.length <= 1) {
      const target = active[0] ?? this.#newSet() ?? this.#sets.at(-1);
      if (target !== undefined) this.#resize(target, wanted);
      return;
    }
    const newSet = this.#newSet();
    if (newSet !== undefined && this.#isSaturated(newSet)) {
      for (const set of active) if (set !== newSet) this.#resize(set, 0);
    } else if (isRollingUpdate(this.#deployment)) {
      for (const [set, replicas] of proportionalSizes(this.#deployment, active)) this.#resize(set, replicas, true);
    }
  }

  #isSaturated(set: ReplicaSet): boolean {
    const wanted = this.#deployment.spec.replicas;
    return (
      set.spec.replicas === wanted && desiredWhenScaled(set) === wanted && set.status?.availableReplicas === wanted
    );
  }

  /** One step of a rolling update: the new ReplicaSet up as far as the surge allows, or else old ones down. */
  #roll(): void {
    if (this.#ensureNewSet() === undefined) return;
    const scaled = this.#scaleUpNew() || this.#scaleDownOld();
    if (!scaled && isComplete(this.#deployment, this.#deployment.status ?? {})) this.#forgetOld();
    this.#writeStatus(rolloutStatus(this.#deployment, this.#sets, this.#newSet(), this.#now()));
  }

  #scaleUpNew(): boolean {
    const newSet = this.#newSet();
    if (newSet === undefined) return false;
    const wanted = this.#deployment.spec.replicas;
    const size = newSet.spec.replicas;
    if (size === wanted) return false;
    return this.#resize(newSet, size > wanted ? wanted : nextSizeOfNew(this.#deployment, this.#oldSets(), size));
  }

  /** Takes away pods that are not available first: they help nobody and may block the rollout. */
  #scaleDownOld(): boolean {
    const newSet = this.#newSet();
    if (newSet === undefined || wantedReplicas(this.#oldSets()) === 0) return false;
    const minAvailable = this.#deployment.spec.replicas - maxUnavailable(this.#deployment);
    const newUnavailable = newSet.spec.replicas - (newSet.status?.availableReplicas ?? 0);
    const spare = wantedReplicas(this.#sets) - minAvailable - newUnavailable;
    if (spare <= 0) return false;
    const cleaned = this.#shrinkOld(spare, ({ spec, status }) => spec.replicas - (status?.availableReplicas ?? 0));
    const surplus = availableReplicas(this.#sets) - minAvailable;
    const shrunk = surplus > 0 ? this.#shrinkOld(surplus, ({ spec }) => spec.replicas) : 0;
    return cleaned + shrunk > 0;
  }

  #shrinkOld(limit: number, most: (set: ReplicaSet) => number): number {
    let taken = 0;
    for (const set of this.#oldSets()) {
      const step = Math.min(limit - taken, set.spec.replicas, most(set));
      if (step <= 0) continue;
      this.#resize(set, set.spec.replicas - step);
      taken += step;
    }
    return taken;
  }

  /** Recreate: all old pods go, and are gone, before the first new one is made. */
  #recreate(): void {
    let scaled = false;
    for (const set of this.#oldSets()) scaled = this.#resize(set, 0) || scaled;
    if (!scaled && !this.#hasOldPods()) {
      const newSet = this.#ensureNewSet();
      if (newSet === undefined) return;
      this.#resize(newSet, this.#deployment.spec.replicas);
      if (isComplete(this.#deployment, this.#deployment.status ?? {})) this.#forgetOld();
    }
    this.#writeStatus(rolloutStatus(this.#deployment, this.#sets, this.#newSet(), this.#now()));
  }

  #hasOldPods(): boolean {
    const namespace = this.#deployment.metadata.namespace ?? '';
    const pods = this.#context.store.list(RESOURCES.pods, { namespace }) as readonly Pod[];
    return this.#oldSets().some((set) =>
      pods.some(
        (pod) => isControlledBy(pod, set) && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed',
      ),
    );
  }

  /** Removes old ReplicaSets beyond the history limit, the lowest revisions first. */
  #forgetOld(): void {
    const limit = this.#deployment.spec.revisionHistoryLimit;
    if (limit === undefined || limit === KEEP_ALL) return;
    const old = this.#oldSets().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const surplus = old
      .sort((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b))
      .slice(0, Math.max(0, old.length - limit));
    for (const set of surplus) {
      const { status, spec, metadata } = set;
      const isSettled = (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
      if ((status?.replicas ?? 0) !== 0 || spec.replicas !== 0 || !isSettled) continue;
      this.#context.store.delete(RESOURCES.replicaSets, metadata.namespace ?? '', metadata.name);
      this.#sets = this.#sets.filter((other) => other !== set);
    }
  }
}
