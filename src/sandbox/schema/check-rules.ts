// Owns the table of checks of built-in types: required fields, allowed values, and the few rules between fields. By
// definition name; checks.ts walks it. Source: pkg/apis/*/validation of Kubernetes 1.36.

import { isIP } from 'node:net';
import { parseGoJson } from '../../lib/gojson.ts';
import { equalJson, getKey, isRecord } from '../object.ts';
import { duplicateFault, type FieldFault, forbiddenFault, invalidFault, requiredFault } from '../rest/errors.ts';
import { labelFaults } from '../rest/names.ts';
import { nanosOf } from './quantity.ts';

type Target = Readonly<Record<string, unknown>>;

export interface CheckRule {
  /** Fields that must be there and not empty. */
  readonly required?: readonly string[];
  readonly oneOf?: Readonly<Record<string, readonly string[]>>;
  /** What a missing field's fault adds. */
  readonly details?: Readonly<Record<string, string>>;
  /** Numbers that must not be below zero. */
  readonly notNegative?: readonly string[];
  /** Port numbers. */
  readonly port?: readonly string[];
  /** A rule between fields; `path` is '' for the whole object. */
  readonly extra?: (value: Target, path: string) => FieldFault[];
}

const core = 'io.k8s.api.core.v1.';
const apps = 'io.k8s.api.apps.v1.';
const batch = 'io.k8s.api.batch.v1.';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

function child(value: Target, ...path: string[]): unknown {
  let current: unknown = value;
  for (const step of path) current = isRecord(current) ? getKey(current, step) : undefined;
  return current;
}

function join(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`;
}

/** A workload's selector must select its own template. */
function selectorMatchesTemplate(spec: Target, path: string): FieldFault[] {
  const selector = child(spec, 'selector');
  const matchLabels = child(spec, 'selector', 'matchLabels');
  const expressions = child(spec, 'selector', 'matchExpressions');
  const labels = child(spec, 'template', 'metadata', 'labels');
  const found = isRecord(labels) ? labels : {};
  const differs = invalidFault(
    join(path, 'template.metadata.labels'),
    found,
    '`selector` does not match template `labels`',
  );
  if (!isRecord(selector)) return [requiredFault(join(path, 'selector')), differs];
  const empty =
    !(isRecord(matchLabels) && Object.keys(matchLabels).length > 0) &&
    !(Array.isArray(expressions) && expressions.length > 0);
  if (empty) return [invalidFault(join(path, 'selector'), selector, 'empty selector is invalid for deployment')];
  const matches = Object.entries(isRecord(matchLabels) ? matchLabels : {}).every(
    ([key, value]) => getKey(found, key) === value,
  );
  return matches ? [] : [differs];
}

function alwaysRestarts(spec: Target, path: string): FieldFault[] {
  const policy = child(spec, 'template', 'spec', 'restartPolicy');
  if (policy === undefined || policy === 'Always') return [];
  const field = join(path, 'template.spec.restartPolicy');
  return [
    {
      type: 'FieldValueNotSupported',
      field,
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Always"`,
    },
  ];
}

