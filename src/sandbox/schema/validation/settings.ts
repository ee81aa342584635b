// Owns the checks of ConfigMaps, Secrets, claims of volumes, roles, bindings and priorities. Source: the validation of
// core, rbac and scheduling of Kubernetes 1.36. Pure.
import { parseGoJson } from '../../../lib/gojson.ts';
import { getKey, isRecord } from '../../object.ts';
import { type FieldFault, forbiddenFault, invalidFault, requiredFault, unsupportedFault } from '../../rest/errors.ts';
import { nanosOf } from '../quantity.ts';
import { all, type Check, type CheckRules, CORE, child, dnsName, join, records, text } from './rule.ts';

const rbac = 'io.k8s.api.rbac.v1.';
const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;
const CONFIG_KEY_MESSAGE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

function keyProblems(key: string): string[] {
  if (key.length > 253) return ['must be no more than 253 characters'];
  if (!CONFIG_KEY.test(key)) return [CONFIG_KEY_MESSAGE];
  if (key === '.' || key === '..') return [`must not be '${key}'`];
  return key.startsWith('..') ? ["must not start with '..'"] : [];
}

function keysOf(value: unknown): string[] {
  return isRecord(value) ? Object.keys(value) : [];
}

function keyFaults(field: string, value: unknown): FieldFault[] {
  return keysOf(value).flatMap((key) =>
    keyProblems(key).map((problem) => invalidFault(`${field}[${key}]`, key, problem)),
  );
}

const MAX_BYTES = 1024 * 1024;

function sizeFaults(field: string, bytes: number): FieldFault[] {
  if (bytes <= MAX_BYTES) return [];
  return [{ type: 'FieldValueTooLong', field, message: `Too long: may not be more than ${MAX_BYTES} bytes` }];
}

function sizeOf(data: unknown): number {
  const texts = isRecord(data) ? Object.values(data) : [];
  return texts.reduce((sum: number, value) => sum + Buffer.byteLength(text(value)), 0);
}

/** Of values in base64. */
function decodedSizeOf(data: unknown): number {
  const texts = isRecord(data) ? Object.values(data) : [];
  return texts.reduce((sum: number, value) => sum + Buffer.byteLength(text(value), 'base64'), 0);
}

const configMap: Check = ({ data, binaryData }) => {
  const both = keysOf(data).filter((key) => keysOf(binaryData).includes(key));
  return [
    ...keyFaults('data', data),
    ...both.map((key) => invalidFault(`data[${key}]`, key, 'duplicate of key present in binaryData')),
    ...keyFaults('binaryData', binaryData),
    // A path without a name, as the API server prints it.
    ...sizeFaults('[]', sizeOf(data) + decodedSizeOf(binaryData)),
  ];
};

/** Keys that secrets of a type must have. */
const SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};
const JSON_KEYS = ['.dockerconfigjson', '.dockercfg'];
const ACCOUNT_TOKEN = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';

const secretType: Check = (secret) => {
  const { data, type } = secret;
  const has = (key: string): boolean => isRecord(data) && Object.hasOwn(data, key);
  const missing = (SECRET_KEYS[text(type)] ?? [])
    .filter((key) => !has(key))
    .map((key) => requiredFault(`data[${key}]`));
  if (type === 'kubernetes.io/basic-auth' && !has('username') && !has('password'))
    missing.push(requiredFault('data[username]'), requiredFault('data[password]'));
  if (type === ACCOUNT_TOKEN && !child(secret, 'metadata', 'annotations', ACCOUNT_NAME))
    missing.push(requiredFault(`metadata.annotations[${ACCOUNT_NAME}]`));
  const malformed = JSON_KEYS.filter((key) => (SECRET_KEYS[text(type)] ?? []).includes(key) && has(key)).flatMap(
    (key) => {
      const why = jsonProblem(Buffer.from(text(isRecord(data) ? data[key] : ''), 'base64').toString());
      return why === undefined ? [] : [invalidFault(`data[${key}]`, '<secret contents redacted>', why)];
    },
  );
  return [...sizeFaults('data', decodedSizeOf(data)), ...missing, ...malformed];
};

