// Owns the StatefulSet controller: pods with a number and a volume of their own, made, updated and removed in order.
import type { KubeObject } from '../object.ts';
import { type ClaimRetention, retainClaims } from './claim-retention.ts';
import { ownKey, type StageContext, type StageController } from './loop.ts';
import { claimChildren, controllerReference, keyOfControllerOrSelectors } from './ownership.ts';
import { availableIn, isFinished, isReady, podFromTemplate } from './pod-template.ts';
import { type ControllerRevision, ensureRevision, listRevisions, templateOf, trimRevisions } from './revisions.ts';
import { writeStatus } from './status.ts';
import { type LabelSelector, type Pod, type PodTemplate, RESOURCES } from './types.ts';

const COMPONENT = 'statefulset-controller';
const REVISION_LABEL = 'controller-revision-hash';
const HASH_LABEL = 'controller.kubernetes.io/hash';

interface StatefulSet extends KubeObject {
  spec: {
    replicas: number;
    serviceName?: string;
    selector: LabelSelector;
    template: PodTemplate;
    volumeClaimTemplates?: readonly { metadata: { name: string; [field: string]: unknown }; spec: object }[];
    podManagementPolicy?: string;
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
    revisionHistoryLimit?: number;
    minReadySeconds?: number;
    ordinals?: { start?: number };
    persistentVolumeClaimRetentionPolicy?: ClaimRetention;
  };
  status?: { currentRevision?: string; currentReplicas?: number; collisionCount?: number };
}

export const statefulSets: StageController = {
  name: 'statefulSets',
  watches: [
    { resource: RESOURCES.statefulSets, keys: ownKey },
    { resource: RESOURCES.pods, keys: keyOfControllerOrSelectors('StatefulSet', RESOURCES.statefulSets) },
  ],
  reconcile({ namespace, name }, context) {
    const set = context.store.get(RESOURCES.statefulSets, namespace, name) as StatefulSet | undefined;
    if (set === undefined) return undefined;
    const pods = claimChildren<Pod>(context, RESOURCES.pods, set, set.spec.selector).filter(
      (pod) => ordinalOf(pod) >= 0,
    );
    const known = listRevisions(context, set);
    const update = ensureRevision(context, set, set.spec.template, known, HASH_LABEL);
    const current = known.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
    const pass: Pass = { context, set, pods: new Map(pods.map((pod) => [ordinalOf(pod), pod])), current, update };
    if (set.metadata.deletionTimestamp === undefined) takeStep(pass);
    writeStatefulSetStatus(pass);
    const used = new Set([current, update].map(({ metadata }) => metadata.name));
    for (const pod of pods) used.add(revisionOf(pod));
    trimRevisions(context, listRevisions(context, set), used, set.spec.revisionHistoryLimit ?? 10);
    return nextAvailability(pass);
  },
};

interface Pass {
  readonly context: StageContext;
  readonly set: StatefulSet;
  /** By ordinal, as of now: changed by what the pass does. */
  readonly pods: Map<number, Pod>;
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
}

function ordinalOf({ metadata }: Pod): number {
  const ordinal = /-(\d+)$/.exec(metadata.name)?.[1];
  return ordinal === undefined ? -1 : Number(ordinal);
}

function revisionOf({ metadata }: Pod): string {
  return metadata.labels?.[REVISION_LABEL] ?? '';
}

