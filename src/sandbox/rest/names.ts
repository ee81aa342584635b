// Owns the rules for names, labels and annotations of objects, with Kubernetes' messages. Pure.
import { type FieldFault, formatValue, invalidFault } from './errors.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const QUALIFIED_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_MESSAGE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE_MESSAGE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED_NAME_MESSAGE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const NO_DOTS = 'must not contain dots';
const DNS1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const DNS1035_MESSAGE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

type NameRule = 'subdomain' | 'label' | 'dns1035' | 'path';

/** Names that become the beginning of others are shorter; by `group/Kind`. */
const SHORTER: Readonly<Record<string, number>> = { 'batch/CronJob': 52 };

/** Kinds whose names follow another rule than a DNS subdomain; by `group/Kind`. */
const NAME_RULES: Readonly<Record<string, NameRule>> = {
  '/Namespace': 'label',
  '/Service': 'label',
  'rbac.authorization.k8s.io/Role': 'path',
  'rbac.authorization.k8s.io/ClusterRole': 'path',
  'rbac.authorization.k8s.io/RoleBinding': 'path',
  'rbac.authorization.k8s.io/ClusterRoleBinding': 'path',
};

function nameProblems(rule: NameRule, name: string): string[] {
  return rule === 'path' ? pathProblems(name) : dnsLabelProblems(rule, name);
}

/** What keeps a name from being one step of a URL's path. */
export function pathProblems(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%']
    .filter((character) => name.includes(character))
    .map((character) => `may not contain '${character}'`);
}

/** Faults of a name by one of the rules of DNS. */
export function dnsLabelProblems(rule: Exclude<NameRule, 'path'>, name: string): string[] {
  const limit = rule === 'subdomain' ? 253 : 63;
  const unit = rule === 'dns1035' ? 'bytes' : 'characters';
  const problems = name.length > limit ? [`must be no more than ${limit} ${unit}`] : [];
  if (rule === 'subdomain' && !SUBDOMAIN.test(name)) problems.push(SUBDOMAIN_MESSAGE);
  if (rule === 'label' && !LABEL.test(name)) problems.push(SUBDOMAIN.test(name) ? NO_DOTS : LABEL_MESSAGE);
  if (rule === 'dns1035' && !DNS1035.test(name)) problems.push(DNS1035_MESSAGE);
  return problems;
}

/** Faults of `metadata.name` and of the prefix that it was made from. */
export function checkName(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  prefix: string | undefined,
): FieldFault[] {
  const rule = NAME_RULES[`${kind.group}/${kind.kind}`] ?? 'subdomain';
  // The dash at the end of a prefix is followed by more.
  const masked = prefix?.replace(/-$/, 'a');
  const ofPrefix = masked === undefined ? [] : nameProblems(rule, masked);
  const limit = SHORTER[`${kind.group}/${kind.kind}`];
  const tooLong = limit === undefined || name.length <= limit ? [] : [`must be no more than ${limit} characters`];
  return [
    ...ofPrefix.map((problem) => invalidFault('metadata.generateName', prefix, problem)),
    ...nameFaults(rule, name),
    ...tooLong.map((problem) => invalidFault('metadata.name', name, problem)),
  ];
}

function nameFaults(rule: NameRule, name: string): FieldFault[] {
  return nameProblems(rule, name).map((problem) => invalidFault('metadata.name', name, problem));
}

/** What keeps a name from being a DNS label. */
export function labelProblems(name: string): string[] {
  return nameProblems('label', name);
}

/** Faults of a name that must be a DNS label. */
export function labelFaults(name: string, field: string): FieldFault[] {
  return nameProblems('label', name).map((problem) => invalidFault(field, name, problem));
}

/** Faults of a label or annotation key. */
export function keyProblems(key: string): string[] {
  const slash = key.lastIndexOf('/');
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  const problems: string[] = [];
  if (prefix !== undefined) {
    if (prefix.includes('/')) {
      return [
        "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
      ];
    }
    if (prefix === '') problems.push('prefix part must be non-empty');
    else if (!SUBDOMAIN.test(prefix)) problems.push(`prefix part ${SUBDOMAIN_MESSAGE}`);
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (Buffer.byteLength(name) > 63) problems.push('name part must be no more than 63 bytes');
  if (!QUALIFIED_NAME.test(name)) problems.push(QUALIFIED_NAME_MESSAGE);
  return problems;
}

/** Faults of a label's value. */
export function valueProblems(value: string): string[] {
  const problems = value.length > 63 ? ['must be no more than 63 bytes'] : [];
  return LABEL_VALUE.test(value) ? problems : [...problems, LABEL_VALUE_MESSAGE];
}

function quote(key: string): string {
  return formatValue(key);
}

/** Faults of labels (`metadata.labels`, a template's labels). */
export function checkLabels(labels: Readonly<Record<string, string>> | undefined, field: string): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const problem of keyProblems(key))
      faults.push({ type: 'FieldValueInvalid', field, message: `Invalid value: ${quote(key)}: ${problem}` });
    for (const problem of valueProblems(value)) faults.push(invalidFault(field, value, problem));
  }
  return faults;
}

const ANNOTATION_LIMIT = 256 * 1024;

export function checkAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  field: string,
): FieldFault[] {
  const faults: FieldFault[] = [];
  let total = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const problem of keyProblems(key.toLowerCase())) faults.push(invalidFault(field, key, problem));
    total += key.length + value.length;
  }
  if (total > ANNOTATION_LIMIT) {
    faults.push({
      type: 'FieldValueTooLong',
      field,
      message: `Too long: may not be more than ${ANNOTATION_LIMIT} bytes`,
    });
  }
  return faults;
}

/** Faults of finalizers: they must be qualified names. */
export function checkFinalizers(finalizers: readonly string[] | undefined): FieldFault[] {
  const names = finalizers ?? [];
  const faults = names.flatMap((name) =>
    keyProblems(name).map((problem) => invalidFault('metadata.finalizers', name, problem)),
  );
  if (!names.includes('orphan') || !names.includes('foregroundDeletion')) return faults;
  const both = 'finalizer orphan and foregroundDeletion cannot be both set';
  return [...faults, invalidFault('metadata.finalizers', names, both)];
}

/** Names without a domain that the API server itself uses. */
const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** Faults of finalizers of a kind of the core group: each has a domain, or is a standard one. */
export function checkCoreFinalizers(finalizers: readonly string[] | undefined, field: string): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const [i, name] of (finalizers ?? []).entries()) {
    if (name.includes('/') || STANDARD_FINALIZERS.has(name)) continue;
    const why = 'name is neither a standard finalizer name nor is it fully qualified';
    faults.push(invalidFault(`${field}[${i}]`, name, why));
  }
  return faults;
}
