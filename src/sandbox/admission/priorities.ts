// Owns the priorities of pods, which come from PriorityClasses, and the two classes that a new server has. Source:
// plugin/pkg/admission/priority of Kubernetes 1.36.
import type { AdmissionStep, Core } from '../core.ts';
import { ensureObject } from '../gc/namespaces.ts';
import { isRecord, type KubeObject } from '../object.ts';
import { forbidden } from '../rest/errors.ts';
import { SYSTEM_PRIORITIES } from '../schema/validation/settings.ts';

const GROUP = 'scheduling.k8s.io';
const PLURAL = 'priorityclasses';
const COLLECTION = `${GROUP}/${PLURAL}`;
const POD = { group: '', resource: 'pods' };

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  'system-cluster-critical':
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  'system-node-critical': 'Used for system critical pods that must not be moved from their current node.',
};

/** Makes the classes of a new server. */
export function ensurePriorityClasses(core: Core): void {
  for (const [name, value] of Object.entries(SYSTEM_PRIORITIES)) {
    const place = { group: GROUP, plural: PLURAL, namespace: '', name };
    ensureObject(core, place, { value, description: DESCRIPTIONS[name] }, 'kube-apiserver');
  }
}

/** A pod has the priority of its class, else of the class that is the default, else none. */
export const priorityStep: AdmissionStep = {
  kind: '/Pod',
  admit(core, write, object, live) {
    if (write.subresource !== '') return object;
    const spec = isRecord(object['spec']) ? object['spec'] : {};
    if (live !== undefined) return { ...object, spec: { ...former(live), ...spec } };
    const { name } = object.metadata;
    const found = classOf(core, name, spec['priorityClassName']);
    const priority = found?.['value'] ?? 0;
    const policy = found?.['preemptionPolicy'] ?? 'PreemptLowerPriority';
    const given = 'priority admission controller computed';
    const from = 'from the given PriorityClass name';
    if (spec['priority'] !== undefined && spec['priority'] !== priority) {
      const why = `the integer value of priority (${String(spec['priority'])}) must not be provided in pod spec`;
      throw forbidden(POD, name, `${why}; ${given} ${String(priority)} ${from}`);
    }
    if (spec['preemptionPolicy'] !== undefined && spec['preemptionPolicy'] !== policy) {
      const why = `the string value of PreemptionPolicy (${String(spec['preemptionPolicy'])}) must not be provided in pod spec`;
      throw forbidden(POD, name, `${why}; ${given} ${String(policy)} ${from}`);
    }
    const named = found === undefined ? {} : { priorityClassName: found.metadata.name };
    return { ...object, spec: { ...spec, ...named, priority, preemptionPolicy: policy } };
  },
};

/** What a change that does not say it leaves as it was. */
function former(live: KubeObject): Record<string, unknown> {
  const spec = isRecord(live['spec']) ? live['spec'] : {};
  const kept = ['priority', 'preemptionPolicy'].filter((field) => spec[field] !== undefined);
  return Object.fromEntries(kept.map((field) => [field, spec[field]]));
}

/** The class of a name, or the default one, of several the lowest. Throws ApiError 403 where there is no such class. */
function classOf(core: Core, pod: string, name: unknown): KubeObject | undefined {
  if (typeof name === 'string' && name !== '') {
    const found = core.storage.get(COLLECTION, name)?.object;
    if (found === undefined) throw forbidden(POD, pod, `no PriorityClass with name ${name} was found`);
    return found;
  }
  const defaults = core.storage.list(COLLECTION).map(({ object }) => object);
  return defaults
    .filter((object) => object['globalDefault'] === true)
    .sort((a, b) => Number(a['value']) - Number(b['value']))[0];
}

/** One class may be the default. */
export const priorityClassStep: AdmissionStep = {
  kind: `${GROUP}/PriorityClass`,
  admit(core, write, object) {
    if (object['globalDefault'] !== true) return object;
    const other = core.storage
      .list(COLLECTION)
      .map((entry) => entry.object)
      .find(({ metadata, ...body }) => body['globalDefault'] === true && metadata.name !== object.metadata.name);
    if (other === undefined) return object;
    const why = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`;
    throw forbidden({ group: write.resource.group, resource: write.resource.plural }, object.metadata.name, why);
  },
};
