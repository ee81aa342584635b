// Owns what a CustomResourceDefinition must be to be accepted, field by field in the API server's order and words. Its
// schemas are definition-schema.ts. Source: apiextensions validation of Kubernetes 1.36. Pure.
import { equalJson, isRecord, type KubeObject, readPath } from '../object.ts';
import { type FieldFault, invalidFault, requiredFault, unsupportedFault } from '../rest/errors.ts';
import { dnsLabelProblems } from '../rest/names.ts';
import { schemaFaults } from './definition-schema.ts';
import type { RuleEngine } from './rules.ts';

type Body = Record<string, unknown>;

const APPROVED = 'api-approved.kubernetes.io';

/** Faults of a definition; `live` is the one that it replaces. */
export function definitionFaults(
  object: KubeObject,
  live: KubeObject | undefined,
  rules: RuleEngine | undefined,
): FieldFault[] {
  const spec = bodyOf(object['spec']);
  const wanted = `${text(readPath(spec, ['names', 'plural']))}.${text(spec['group'])}`;
  const { name } = object.metadata;
  return [
    ...(live ? [] : ownNameFaults(name, wanted)),
    ...specFaults(spec, rules),
    ...(live ? immutableFaults(spec, live) : []),
    ...storedFaults(storedVersions(object), versionsOf(spec)),
    ...approvalFaults(object, live),
  ];
}

function ownNameFaults(name: string, wanted: string): FieldFault[] {
  const problems = dnsLabelProblems('subdomain', name);
  if (name !== wanted) problems.push('must be spec.names.plural+"."+spec.group');
  return problems.map((problem) => invalidFault('metadata.name', name, problem));
}

