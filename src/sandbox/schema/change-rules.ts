// Owns what may change of built-in kinds that only their own code knows: pods, claims, jobs. Fields that
// never change are in kinds.ts. Source: pkg/apis/*/validation of Kubernetes 1.36. Pure.
import { equalJson, getKey, isRecord, type KubeObject, readPath } from '../object.ts';
import { type FieldFault, forbiddenFault, invalidFault } from '../rest/errors.ts';
import { specDiff } from './internal-types.ts';
import { nanosOf } from './quantity.ts';
import { serviceChanges } from './validation/services.ts';

type Body = Readonly<Record<string, unknown>>;
type ChangeCheck = (next: KubeObject, live: KubeObject) => FieldFault[];

const IMMUTABLE = 'field is immutable';

/** By `group/Kind`. */
const CHECKS: Readonly<Record<string, ChangeCheck>> = {
  '/Pod': podChanges,
  '/PersistentVolumeClaim': claimChanges,
  '/Service': serviceChanges,
  'batch/Job': jobChanges,
};

/** Faults of a change of the main resource. */
export function checkChange(kind: string, next: KubeObject, live: KubeObject): FieldFault[] {
  return Object.hasOwn(CHECKS, kind) ? CHECKS[kind]!(next, live) : [];
}

function specOf(object: KubeObject): Body {
  return isRecord(object['spec']) ? object['spec'] : {};
}

function listOf(spec: Body, field: string): readonly unknown[] {
  const value = getKey(spec, field);
  return Array.isArray(value) ? value : [];
}

/** The body without some of its fields. */
function without(body: Body, fields: readonly string[]): Body {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !fields.includes(key)));
}

/** The containers without what may change of each. */
function containersWithout(spec: Body, field: string): Body {
  const strip = (name: string) => listOf(spec, name).map((item) => (isRecord(item) ? without(item, [field]) : item));
  return { ...spec, containers: strip('containers'), initContainers: strip('initContainers') };
}

const POD_MESSAGE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function podChanges(next: KubeObject, live: KubeObject): FieldFault[] {
  const [now, before] = [specOf(next), specOf(live)];
  for (const field of ['containers', 'initContainers']) {
    if (listOf(now, field).length !== listOf(before, field).length)
      return [forbiddenFault(`spec.${field}`, 'pod updates may not add or remove containers')];
  }
  const deadline = deadlineFaults(now['activeDeadlineSeconds'], before['activeDeadlineSeconds']);
  if (deadline.length > 0) return deadline;
  const faults = [...tolerationFaults(now, before), ...gateFaults(now, before)];
  const mutable = ['activeDeadlineSeconds', 'tolerations', 'schedulingGates'];
  if (Number(before['terminationGracePeriodSeconds']) < 0 && now['terminationGracePeriodSeconds'] === 1) {
    mutable.push('terminationGracePeriodSeconds');
  }
  // Where a pod may run can be narrowed while nobody places it.
  if (listOf(before, 'schedulingGates').length > 0) mutable.push('nodeSelector', 'affinity');
  const fixed = (spec: Body): Body => without(containersWithout(spec, 'image'), mutable);
  if (equalJson(fixed(now), fixed(before))) return faults;
  const diff = specDiff('PodSpec', before, withFormer(withImages(now, before), before, mutable));
  return [...faults, forbiddenFault('spec', `${POD_MESSAGE}\n${diff}`)];
}

/** The body with some fields as they were. */
function withFormer(now: Body, before: Body, fields: readonly string[]): Body {
  const former = Object.fromEntries(Object.entries(before).filter(([key]) => fields.includes(key)));
  return { ...without(now, fields), ...former };
}

/** The containers, which are as many as they were, with the images that they had. */
function withImages(now: Body, before: Body): Body {
  const former = (name: string): readonly unknown[] =>
    listOf(now, name).map((item, i) => ({ ...(item as Body), image: readPath(listOf(before, name)[i], ['image']) }));
  const lists = ['containers', 'initContainers'].filter((name) => Array.isArray(now[name]));
  return { ...now, ...Object.fromEntries(lists.map((name) => [name, former(name)])) };
}

function deadlineFaults(now: unknown, before: unknown): FieldFault[] {
  const field = 'spec.activeDeadlineSeconds';
  if (before === undefined) return [];
  if (now === undefined) return [invalidFault(field, null, 'must not update from a positive integer to nil value')];
  if (Number(now) <= Number(before)) return [];
  return [invalidFault(field, now, 'must be less than or equal to previous value')];
}

