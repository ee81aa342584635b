// Owns the checks of containers: ports, environment, mounts, resources, probes. Source: pkg/apis/core/validation of
// Kubernetes 1.36. Pure.
import { isRecord } from '../../object.ts';
import { duplicateFault, type FieldFault, forbiddenFault, invalidFault, requiredFault } from '../../rest/errors.ts';
import { labelFaults } from '../../rest/names.ts';
import { nanosOf } from '../quantity.ts';
import {
  all,
  type Check,
  type CheckRule,
  type CheckRules,
  CORE,
  join,
  portNameProblems,
  portOrName,
  records,
  type Target,
  text,
} from './rule.ts';

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

/** Containers are named by a DNS label. */
const containerName: Check = (container, path) => {
  const name = text(container['name']);
  return name === '' ? [] : labelFaults(name, join(path, 'name'));
};

const imageName: Check = ({ image }, path) => {
  if (typeof image !== 'string' || image === image.trim()) return [];
  return [invalidFault(join(path, 'image'), image, 'must not have leading or trailing whitespace')];
};

const portNames: Check = (container, path) => {
  const seen = new Set<string>();
  return records(container['ports']).flatMap((port, i) => {
    const name = text(port['name']);
    const at = `${join(path, 'ports')}[${i}].name`;
    if (name === '') return [];
    const problems = portNameProblems(name);
    if (problems.length > 0) return problems.map((problem) => invalidFault(at, name, problem));
    const isTaken = seen.has(name);
    seen.add(name);
    return isTaken ? [duplicateFault(at, name)] : [];
  });
};

const mountPaths: Check = (container, path) => {
  const seen = new Set<unknown>();
  return records(container['volumeMounts']).flatMap(({ mountPath }, i) => {
    const isTaken = mountPath !== undefined && seen.has(mountPath);
    seen.add(mountPath);
    return isTaken ? [invalidFault(`${join(path, 'volumeMounts')}[${i}].mountPath`, mountPath, 'must be unique')] : [];
  });
};

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc'];
const PROBE_NUMBERS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
];

function probeFaults(probe: Target, path: string, succeedsOnce: boolean): FieldFault[] {
  const handlers = HANDLERS.filter((handler) => isRecord(probe[handler]));
  const faults = handlers
    .slice(1)
    .map((handler) => forbiddenFault(`${path}.${handler}`, 'may not specify more than 1 handler type'));
  if (handlers.length === 0) faults.push(requiredFault(path, 'must specify a handler type'));
  for (const handler of ['httpGet', 'tcpSocket']) {
    const target = probe[handler];
    if (isRecord(target)) faults.push(...portOrName(`${path}.${handler}.port`, target['port']));
  }
  for (const field of PROBE_NUMBERS) {
    const value = probe[field];
    if (typeof value === 'number' && value < 0)
      faults.push(invalidFault(`${path}.${field}`, value, 'must be greater than or equal to 0'));
  }
  const { successThreshold } = probe;
  if (succeedsOnce && typeof successThreshold === 'number' && successThreshold > 1)
    faults.push(invalidFault(`${path}.successThreshold`, successThreshold, 'must be 1'));
  return faults;
}

const probes: Check = (container, path) =>
  ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((name) => {
    const probe = container[name];
    return isRecord(probe) ? probeFaults(probe, join(path, name), name !== 'readinessProbe') : [];
  });

const CONTAINER: CheckRule = {
  required: ['name', 'image'],
  oneOf: {
    imagePullPolicy: ['Always', 'IfNotPresent', 'Never'],
    terminationMessagePolicy: ['File', 'FallbackToLogsOnError'],
  },
  extra: all(containerName, imageName, portNames, mountPaths, probes),
};

const PRINTABLE = /^[ -<>-~]+$/;
const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'];
const POD_FIELDS = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]);
const POD_KEYS = /^metadata\.(annotations|labels)\['[^']+'\]$/;

const variable: Check = ({ name, value, valueFrom }, path) => {
  const faults: FieldFault[] = [];
  if (typeof name === 'string' && name !== '' && !PRINTABLE.test(name)) {
    const why = "a valid environment variable name must consist only of printable ASCII characters other than '='";
    faults.push(invalidFault(join(path, 'name'), name, why));
  }
  if (!isRecord(valueFrom)) return faults;
  const at = join(path, 'valueFrom');
  const sources = SOURCES.filter((source) => isRecord(valueFrom[source]));
  if (sources.length === 0) {
    const why =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    faults.push(invalidFault(at, '', why));
  } else if (text(value) !== '') {
    faults.push(invalidFault(at, '', 'may not be specified when `value` is not empty'));
  } else if (sources.length > 1) {
    faults.push(invalidFault(at, '', 'may not have more than one field specified at a time'));
  }
  return faults;
};

const podField: Check = ({ fieldPath }, path) => {
  const field = text(fieldPath);
  if (field === '' || POD_FIELDS.has(field) || POD_KEYS.test(field)) return [];
  const why = `error converting fieldPath: field label not supported: ${field}`;
  return [invalidFault(join(path, 'fieldPath'), field, why)];
};

const STANDARD = /^(cpu|memory|ephemeral-storage|hugepages-.+)$/;

function quantityFaults(list: Target, path: string): FieldFault[] {
  return Object.entries(list).flatMap(([name, value]) => {
    const at = `${path}[${name}]`;
    const faults: FieldFault[] = [];
    if (!STANDARD.test(name) && !name.includes('/')) {
      faults.push(
        invalidFault(at, name, 'must be a standard resource type or fully qualified'),
        invalidFault(at, name, 'must be a standard resource for containers'),
      );
    }
    if (nanosOf(String(value)) < 0n) faults.push(invalidFault(at, value, 'must be greater than or equal to 0'));
    return faults;
  });
}

/** Quantities are of known resources, not negative, and no more is asked for than is allowed. */
const resources: Check = ({ limits, requests }, path) => {
  const faults = [
    ...(isRecord(limits) ? quantityFaults(limits, join(path, 'limits')) : []),
    ...(isRecord(requests) ? quantityFaults(requests, join(path, 'requests')) : []),
  ];
  if (!isRecord(limits) || !isRecord(requests)) return faults;
  for (const [name, value] of Object.entries(requests)) {
    if (!Object.hasOwn(limits, name) || nanosOf(String(value)) <= nanosOf(String(limits[name]))) continue;
    const why = `must be less than or equal to ${name} limit of ${String(limits[name])}`;
    faults.push(invalidFault(join(path, 'requests'), value, why));
  }
  return faults;
};

export const CONTAINER_CHECKS: CheckRules = {
  [`${CORE}Container`]: CONTAINER,
  [`${CORE}ResourceRequirements`]: { extra: resources },
  [`${CORE}ContainerPort`]: { required: ['containerPort'], oneOf: { protocol: PROTOCOLS }, port: ['containerPort'] },
  [`${CORE}EnvVar`]: { required: ['name'], extra: variable },
  [`${CORE}ConfigMapKeySelector`]: { required: ['key'] },
  [`${CORE}SecretKeySelector`]: { required: ['key'] },
  [`${CORE}ObjectFieldSelector`]: { required: ['fieldPath'], extra: podField },
  [`${CORE}VolumeMount`]: { required: ['name', 'mountPath'] },
};