function bodyOf(value: unknown): Body {
  return isRecord(value) ? value : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function versionsOf(spec: Body): Body[] {
  return Array.isArray(spec['versions']) ? spec['versions'].filter(isRecord) : [];
}

function storedVersions(object: KubeObject): string[] {
  const stored = readPath(object, ['status', 'storedVersions']);
  return Array.isArray(stored) ? stored.map(String) : [];
}

function specFaults(spec: Body, rules: RuleEngine | undefined): FieldFault[] {
  const versions = versionsOf(spec);
  const faults = [...groupFaults(text(spec['group'])), ...scopeFaults(spec['scope'])];
  for (const [i, version] of versions.entries()) {
    if (!isRecord(readPath(version, ['schema', 'openAPIV3Schema'])))
      faults.push(requiredFault(`spec.versions[${i}].schema.openAPIV3Schema`));
  }
  if (spec['preserveUnknownFields'] === true)
    faults.push(invalidFault('spec.preserveUnknownFields', true, 'must be false'));
  // One schema for all versions is a field of the whole definition to the API server.
  const shared = sharesSchema(versions);
  for (const [i, version] of versions.entries()) {
    const at = `spec.versions[${i}]`;
    faults.push(...labelFaults(`${at}.name`, text(version['name'])));
    if (!shared) faults.push(...schemaFaults(version, `${at}.schema.openAPIV3Schema`, rules));
  }
  faults.push(...versionFaults(versions, Array.isArray(spec['versions'])), ...nameFaults(bodyOf(spec['names'])));
  if (shared && versions[0]) faults.push(...schemaFaults(versions[0], 'spec.validation.openAPIV3Schema', rules));
  return faults;
}

function sharesSchema(versions: readonly Body[]): boolean {
  return versions.every((version) => equalJson(version['schema'], versions[0]?.['schema']));
}

function groupFaults(group: string): FieldFault[] {
  if (group === '') return [requiredFault('spec.group')];
  const problems = dnsLabelProblems('subdomain', group);
  if (problems.length > 0) return [invalidFault('spec.group', group, problems.join(','))];
  return group.includes('.') ? [] : [invalidFault('spec.group', group, 'should be a domain with at least one dot')];
}

function scopeFaults(scope: unknown): FieldFault[] {
  if (!scope) return [requiredFault('spec.scope')];
  const scopes = ['Cluster', 'Namespaced'];
  return scopes.includes(text(scope)) ? [] : [unsupportedFault('spec.scope', scope, scopes)];
}

function labelFaults(field: string, value: string, prefix = ''): FieldFault[] {
  const problems = dnsLabelProblems('dns1035', prefix === '' ? value : value.toLowerCase());
  return problems.length === 0 ? [] : [invalidFault(field, value, `${prefix}${problems.join(',')}`)];
}

function versionFaults(versions: readonly Body[], given: boolean): FieldFault[] {
  const faults: FieldFault[] = [];
  const names = versions.map(({ name }) => name);
  const shown = given ? versions.map(internalVersion) : null;
  if (new Set(names).size < names.length)
    faults.push(invalidFault('spec.versions', shown, 'must contain unique version names'));
  if (versions.filter(({ storage }) => storage === true).length !== 1)
    faults.push(invalidFault('spec.versions', shown, 'must have exactly one version marked as storage version'));
  // The first version is a field of its own to the API server.
  if (names.length > 0) faults.push(...labelFaults('spec.version', text(names[0])));
  return faults;
}

/** A version as the API server prints it: its own structure, from which what all versions share is gone. */
function internalVersion(version: Body): Body {
  return {
    Name: text(version['name']),
    Served: version['served'] === true,
    Storage: version['storage'] === true,
    Deprecated: version['deprecated'] === true,
    DeprecationWarning: version['deprecationWarning'] ?? null,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  };
}

const MIXED_CASE = 'may have mixed case, but should otherwise match: ';

function nameFaults(names: Body): FieldFault[] {
  const faults: FieldFault[] = [];
  const at = 'spec.names';
  const [plural, singular, kind, listKind] = ['plural', 'singular', 'kind', 'listKind'].map((field) =>
    text(names[field]),
  ) as [string, string, string, string];
  for (const field of ['plural', 'singular', 'kind', 'listKind']) {
    if (!names[field]) faults.push(requiredFault(`${at}.${field}`));
  }
  if (plural) faults.push(...labelFaults(`${at}.plural`, plural));
  if (singular) faults.push(...labelFaults(`${at}.singular`, singular));
  if (kind) faults.push(...labelFaults(`${at}.kind`, kind, MIXED_CASE));
  if (listKind) faults.push(...labelFaults(`${at}.listKind`, listKind, MIXED_CASE));
  faults.push(...eachLabel(`${at}.shortNames`, names['shortNames']));
  if (kind && kind === listKind)
    faults.push(invalidFault(`${at}.listKind`, listKind, 'kind and listKind may not be the same'));
  return [...faults, ...eachLabel(`${at}.categories`, names['categories'])];
}

function eachLabel(field: string, values: unknown): FieldFault[] {
  return (Array.isArray(values) ? values : []).flatMap((value, i) => labelFaults(`${field}[${i}]`, text(value)));
}

function immutableFaults(spec: Body, live: KubeObject): FieldFault[] {
  const before = bodyOf(live['spec']);
  const conditions = readPath(live, ['status', 'conditions']);
  const isEstablished = (Array.isArray(conditions) ? conditions.filter(isRecord) : []).some(
    ({ type, status }) => type === 'Established' && status === 'True',
  );
  const paths = [...(isEstablished ? [['scope'], ['names', 'kind']] : []), ['group'], ['names', 'plural']];
  return paths
    .filter((path) => !equalJson(readPath(spec, path), readPath(before, path)))
    .map((path) => invalidFault(`spec.${path.join('.')}`, readPath(spec, path), 'field is immutable'));
}

function storedFaults(stored: readonly string[], versions: readonly Body[]): FieldFault[] {
  const field = 'status.storedVersions';
  if (stored.length === 0) return [invalidFault(field, null, 'must have at least one stored version')];
  const names = versions.map(({ name }) => text(name));
  const missing = versions
    .filter(({ storage, name }) => storage === true && !stored.includes(text(name)))
    .map(({ name }) => invalidFault(field, stored, `must have the storage version ${text(name)}`));
  const gone = stored.flatMap((name, i) => {
    if (names.includes(name)) return [];
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    return [invalidFault(`${field}[${i}]`, name, why)];
  });
  return [...missing, ...gone];
}

const PROTECTED = /(^|\.)(k8s|kubernetes)\.io$/;

/** Groups of Kubernetes itself need a word of its reviewers. */
function approvalFaults(object: KubeObject, live: KubeObject | undefined): FieldFault[] {
  if (!PROTECTED.test(text(readPath(object, ['spec', 'group'])))) return [];
  const given = object.metadata.annotations?.[APPROVED] ?? '';
  if (live !== undefined && (live.metadata.annotations?.[APPROVED] ?? '') === given) return [];
  if (given.startsWith('unapproved') || URL.canParse(given)) return [];
  const field = `metadata.annotations[${APPROVED}]`;
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  const must = `protected groups must have approval annotation ${JSON.stringify(APPROVED)}`;
  if (given === '') return [requiredFault(field, `${must}, ${see}`)];
  return [invalidFault(field, given, `${must} with either a URL or a reason starting with "unapproved", ${see}`)];
}