function jsonProblem(json: string): string | undefined {
  try {
    parseGoJson(json);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

const claim: Check = (spec, path) => {
  const modes = spec['accessModes'];
  const faults = (Array.isArray(modes) ? modes : [])
    .filter((mode) => !ACCESS_MODES.includes(String(mode)))
    .map((mode) => unsupportedFault(join(path, 'accessModes'), mode, ACCESS_MODES));
  if (Array.isArray(modes) && modes.length > 1 && modes.includes('ReadWriteOncePod')) {
    const why = 'may not use ReadWriteOncePod with other access modes';
    faults.push(forbiddenFault(join(path, 'accessModes'), why));
  }
  const storage = child(spec, 'resources', 'requests', 'storage');
  const at = join(path, 'resources[storage]');
  if (storage === undefined) faults.push(requiredFault(at));
  else if (nanosOf(String(storage)) <= 0n) faults.push(invalidFault(at, storage, 'must be greater than zero'));
  for (const field of ['dataSource', 'dataSourceRef']) {
    const source = spec[field];
    if (!isRecord(source)) continue;
    for (const part of ['name', 'kind'])
      if (text(source[part]) === '') faults.push(requiredFault(join(path, `${field}.${part}`)));
  }
  return faults;
};

/** `namespaced` rules are for resources alone. */
function policyRule(namespaced: boolean): Check {
  return (rule, path) => {
    const count = (field: string): number => {
      const list = getKey(rule, field);
      return Array.isArray(list) ? list.length : 0;
    };
    const faults: FieldFault[] = [];
    if (count('verbs') === 0) faults.push(requiredFault(join(path, 'verbs'), 'verbs must contain at least one value'));
    if (count('nonResourceURLs') > 0) {
      const at = join(path, 'nonResourceURLs');
      if (namespaced)
        faults.push(invalidFault(at, rule['nonResourceURLs'], 'namespaced rules cannot apply to non-resource URLs'));
      if (count('apiGroups') + count('resources') + count('resourceNames') > 0) {
        const why = 'rules cannot apply to both regular resources and non-resource URLs';
        faults.push(invalidFault(at, rule['nonResourceURLs'], why));
      }
      return faults;
    }
    if (count('apiGroups') === 0)
      faults.push(requiredFault(join(path, 'apiGroups'), 'resource rules must supply at least one api group'));
    if (count('resources') === 0)
      faults.push(requiredFault(join(path, 'resources'), 'resource rules must supply at least one resource'));
    return faults;
  };
}

const rulesOf =
  (namespaced: boolean): Check =>
  ({ rules }) =>
    records(rules).flatMap((rule, i) => policyRule(namespaced)(rule, `rules[${i}]`));

const GROUP = 'rbac.authorization.k8s.io';
const SUBJECTS = ['ServiceAccount', 'User', 'Group'];

const binding: Check = ({ roleRef, subjects }) => {
  const reference = isRecord(roleRef) ? roleRef : {};
  const faults: FieldFault[] = [];
  const group = reference['apiGroup'];
  if (text(group) !== '' && group !== GROUP) faults.push(unsupportedFault('roleRef.apiGroup', group, [GROUP]));
  if (reference['kind'] !== 'Role' && reference['kind'] !== 'ClusterRole')
    faults.push(unsupportedFault('roleRef.kind', reference['kind'] ?? '', ['Role', 'ClusterRole']));
  if (!text(reference['name'])) faults.push(requiredFault('roleRef.name'));
  return [...faults, ...records(subjects).flatMap((subject, i) => subjectFaults(subject, `subjects[${i}]`))];
};

function subjectFaults({ name, kind }: Record<string, unknown>, at: string): FieldFault[] {
  const faults = text(name) === '' ? [requiredFault(`${at}.name`)] : [];
  return SUBJECTS.includes(text(kind)) ? faults : [...faults, unsupportedFault(`${at}.kind`, kind ?? '', SUBJECTS)];
}

/** The classes that only the system has, with their values. */
export const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};
const SYSTEM_PREFIX = 'system-';
const MAX_PRIORITY = 1_000_000_000;

const priorityClass: Check = ({ metadata, value, globalDefault, preemptionPolicy }) => {
  const name = isRecord(metadata) ? text(metadata['name']) : '';
  const faults: FieldFault[] = [];
  if (name.startsWith(SYSTEM_PREFIX)) {
    const known = Object.hasOwn(SYSTEM_PRIORITIES, name) ? SYSTEM_PRIORITIES[name] : undefined;
    const why =
      known === undefined
        ? `${name} is not a known system priority class`
        : value !== known
          ? `value of ${name} PriorityClass must be ${known}`
          : globalDefault === true
            ? `globalDefault of ${name} PriorityClass must be false`
            : undefined;
    const reserved = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only`;
    if (why !== undefined) faults.push(forbiddenFault('metadata.name', `${reserved}. error: ${why}`));
  } else if (Number(value ?? 0) > MAX_PRIORITY) {
    faults.push(forbiddenFault('value', `maximum allowed value of a user defined priority is ${MAX_PRIORITY}`));
  }
  const policies = ['PreemptLowerPriority', 'Never'];
  if (preemptionPolicy !== undefined && !policies.includes(text(preemptionPolicy)))
    faults.push(unsupportedFault('preemptionPolicy', preemptionPolicy, policies));
  return faults;
};

export const SETTING_CHECKS: CheckRules = {
  'io.k8s.api.scheduling.v1.PriorityClass': { extra: priorityClass },
  [`${CORE}ConfigMap`]: { extra: configMap },
  [`${CORE}Secret`]: { extra: all((secret) => keyFaults('data', secret['data']), secretType) },
  [`${CORE}PersistentVolumeClaimSpec`]: {
    required: ['accessModes'],
    details: { accessModes: 'at least 1 access mode is required' },
    oneOf: { volumeMode: ['Block', 'Filesystem'] },
    extra: all(claim, dnsName('storageClassName', 'subdomain')),
  },
  [`${rbac}Role`]: { extra: rulesOf(true) },
  [`${rbac}ClusterRole`]: { extra: rulesOf(false) },
  [`${rbac}RoleBinding`]: { extra: binding },
  [`${rbac}ClusterRoleBinding`]: { extra: binding },
};
