// Owns what a CustomResourceDefinition must be to be accepted, and the versions that its status remembers.
import type { AdmissionStep } from '../core.ts';
import { checkRuleTexts, type RuleEngine } from '../crd/rules.ts';
import { isRecord, readPath } from '../object.ts';
import { type FieldFault, invalid, invalidFault, requiredFault, unsupportedFault } from '../rest/errors.ts';

type Body = Record<string, unknown>;

function faultsOf(name: string, spec: Body, isNew: boolean): FieldFault[] {
  const faults: FieldFault[] = [];
  const names = isRecord(spec['names']) ? spec['names'] : {};
  const versions = Array.isArray(spec['versions']) ? spec['versions'].filter(isRecord) : [];
  const wanted = `${String(names['plural'] ?? '')}.${String(spec['group'] ?? '')}`;
  if (isNew && name !== wanted)
    faults.push(invalidFault('metadata.name', name, 'must be spec.names.plural+"."+spec.group'));
  for (const field of ['group', 'scope']) if (!spec[field]) faults.push(requiredFault(`spec.${field}`));
  for (const field of ['plural', 'singular', 'kind', 'listKind']) {
    if (!names[field]) faults.push(requiredFault(`spec.names.${field}`));
  }
  if (spec['scope'] && spec['scope'] !== 'Cluster' && spec['scope'] !== 'Namespaced') {
    faults.push(unsupportedFault('spec.scope', spec['scope'], ['Cluster', 'Namespaced']));
  }
  if (spec['preserveUnknownFields'] === true) {
    faults.push(
      invalidFault('spec.preserveUnknownFields', true, 'must be false in order to use defaults in the schema'),
    );
  }
  if (versions.filter((version) => version['storage'] === true).length !== 1) {
    faults.push(invalidFault('spec.versions', versions, 'must have exactly one version marked as storage version'));
  }
  for (const [i, version] of versions.entries()) {
    const schema = readPath(version, ['schema', 'openAPIV3Schema']);
    const at = `spec.versions[${i}].schema.openAPIV3Schema`;
    if (!isRecord(schema)) faults.push(requiredFault(at));
    else if (schema['type'] !== 'object')
      faults.push(invalidFault(`${at}.type`, schema['type'] ?? '', 'must be object at the root'));
  }
  return faults;
}

function ruleFaults(engine: RuleEngine, spec: Body): FieldFault[] {
  const versions = Array.isArray(spec['versions']) ? spec['versions'] : [];
  return versions.flatMap((version, i) =>
    checkRuleTexts(
      engine,
      readPath(version, ['schema', 'openAPIV3Schema']),
      `spec.versions[${i}].schema.openAPIV3Schema`,
    ),
  );
}

/** Checks a definition, and records its storage version among those that objects may be stored in. */
export const definitionStep: AdmissionStep = {
  kind: 'apiextensions.k8s.io/CustomResourceDefinition',
  admit(core, write, object, live) {
    const spec = (isRecord(object['spec']) ? object['spec'] : {}) as Body;
    const faults = faultsOf(object.metadata.name, spec, live === undefined);
    if (core.rules !== undefined && write.subresource === '') faults.push(...ruleFaults(core.rules, spec));
    if (faults.length > 0) throw invalid(write.resource, object.metadata.name, faults);
    if (
      core.rules === undefined &&
      write.subresource === '' &&
      JSON.stringify(spec).includes('"x-kubernetes-validations"')
    ) {
      write.warnings.push('x-kubernetes-validations: this server evaluates no rules, so they are not enforced');
    }
    const status = (isRecord(object['status']) ? object['status'] : {}) as Body;
    const stored = Array.isArray(status['storedVersions']) ? status['storedVersions'] : [];
    const versions = (spec['versions'] as unknown[]).filter(isRecord);
    const storage = versions.find((version) => version['storage'] === true)?.['name'];
    if (stored.includes(storage)) return object;
    return { ...object, status: { ...status, storedVersions: [...stored, storage] } };
  },
};
