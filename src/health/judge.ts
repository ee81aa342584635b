// Owns the verdict on a live object: the rules common to all kinds, then the kind's own (flux.md §4.12).
// Custom expressions are expressions.ts; the words are verdict.ts.
import { isJsonObject, type JsonObject } from '../lib/json.ts';
import { groupOf, type Manifest } from '../objects/manifest.ts';
import { conditionOf, fieldAt } from './fields.ts';
import { judgeCustomResourceDefinition, judgePersistentVolumeClaim, judgeService } from './kinds/others.ts';
import { judgeJob, judgePod } from './kinds/pods.ts';
import { judgeDaemonSet, judgeDeployment, judgeReplicaSet, judgeStatefulSet } from './kinds/workloads.ts';
import { current, failed, inProgress, type Verdict } from './verdict.ts';

type Rule = (object: JsonObject, nowMs: number) => Verdict;

const always: Rule = () => current('Resource is always ready');

/** `group/Kind` → rule. A kind that is not here is judged by its Ready condition. */
const rules: ReadonlyMap<string, Rule> = new Map([
  ['apps/Deployment', judgeDeployment],
  ['apps/ReplicaSet', judgeReplicaSet],
  ['apps/StatefulSet', judgeStatefulSet],
  ['apps/DaemonSet', judgeDaemonSet],
  ['/Pod', judgePod],
  ['batch/Job', judgeJob],
  ['/PersistentVolumeClaim', judgePersistentVolumeClaim],
  ['/Service', judgeService],
  ['apiextensions.k8s.io/CustomResourceDefinition', judgeCustomResourceDefinition],
  ['/ConfigMap', always],
  ['/Secret', always],
  ['batch/CronJob', always],
  ['policy/PodDisruptionBudget', always],
]);

/**
 * The health of an object as kstatus and Flux see it; undefined stands for an object that is not there.
 * @param nowMs epoch milliseconds, for rules with a grace period
 */
export function judge(object: Manifest | undefined, nowMs: number): Verdict {
  if (object === undefined) return { status: 'NotFound', message: 'Resource not found' };
  return (
    judgeGeneric(object) ?? (rules.get(`${groupOf(object.apiVersion)}/${object.kind}`) ?? judgeByReady)(object, nowMs)
  );
}

function judgeGeneric(object: Manifest): Verdict | undefined {
  if (object.metadata['deletionTimestamp'] !== undefined) {
    return { status: 'Terminating', message: 'Resource scheduled for deletion' };
  }
  const stale = judgeGeneration(object);
  if (stale !== undefined) return stale;
  const reconciling = conditionOf(object, 'Reconciling');
  if (reconciling?.status === 'True') return inProgress(reconciling.message);
  const stalled = conditionOf(object, 'Stalled');
  if (stalled?.status === 'True') return failed(stalled.message);
  return undefined;
}

/** InProgress while the object's controller has not seen its latest generation; undefined when it has. */
export function judgeGeneration(object: Manifest): Verdict | undefined {
  const observed = fieldAt(object, 'status', 'observedGeneration');
  const generation = object.metadata['generation'];
  if (typeof observed !== 'number' || typeof generation !== 'number' || observed === generation) return undefined;
  return inProgress(`${object.kind} generation is ${generation}, but latest observed generation is ${observed}`);
}

function judgeByReady(object: JsonObject): Verdict {
  if (!isJsonObject(object['status'])) return current('Resource is current');
  const ready = conditionOf(object, 'Ready');
  if (ready === undefined || ready.status === 'True') return current(ready?.message || 'Resource is current');
  return inProgress(ready.message || 'Resource is not ready');
}