function tolerationFaults(now: Body, before: Body): FieldFault[] {
  const timeless = (item: unknown): unknown => (isRecord(item) ? without(item, ['tolerationSeconds']) : item);
  const present = listOf(now, 'tolerations').map(timeless);
  const kept = listOf(before, 'tolerations').every((old) => present.some((item) => equalJson(item, timeless(old))));
  const why = 'existing toleration can not be modified except its tolerationSeconds';
  return kept ? [] : [forbiddenFault('spec.tolerations', why)];
}

function gateFaults(now: Body, before: Body): FieldFault[] {
  const known = listOf(before, 'schedulingGates').map((gate) => readPath(gate, ['name']));
  const faults: FieldFault[] = [];
  for (const [i, gate] of listOf(now, 'schedulingGates').entries()) {
    const name = readPath(gate, ['name']);
    if (known.includes(name)) continue;
    const why = `only deletion is allowed, but found new scheduling gate '${String(name)}'`;
    faults.push(forbiddenFault(`spec.schedulingGates[${i}].name`, why));
  }
  return faults;
}

/** Of a claim its volume and its class may be set once, and when bound its size and class of attributes may change. */
function claimChanges(next: KubeObject, live: KubeObject): FieldFault[] {
  const before = specOf(live);
  const isBound = readPath(live, ['status', 'phase']) === 'Bound';
  const mutable = [
    ...(before['volumeName'] ? [] : ['volumeName']),
    // A default class may be chosen later than the claim was made.
    ...(before['storageClassName'] === undefined ? ['storageClassName'] : []),
    ...(isBound ? ['volumeAttributesClassName'] : []),
  ];
  const faults: FieldFault[] = [];
  const request = ['spec', 'resources', 'requests', 'storage'];
  const now = isBound ? withSize(specOf(next), before) : specOf(next);
  if (!equalJson(without(now, mutable), without(before, mutable))) {
    const why =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    const diff = specDiff('PersistentVolumeClaimSpec', before, withFormer(now, before, mutable));
    faults.push(forbiddenFault('spec', `${why}\n${diff}`));
  }
  if (before['volumeMode'] !== now['volumeMode'])
    faults.push(invalidFault('volumeMode', now['volumeMode'] ?? null, IMMUTABLE));
  const size = (object: KubeObject, path: readonly string[]) => nanosOf(String(readPath(object, path) ?? 0));
  const isSmaller = size(next, request) < size(live, request);
  if (isSmaller && size(next, request) <= size(live, ['status', 'capacity', 'storage'])) {
    faults.push(forbiddenFault(request.join('.'), 'field can not be less than status.capacity'));
  }
  return faults;
}

/** The spec with the size of another; of a bound claim it may change. */
function withSize(spec: Body, { resources }: Body): Body {
  const storage = readPath(resources, ['requests', 'storage']);
  const given = isRecord(spec['resources']) ? spec['resources'] : {};
  const requests = isRecord(given['requests']) ? given['requests'] : {};
  return { ...spec, resources: { ...given, requests: { ...requests, storage } } };
}

/** Where pods of a Job run may change until it starts, and what they ask for while it is suspended. */
function jobChanges(next: KubeObject, live: KubeObject): FieldFault[] {
  const [now, before] = [specOf(next), specOf(live)];
  const faults: FieldFault[] = [];
  if (!equalJson(now['completions'], before['completions'])) {
    if (now['completionMode'] !== 'Indexed') {
      faults.push(invalidFault('spec.completions', now['completions'] ?? null, IMMUTABLE));
    } else if (now['completions'] !== undefined && !equalJson(now['completions'], now['parallelism'])) {
      const why = 'can only be modified in tandem with spec.parallelism';
      faults.push(invalidFault('spec.completions', now['completions'], why));
    }
  }
  const suspended = before['suspend'] === true;
  const waits = suspended && readPath(live, ['status', 'startTime']) === undefined;
  const [template, former] = [fixedTemplate(now, suspended, waits), fixedTemplate(before, suspended, waits)];
  if (!suspended && !equalJson(template, former)) {
    faults.push(invalidFault('spec.template', now['template'], IMMUTABLE));
  } else if (!equalJson(template['spec'], former['spec'])) {
    faults.push(invalidFault('spec.template.spec', template['spec'], IMMUTABLE));
  }
  return faults;
}

function fixedTemplate(spec: Body, suspended: boolean, waits: boolean): Body {
  const template = isRecord(spec['template']) ? spec['template'] : {};
  const pod = isRecord(template['spec']) ? template['spec'] : {};
  const fixed = suspended ? containersWithout(pod, 'resources') : pod;
  return {
    ...template,
    spec: waits ? without(fixed, ['nodeSelector', 'tolerations', 'affinity', 'schedulingGates']) : fixed,
  };
}