function isTerminating({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function isAvailable({ context, set }: Pass, pod: Pod): boolean {
  const wait = availableIn(pod, set.spec.minReadySeconds ?? 0, context.clock.now());
  return pod.status?.phase === 'Running' && wait === 0;
}

/** Claims of pods that are there, and of those that go: what the policy says of them, before any pod goes. */
function keepClaims(pass: Pass): void {
  const { context, set, pods } = pass;
  const { volumeClaimTemplates = [], persistentVolumeClaimRetentionPolicy: policy } = set.spec;
  if (policy === undefined || volumeClaimTemplates.length === 0) return;
  const wanted = new Set(wantedOrdinals(pass));
  for (const [ordinal, pod] of pods) {
    const claims = volumeClaimTemplates.map(({ metadata }) => claimName(metadata.name, set, ordinal));
    retainClaims(context, { set, pod, isSurplus: !wanted.has(ordinal), claims, policy });
  }
}

function claimName(template: string, { metadata }: StatefulSet, ordinal: number): string {
  return `${template}-${metadata.name}-${ordinal}`;
}

/** Ordinals that should be there, the lowest first. */
function wantedOrdinals({ set }: Pass): number[] {
  const start = set.spec.ordinals?.start ?? 0;
  return Array.from({ length: set.spec.replicas }, (_, i) => start + i);
}

/** Does what may be done now, and stops at the first pod that others have to wait for (unless they need not). */
function takeStep(pass: Pass): void {
  const inOrder = pass.set.spec.podManagementPolicy !== 'Parallel';
  keepClaims(pass);
  if (!ensurePods(pass, inOrder)) return;
  if (!removeSurplus(pass, inOrder)) return;
  if (pass.set.spec.updateStrategy?.type !== 'OnDelete') replaceOutdated(pass);
}

/** Returns whether every wanted pod is there, and available where the order matters. */
function ensurePods(pass: Pass, inOrder: boolean): boolean {
  let complete = true;
  for (const ordinal of wantedOrdinals(pass)) {
    const pod = pass.pods.get(ordinal);
    if (pod === undefined) createPod(pass, ordinal);
    else if (isFinished(pod)) {
      if (!isTerminating(pod)) deletePod(pass, pod);
    } else if (!inOrder || (!isTerminating(pod) && isAvailable(pass, pod))) continue;
    complete = false;
    if (inOrder) return false;
  }
  return complete;
}

/** Removes pods beyond the wanted ones, the highest first. Returns whether there are none left to wait for. */
function removeSurplus(pass: Pass, inOrder: boolean): boolean {
  const wanted = new Set(wantedOrdinals(pass));
  const surplus = [...pass.pods.values()].filter((pod) => !wanted.has(ordinalOf(pod)));
  surplus.sort((a, b) => ordinalOf(b) - ordinalOf(a));
  for (const pod of surplus) {
    if (!isTerminating(pod)) deletePod(pass, pod);
    if (inOrder) return false;
  }
  return surplus.length === 0;
}

/** Deletes the highest pod of another revision, after those above it are available again. */
function replaceOutdated(pass: Pass): void {
  const partition = pass.set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (const ordinal of wantedOrdinals(pass).slice(partition).reverse()) {
    const pod = pass.pods.get(ordinal);
    if (pod === undefined) return;
    if (revisionOf(pod) !== pass.update.metadata.name && !isTerminating(pod)) {
      deletePod(pass, pod);
      return;
    }
    if (!isAvailable(pass, pod)) return;
  }
}

function createPod(pass: Pass, ordinal: number): void {
  const { context, set } = pass;
  const revision = revisionFor(pass, ordinal);
  const name = `${set.metadata.name}-${ordinal}`;
  const pod = podFromTemplate(
    templateOf(revision),
    set,
    controllerReference(set),
    { name, generateName: `${set.metadata.name}-` },
    {
      labels: {
        'apps.kubernetes.io/pod-index': String(ordinal),
        [REVISION_LABEL]: revision.metadata.name,
        'statefulset.kubernetes.io/pod-name': name,
      },
    },
  );
  pod.spec.hostname = name;
  if (set.spec.serviceName !== undefined) pod.spec.subdomain = set.spec.serviceName;
  mountClaims(pass, pod, ordinal);
  pass.pods.set(ordinal, context.store.create(RESOURCES.pods, pod) as Pod);
  record(pass, 'SuccessfulCreate', `Create Pod ${name} in StatefulSet ${set.metadata.name} successful`);
}

/** Below the partition of a rolling update pods are made again as they were. */
function revisionFor({ set, current, update }: Pass, ordinal: number): ControllerRevision {
  const { updateStrategy, ordinals } = set.spec;
  if (updateStrategy?.type === 'OnDelete') return update;
  const keeps = updateStrategy?.rollingUpdate?.partition ?? 0;
  return ordinal < (ordinals?.start ?? 0) + keeps ? current : update;
}

function mountClaims(pass: Pass, pod: Pod, ordinal: number): void {
  const { context, set } = pass;
  const namespace = set.metadata.namespace ?? '';
  const mounted = (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => {
    const name = claimName(metadata.name, set, ordinal);
    if (context.store.get(RESOURCES.persistentVolumeClaims, namespace, name) === undefined) {
      const labels = { ...(metadata['labels'] as object | undefined), ...set.spec.selector.matchLabels };
      context.store.create(RESOURCES.persistentVolumeClaims, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name, namespace, labels },
        spec,
      });
      const where = `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
      record(pass, 'SuccessfulCreate', `Create Claim ${name} ${where} success`);
    }
    return { name: metadata.name, persistentVolumeClaim: { claimName: name } };
  });
  if (mounted.length === 0) return;
  const names = new Set(mounted.map(({ name }) => name));
  pod.spec.volumes = [...mounted, ...(pod.spec.volumes ?? []).filter(({ name }) => !names.has(name))];
}

function deletePod(pass: Pass, pod: Pod): void {
  const { context, set } = pass;
  context.store.delete(RESOURCES.pods, pod.metadata.namespace ?? '', pod.metadata.name);
  record(pass, 'SuccessfulDelete', `Delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`);
}

function record({ context, set }: Pass, reason: string, message: string): void {
  context.events.record(COMPONENT, set, 'Normal', reason, message);
}

function writeStatefulSetStatus(pass: Pass): void {
  const { context, set, update } = pass;
  const pods = [...pass.pods.values()];
  const count = (fits: (pod: Pod) => boolean) => pods.filter(fits).length;
  const positive = (value: number) => (value > 0 ? value : undefined);
  const isRunning = (pod: Pod) => pod.status?.phase === 'Running';
  const ofRevision = ({ metadata }: ControllerRevision) =>
    count((pod) => !isTerminating(pod) && revisionOf(pod) === metadata.name);
  const replicas = pods.length;
  const ready = count((pod) => isRunning(pod) && isReady(pod));
  const updated = ofRevision(update);
  const wanted = set.spec.replicas;
  const isDone =
    set.spec.updateStrategy?.type !== 'OnDelete' && updated === wanted && ready === wanted && replicas === wanted;
  const current = isDone ? update : pass.current;
  writeStatus(context, RESOURCES.statefulSets, set, {
    observedGeneration: set.metadata.generation ?? 0,
    replicas,
    readyReplicas: positive(ready),
    currentReplicas: positive(ofRevision(current)),
    updatedReplicas: positive(updated),
    currentRevision: current.metadata.name,
    updateRevision: update.metadata.name,
    collisionCount: set.status?.collisionCount ?? 0,
    availableReplicas: count((pod) => isAvailable(pass, pod)),
  });
}

function nextAvailability({ context, set, pods }: Pass): number | undefined {
  const waits = [...pods.values()]
    .map((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, context.clock.now()) ?? 0)
    .filter((wait) => wait > 0);
  return waits.length > 0 ? Math.min(...waits) : undefined;
}