function jobRestarts(spec: Target, path: string): FieldFault[] {
  const policy = child(spec, 'template', 'spec', 'restartPolicy');
  if (policy === 'OnFailure' || policy === 'Never') return [];
  const field = join(path, 'template.spec.restartPolicy');
  if (policy === undefined || policy === 'Always') {
    return [{ type: 'FieldValueRequired', field, message: 'Required value: valid values: "OnFailure", "Never"' }];
  }
  return [
    {
      type: 'FieldValueNotSupported',
      field,
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "OnFailure", "Never"`,
    },
  ];
}

function uniqueNames(field: string) {
  return (value: Target, path: string): FieldFault[] => {
    const items = getKey(value, field);
    if (!Array.isArray(items)) return [];
    const seen: unknown[] = [];
    const faults: FieldFault[] = [];
    for (const [i, item] of items.entries()) {
      const name = isRecord(item) ? item['name'] : undefined;
      if (name === undefined || name === '') continue;
      if (seen.some((other) => equalJson(other, name)))
        faults.push(duplicateFault(`${join(path, field)}[${i}].name`, name));
      seen.push(name);
    }
    return faults;
  };
}

const all =
  (...checks: readonly ((value: Target, path: string) => FieldFault[])[]) =>
  (value: Target, path: string): FieldFault[] =>
    checks.flatMap((check) => check(value, path));

const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;
const CONFIG_KEY_MESSAGE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

function keyFaults(value: Target, field: string): FieldFault[] {
  const data = getKey(value, field);
  if (!isRecord(data)) return [];
  return Object.keys(data)
    .map((key) => [key, keyProblem(key)] as const)
    .flatMap(([key, problem]) => (problem === undefined ? [] : [invalidFault(`${field}[${key}]`, key, problem)]));
}

function keyProblem(key: string): string | undefined {
  if (key.length > 253) return 'must be no more than 253 characters';
  if (!CONFIG_KEY.test(key)) return CONFIG_KEY_MESSAGE;
  if (key === '.' || key === '..') return `must not be '${key}'`;
  return key.startsWith('..') ? "must not start with '..'" : undefined;
}

/** A key is in one of the two maps. */
function twiceFaults(map: Target): FieldFault[] {
  const [data, binary] = [getKey(map, 'data'), getKey(map, 'binaryData')];
  if (!isRecord(data) || !isRecord(binary)) return [];
  return Object.keys(data)
    .filter((key) => Object.hasOwn(binary, key))
    .map((key) => invalidFault(`data[${key}]`, key, 'duplicate of key present in binaryData'));
}

/** Keys that secrets of a type must have. */
const SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/basic-auth': ['username', 'password'],
};

function typedKeys(secret: Target): FieldFault[] {
  const data = getKey(secret, 'data');
  const type = String(secret['type']);
  const has = (key: string): boolean => isRecord(data) && Object.hasOwn(data, key);
  if (type === 'kubernetes.io/basic-auth' && (has('username') || has('password'))) return [];
  const faults = (SECRET_KEYS[type] ?? []).filter((key) => !has(key)).map((key) => requiredFault(`data[${key}]`));
  const account = child(secret, 'metadata', 'annotations', ACCOUNT);
  if (type === 'kubernetes.io/service-account-token' && !account) {
    faults.push(requiredFault(`metadata.annotations[${ACCOUNT}]`));
  }
  for (const key of JSON_KEYS) {
    if (!type.endsWith(key.slice(1)) || !isRecord(data) || typeof data[key] !== 'string') continue;
    const problem = jsonProblem(Buffer.from(data[key], 'base64').toString());
    if (problem !== undefined) faults.push(invalidFault(`data[${key}]`, '<secret contents redacted>', problem));
  }
  return faults;
}

const ACCOUNT = 'kubernetes.io/service-account.name';
/** Keys whose value is JSON, in secrets of the type of that name. */
const JSON_KEYS = ['.dockerconfigjson', '.dockercfg'];

function jsonProblem(text: string): string | undefined {
  try {
    parseGoJson(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function scheduleFaults(spec: Target, path: string): FieldFault[] {
  const schedule = spec['schedule'];
  if (typeof schedule !== 'string' || schedule === '' || schedule.startsWith('@')) return [];
  const fields = schedule.trim().split(/\s+/);
  if (fields.length === 5) return [];
  const why = `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  return [invalidFault(join(path, 'schedule'), schedule, why)];
}

/** Of several ports each needs a name; a target is a port too. */
function servicePorts(spec: Target, path: string): FieldFault[] {
  const ports = getKey(spec, 'ports');
  if (!Array.isArray(ports)) return [];
  const faults: FieldFault[] = [];
  for (const [i, port] of ports.entries()) {
    if (ports.length > 1 && isRecord(port) && !port['name'])
      faults.push(requiredFault(`${join(path, 'ports')}[${i}].name`));
  }
  return faults;
}

/** A container may not ask for more than its limit. */
function requestsWithinLimits(resources: Target, path: string): FieldFault[] {
  const limits = getKey(resources, 'limits');
  const requests = getKey(resources, 'requests');
  if (!isRecord(limits) || !isRecord(requests)) return [];
  return Object.entries(requests)
    .filter(([name, value]) => Object.hasOwn(limits, name) && nanosOf(String(value)) > nanosOf(String(limits[name])))
    .map(([name, value]) =>
      invalidFault(
        join(path, 'requests'),
        value,
        `must be less than or equal to ${name} limit of ${String(limits[name])}`,
      ),
    );
}

/** Mounts must name a volume of the pod. */
function mountsExist(spec: Target, path: string): FieldFault[] {
  const volumes = getKey(spec, 'volumes');
  const names = new Set(
    (Array.isArray(volumes) ? volumes : []).map((volume) => (isRecord(volume) ? volume['name'] : undefined)),
  );
  const faults: FieldFault[] = [];
  for (const list of ['initContainers', 'containers']) {
    const containers = getKey(spec, list);
    for (const [i, container] of (Array.isArray(containers) ? containers : []).entries()) {
      const mounts = isRecord(container) ? container['volumeMounts'] : undefined;
      for (const [j, mount] of (Array.isArray(mounts) ? mounts : []).entries()) {
        const name = isRecord(mount) ? mount['name'] : undefined;
        if (!names.has(name)) {
          const field = `${join(path, list)}[${i}].volumeMounts[${j}].name`;
          faults.push({ type: 'FieldValueNotFound', field, message: `Not found: ${JSON.stringify(name ?? '')}` });
        }
      }
    }
  }
  return faults;
}

function addressFaults(ingress: Target, path: string): FieldFault[] {
  const { ip } = ingress;
  if (typeof ip !== 'string' || ip === '' || isIP(ip) !== 0) return [];
  return [invalidFault(join(path, 'ip'), ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')];
}

function oneSource(variable: Target, path: string): FieldFault[] {
  if (!isRecord(variable['valueFrom']) || !variable['value']) return [];
  return [invalidFault(join(path, 'valueFrom'), '', 'may not be specified when `value` is not empty')];
}

/** In the order in which the API server looks at them. */
const VOLUME_SOURCES = (
  'emptyDir hostPath gitRepo gcePersistentDisk awsElasticBlockStore secret nfs iscsi glusterfs flocker ' +
  'persistentVolumeClaim rbd cinder cephfs quobyte downwardAPI fc flexVolume configMap azureFile vsphereVolume ' +
  'photonPersistentDisk portworxVolume azureDisk storageos projected scaleIO csi ephemeral image'
).split(' ');

/** A volume has its name and one source; the faults name all but the first. */
function oneVolumeType(volume: Target, path: string): FieldFault[] {
  const sources = VOLUME_SOURCES.filter((name) => Object.hasOwn(volume, name));
  return sources.slice(1).map((name) => forbiddenFault(join(path, name), 'may not specify more than 1 volume type'));
}

function noRollingUpdate(strategy: Target, path: string): FieldFault[] {
  if (strategy['type'] !== 'Recreate' || !isRecord(strategy['rollingUpdate'])) return [];
  return [forbiddenFault(join(path, 'rollingUpdate'), "may not be specified when strategy `type` is 'Recreate'")];
}

const CONTAINER: CheckRule = {
  required: ['name', 'image'],
  oneOf: { imagePullPolicy: PULL_POLICIES, terminationMessagePolicy: ['File', 'FallbackToLogsOnError'] },
  extra: containerName,
};

/** Containers are named by a DNS label. */
function containerName(container: Target, path: string): FieldFault[] {
  const name = container['name'];
  return typeof name === 'string' && name !== '' ? labelFaults(name, join(path, 'name')) : [];
}

export const BUILTIN_CHECKS: Readonly<Record<string, CheckRule>> = {
  [`${core}PodSpec`]: {
    required: ['containers'],
    oneOf: {
      restartPolicy: ['Always', 'OnFailure', 'Never'],
      dnsPolicy: ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
    },
    notNegative: ['terminationGracePeriodSeconds'],
    extra: all(uniqueNames('containers'), uniqueNames('volumes'), mountsExist),
  },
  [`${core}Container`]: CONTAINER,
  [`${core}ResourceRequirements`]: { extra: requestsWithinLimits },
  [`${core}ContainerPort`]: { required: ['containerPort'], oneOf: { protocol: PROTOCOLS }, port: ['containerPort'] },
  [`${core}EnvVar`]: { required: ['name'], extra: oneSource },
  [`${core}Volume`]: { required: ['name'], extra: oneVolumeType },
  [`${core}VolumeMount`]: { required: ['name', 'mountPath'] },
  [`${core}ServiceSpec`]: {
    oneOf: { type: ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'], sessionAffinity: ['ClientIP', 'None'] },
    extra: all(servicePorts, (spec, path) =>
      spec['type'] !== 'ExternalName' &&
      spec['clusterIP'] !== 'None' &&
      !(Array.isArray(spec['ports']) && spec['ports'].length > 0)
        ? [requiredFault(join(path, 'ports'))]
        : [],
    ),
  },
  [`${core}ServicePort`]: { oneOf: { protocol: PROTOCOLS }, port: ['port', 'targetPort'] },
  [`${core}PersistentVolumeClaimSpec`]: {
    required: ['accessModes'],
    details: { accessModes: 'at least 1 access mode is required' },
    extra: (spec, path) =>
      child(spec, 'resources', 'requests', 'storage') === undefined
        ? [requiredFault(join(path, 'resources[storage]'))]
        : [],
  },
  [`${core}ConfigMap`]: {
    extra: (map) => [...keyFaults(map, 'data'), ...twiceFaults(map), ...keyFaults(map, 'binaryData')],
  },
  [`${core}Secret`]: { extra: (secret) => [...keyFaults(secret, 'data'), ...typedKeys(secret)] },
  [`${apps}DeploymentSpec`]: {
    notNegative: ['replicas', 'minReadySeconds', 'revisionHistoryLimit'],
    extra: all(selectorMatchesTemplate, alwaysRestarts),
  },
  [`${apps}DeploymentStrategy`]: { oneOf: { type: ['Recreate', 'RollingUpdate'] }, extra: noRollingUpdate },
  [`${apps}ReplicaSetSpec`]: {
    notNegative: ['replicas', 'minReadySeconds'],
    extra: all(selectorMatchesTemplate, alwaysRestarts),
  },
  [`${apps}StatefulSetSpec`]: { notNegative: ['replicas'], extra: all(selectorMatchesTemplate, alwaysRestarts) },
  [`${apps}DaemonSetSpec`]: { extra: all(selectorMatchesTemplate, alwaysRestarts) },
  [`${batch}JobSpec`]: {
    notNegative: ['parallelism', 'completions', 'backoffLimit', 'ttlSecondsAfterFinished'],
    extra: jobRestarts,
  },
  [`${batch}CronJobSpec`]: {
    extra: scheduleFaults,
    required: ['schedule'],
    oneOf: { concurrencyPolicy: ['Allow', 'Forbid', 'Replace'] },
  },
  'io.k8s.api.networking.v1.HTTPIngressPath': {
    details: { pathType: 'pathType must be specified' },
    required: ['path', 'pathType'],
    oneOf: { pathType: ['Exact', 'ImplementationSpecific', 'Prefix'] },
  },
  'io.k8s.api.networking.v1.IngressLoadBalancerIngress': { extra: addressFaults },
  'io.k8s.api.core.v1.LoadBalancerIngress': { extra: addressFaults },
  'io.k8s.api.rbac.v1.RoleRef': { required: ['name'], oneOf: { kind: ['Role', 'ClusterRole'] } },
  'io.k8s.api.rbac.v1.Subject': { required: ['name'] },
  'io.k8s.api.rbac.v1.PolicyRule': {
    required: ['verbs'],
  },
};
