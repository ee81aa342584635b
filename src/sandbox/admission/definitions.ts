// Owns the step of CustomResourceDefinitions in writes: their checks, and the stored versions that their status keeps.
import type { AdmissionStep } from '../core.ts';
import { definitionFaults } from '../crd/definition.ts';
import { isRecord, type KubeObject, readPath } from '../object.ts';
import { forbidden, invalid } from '../rest/errors.ts';

/** Checks a definition whose spec is written. */
export const definitionStep: AdmissionStep = {
  kind: 'apiextensions.k8s.io/CustomResourceDefinition',
  admit(core, write, object, live) {
    if (write.subresource !== '') return object;
    const next = withStoredVersion(object);
    const faults = definitionFaults(next, live, core.rules);
    if (faults.length > 0) throw invalid(write.resource, next.metadata.name, faults);
    if (core.rules === undefined && JSON.stringify(next['spec']).includes('"x-kubernetes-validations"'))
      write.warnings.push('x-kubernetes-validations: this server evaluates no rules, so they are not enforced');
    return next;
  },
};

/** No object of a kind that is going may be made. */
export const terminatingStep: AdmissionStep = {
  kind: '*',
  admit(core, { resource }, object, live) {
    if (live !== undefined || !resource.custom) return object;
    const name = `${resource.plural}.${resource.group}`;
    const definition = core.storage.get('apiextensions.k8s.io/customresourcedefinitions', name)?.object;
    if (definition?.metadata.deletionTimestamp === undefined) return object;
    const why = 'create not allowed while custom resource definition is terminating';
    throw forbidden({ group: resource.group, resource: resource.plural }, object.metadata.name, why);
  },
};

/** Records the storage version among those that objects may be stored in. */
function withStoredVersion(object: KubeObject): KubeObject {
  const status = isRecord(object['status']) ? object['status'] : {};
  const stored = Array.isArray(status['storedVersions']) ? status['storedVersions'] : [];
  const versions = readPath(object, ['spec', 'versions']);
  const storage = (Array.isArray(versions) ? versions.filter(isRecord) : []).find(
    (version) => version['storage'] === true,
  )?.['name'];
  if (storage === undefined || stored.includes(storage)) return object;
  return { ...object, status: { ...status, storedVersions: [...stored, storage] } };
}
