// Owns the DaemonSet controller: one pod on each node that fits.
import type { KubeObject } from '../object.ts';
import { scaledValue } from './deployments/arithmetic.ts';
import { type Key, ownKey, type StageContext, type StageController } from './loop.ts';
import { claimChildren, controllerReference, keyOfControllerOrSelectors } from './ownership.ts';
import {
  availableIn,
  byWorth,
  generateName,
  isActive,
  isFinished,
  isReady,
  nodeNameOf,
  podFromTemplate,
} from './pod-template.ts';
import { type ControllerRevision, ensureRevision, listRevisions, trimRevisions } from './revisions.ts';
import { matchesLabels } from './selector.ts';
import { writeStatus } from './status.ts';
import { type IntOrString, type LabelSelector, type Pod, type PodTemplate, RESOURCES } from './types.ts';

const COMPONENT = 'daemonset-controller';
const HASH_LABEL = 'controller-revision-hash';
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';

interface DaemonSet extends KubeObject {
  spec: {
    selector: LabelSelector;
    template: PodTemplate;
    updateStrategy?: { type?: string; rollingUpdate?: { maxUnavailable?: IntOrString } };
    minReadySeconds?: number;
    revisionHistoryLimit?: number;
  };
}

/** What a daemon's pod may stay beside: a node that is not well must still have its daemons. */
const TOLERATED = [
  ['node.kubernetes.io/not-ready', 'NoExecute'],
  ['node.kubernetes.io/unreachable', 'NoExecute'],
  ['node.kubernetes.io/disk-pressure', 'NoSchedule'],
  ['node.kubernetes.io/memory-pressure', 'NoSchedule'],
  ['node.kubernetes.io/pid-pressure', 'NoSchedule'],
  ['node.kubernetes.io/unschedulable', 'NoSchedule'],
] as const;

export const daemonSets: StageController = {
  name: 'daemonSets',
  watches: [
    { resource: RESOURCES.daemonSets, keys: ownKey },
    { resource: RESOURCES.pods, keys: keyOfControllerOrSelectors('DaemonSet', RESOURCES.daemonSets) },
    { resource: RESOURCES.nodes, keys: keysOfAll },
  ],
  reconcile({ namespace, name }, context) {
    const set = context.store.get(RESOURCES.daemonSets, namespace, name) as DaemonSet | undefined;
    if (set === undefined) return undefined;
    const pods = claimChildren<Pod>(context, RESOURCES.pods, set, set.spec.selector);
    if (set.metadata.deletionTimestamp !== undefined) return undefined;
    const revision = ensureRevision(context, set, set.spec.template, listRevisions(context, set), HASH_LABEL);
    const nodes = context.store
      .list(RESOURCES.nodes)
      .filter(({ metadata }) => matchesLabels(set.spec.template.spec.nodeSelector, metadata.labels))
      .map(({ metadata }) => metadata.name);
    const pass: Pass = { context, set, nodes, pods, hash: revision.metadata.labels?.[HASH_LABEL] ?? '' };
    managePods(pass);
    writeDaemonSetStatus(pass);
    forgetOld(pass, revision);
    return undefined;
  },
};

interface Pass {
  readonly context: StageContext;
  readonly set: DaemonSet;
  readonly nodes: readonly string[];
  readonly pods: readonly Pod[];
  readonly hash: string;
}

function keysOfAll(_node: KubeObject, { store }: StageContext): readonly Key[] {
  return store.list(RESOURCES.daemonSets).flatMap(ownKey);
}

function managePods(pass: Pass): void {
  const { set, nodes, pods, hash } = pass;
  for (const pod of pods) {
    if (!isActive(pod) && !isFinished(pod)) continue;
    if (isFinished(pod) || !nodes.includes(nodeNameOf(pod) ?? '')) deletePod(pass, pod);
  }
  const room = scaledValue(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, nodes.length, 'up');
  let unavailable = nodes.filter(
    (node) => !pods.some((pod) => nodeNameOf(pod) === node && isAvailable(pass, pod)),
  ).length;
  for (const node of nodes) {
    const here = pods.filter((pod) => nodeNameOf(pod) === node && isActive(pod)).sort(byWorth);
    for (const surplus of here.slice(0, -1)) deletePod(pass, surplus);
    const pod = here.at(-1);
    if (pod === undefined) {
      if (!pods.some((other) => nodeNameOf(other) === node)) createPod(pass, node);
    } else if (pod.metadata.labels?.[HASH_LABEL] !== hash && set.spec.updateStrategy?.type !== 'OnDelete') {
      if (isAvailable(pass, pod)) {
        if (unavailable >= Math.max(1, room)) continue;
        unavailable += 1;
      }
      deletePod(pass, pod);
    }
  }
}

function isAvailable({ context, set }: Pass, pod: Pod): boolean {
  return isActive(pod) && availableIn(pod, set.spec.minReadySeconds ?? 0, context.clock.now()) === 0;
}

function createPod(pass: Pass, node: string): void {
  const { context, set, hash } = pass;
  const base = `${set.metadata.name}-`;
  const generation = set.metadata.annotations?.[GENERATION_ANNOTATION] ?? '1';
  const pod = podFromTemplate(
    set.spec.template,
    set,
    controllerReference(set),
    { name: generateName(base), generateName: base },
    { labels: { [HASH_LABEL]: hash, 'pod-template-generation': generation } },
  );
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }];
  pod.spec['affinity'] = {
    ...(pod.spec['affinity'] as object | undefined),
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } },
  };
  const given = pod.spec.tolerations ?? [];
  const added = TOLERATED.filter(
    ([key, effect]) => !given.some((own) => own['key'] === key && own['effect'] === effect),
  );
  pod.spec.tolerations = [...given, ...added.map(([key, effect]) => ({ effect, key, operator: 'Exists' }))];
  const created = context.store.create(RESOURCES.pods, pod);
  context.events.record(COMPONENT, set, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
}

function deletePod({ context, set }: Pass, pod: Pod): void {
  context.store.delete(RESOURCES.pods, pod.metadata.namespace ?? '', pod.metadata.name);
  context.events.record(COMPONENT, set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
}

function writeDaemonSetStatus(pass: Pass): void {
  const { context, set, nodes, pods, hash } = pass;
  const active = pods.filter(isActive);
  const count = (fits: (pod: Pod) => boolean) =>
    nodes.filter((node) => active.some((pod) => nodeNameOf(pod) === node && fits(pod))).length;
  const available = count((pod) => isAvailable(pass, pod));
  const positive = (value: number) => (value > 0 ? value : undefined);
  writeStatus(context, RESOURCES.daemonSets, set, {
    currentNumberScheduled: count(() => true),
    numberMisscheduled: active.filter((pod) => !nodes.includes(nodeNameOf(pod) ?? '')).length,
    desiredNumberScheduled: nodes.length,
    numberReady: count(isReady),
    observedGeneration: set.metadata.generation ?? 0,
    updatedNumberScheduled: positive(count((pod) => pod.metadata.labels?.[HASH_LABEL] === hash)),
    numberAvailable: positive(available),
    numberUnavailable: positive(nodes.length - available),
  });
}

function forgetOld({ context, set, pods }: Pass, newest: ControllerRevision): void {
  const known = listRevisions(context, set);
  const usedHashes = new Set(pods.map(({ metadata }) => metadata.labels?.[HASH_LABEL]));
  const used = known.filter(({ metadata }) => usedHashes.has(metadata.labels?.[HASH_LABEL]));
  const names = new Set([newest, ...used].map(({ metadata }) => metadata.name));
  trimRevisions(context, known, names, set.spec.revisionHistoryLimit ?? 10);
}
