// Owns the checks of Services, in the order in which the API server makes them. Source: pkg/apis/core/validation of
// Kubernetes 1.36. Pure.
import { isIP } from 'node:net';
import { equalJson, isRecord, type KubeObject } from '../../object.ts';
import {
  duplicateFault,
  type FieldFault,
  forbiddenFault,
  invalidFault,
  requiredFault,
  unsupportedFault,
} from '../../rest/errors.ts';
import { dnsLabelProblems, keyProblems } from '../../rest/names.ts';
import { PROTOCOLS } from './containers.ts';
import { ADDRESS, blockFaults } from './network.ts';
import {
  all,
  type Check,
  type CheckRules,
  CORE,
  join,
  labelsIn,
  oneOf,
  portNumber,
  portOrName,
  records,
  type Target,
  text,
} from './rule.ts';

export const NODE_PORTS = { first: 30000, last: 32767 };
/** In place of an address: there is none. */
export const HEADLESS = 'None';

const BALANCER = 'LoadBalancer';
const ONLY_BALANCER = "may only be used when `type` is 'LoadBalancer'";
const isHeadless = (spec: Target): boolean => spec['clusterIP'] === HEADLESS;
const isExternal = (spec: Target): boolean =>
  spec['type'] === BALANCER ||
  spec['type'] === 'NodePort' ||
  (spec['type'] === 'ClusterIP' && textsOf(spec['externalIPs']).length > 0);

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** A load balancer that sends to nodes with endpoints only asks them whether they have any. */
export function needsHealthPort(spec: Target): boolean {
  return spec['type'] === BALANCER && spec['externalTrafficPolicy'] === 'Local';
}

const typeRules: Check = (spec, path) => {
  const { type, externalName } = spec;
  const faults: FieldFault[] = [];
  if (records(spec['ports']).length === 0 && !isHeadless(spec) && type !== 'ExternalName')
    faults.push(requiredFault(join(path, 'ports')));
  if (isHeadless(spec) && (type === 'NodePort' || type === BALANCER)) {
    const why = `may not be set to 'None' for ${type} services`;
    faults.push(invalidFault(`${join(path, 'clusterIPs')}[0]`, HEADLESS, why));
  }
  if (type !== 'ExternalName') return faults;
  for (const field of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'].filter((name) => isGiven(spec[name])))
    faults.push(forbiddenFault(join(path, field), 'may not be set for ExternalName services'));
  const name = text(externalName).replace(/\.$/, '');
  const at = join(path, 'externalName');
  if (name === '') return [...faults, requiredFault(at)];
  return [...faults, ...dnsLabelProblems('subdomain', name).map((problem) => invalidFault(at, name, problem))];
};

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}

/** Of several ports each needs a name of its own. */
const portRules: Check = (spec, path) => {
  const ports = records(spec['ports']);
  const names = new Set<string>();
  return ports.flatMap((port, i) => {
    const at = `${join(path, 'ports')}[${i}]`;
    const name = text(port['name']);
    const faults: FieldFault[] = [];
    if (name === '' && ports.length > 1) faults.push(requiredFault(`${at}.name`));
    if (name !== '') {
      faults.push(...dnsLabelProblems('label', name).map((problem) => invalidFault(`${at}.name`, name, problem)));
      if (names.has(name)) faults.push(duplicateFault(`${at}.name`, name));
      names.add(name);
    }
    faults.push(...portNumber(`${at}.port`, port['port']), ...oneOf(`${at}.protocol`, port['protocol'], PROTOCOLS));
    faults.push(...portOrName(`${at}.targetPort`, port['targetPort']));
    const protocol = port['appProtocol'];
    if (typeof protocol !== 'string') return faults;
    return [...faults, ...keyProblems(protocol).map((problem) => invalidFault(`${at}.appProtocol`, protocol, problem))];
  });
};

const MAX_AFFINITY_SECONDS = 86400;

const affinity: Check = ({ sessionAffinity, sessionAffinityConfig: config }, path) => {
  const faults = oneOf(join(path, 'sessionAffinity'), sessionAffinity, ['ClientIP', 'None']);
  const at = join(path, 'sessionAffinityConfig');
  if (sessionAffinity === 'None' && config !== undefined)
    faults.push(forbiddenFault(at, 'must not be set when session affinity is None'));
  if (sessionAffinity !== 'ClientIP' || !isRecord(config) || !isRecord(config['clientIP'])) return faults;
  const seconds = config['clientIP']['timeoutSeconds'];
  if (typeof seconds !== 'number' || (seconds > 0 && seconds <= MAX_AFFINITY_SECONDS)) return faults;
  const why = `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`;
  return [...faults, invalidFault(`${at}.clientIP.timeoutSeconds`, seconds, why)];
};

const FAMILIES = ['IPv4', 'IPv6'];
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];

/** Faults of the addresses, their families, and how they fit each other. */
export function addressFaults(spec: Target, path: string): FieldFault[] {
  if (spec['type'] === 'ExternalName') return [];
  const at = join(path, 'clusterIPs');
  const addresses = textsOf(spec['clusterIPs']);
  const address = text(spec['clusterIP']);
  const families = textsOf(spec['ipFamilies']);
  const faults: FieldFault[] = [];
  if (address === '' && addresses.length > 0)
    faults.push(invalidFault(at, addresses, 'must be empty when `clusterIP` is not specified'));
  if (address !== '' && addresses.length === 0) faults.push(requiredFault(at));
  else if (address !== '' && addresses[0] !== address)
    faults.push(invalidFault(at, addresses, 'first value must match `clusterIP`'));
  for (const [i, family] of families.entries()) {
    const field = `${join(path, 'ipFamilies')}[${i}]`;
    if (!FAMILIES.includes(family)) faults.push(unsupportedFault(field, family, FAMILIES));
    if (families.indexOf(family) < i) faults.push(duplicateFault(field, family));
  }
  const policy = spec['ipFamilyPolicy'];
  if (policy !== undefined) faults.push(...oneOf(join(path, 'ipFamilyPolicy'), policy, POLICIES));
  if (addresses[0] === HEADLESS && addresses.length > 1)
    return [...faults, invalidFault(at, addresses, "'None' must be the first and only value")];
  const wrong = addresses.flatMap((item, i) =>
    (i === 0 && item === HEADLESS) || isIP(item) !== 0 ? [] : [invalidFault(`${at}[${i}]`, item, ADDRESS)],
  );
  faults.push(...wrong);
  if (addresses.length > 2) faults.push(invalidFault(at, addresses, 'may only hold up to 2 values'));
  if (wrong.length > 0) return faults;
  const kinds = new Set(addresses.map((item) => isIP(item)));
  if (addresses.length > 1 && kinds.size < 2)
    faults.push(invalidFault(at, addresses, 'may specify no more than one IP for each IP family'));
  return [...faults, ...mismatches(addresses, families, at)];
}

function mismatches(addresses: readonly string[], families: readonly string[], at: string): FieldFault[] {
  return addresses.flatMap((address, i) => {
    const family = families[i];
    const found = address === HEADLESS ? family : `IPv${isIP(address)}`;
    if (family === undefined || family === found || !FAMILIES.includes(family)) return [];
    return [invalidFault(`${at}[${i}]`, address, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``)];
  });
}

/** Addresses that reach only the machine or the network that they are on. */
const SPECIAL: readonly (readonly [RegExp, (address: string) => string])[] = [
  [/^(0\.0\.0\.0|::)$/, (address) => `may not be unspecified (${address})`],
  [/^(127\.|::1$)/, () => 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [/^(169\.254\.|fe[89ab])/i, () => 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [/^(224\.0\.0\.|ff02:)/i, () => 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
];

const externalAddresses: Check = ({ externalIPs }, path) =>
  textsOf(externalIPs).flatMap((address, i) => {
    const at = `${join(path, 'externalIPs')}[${i}]`;
    if (isIP(address) === 0) return [invalidFault(at, address, ADDRESS)];
    return SPECIAL.filter(([range]) => range.test(address)).map(([, why]) => invalidFault(at, address, why(address)));
  });

const TYPES = ['ClusterIP', 'ExternalName', BALANCER, 'NodePort'];

const typeName: Check = ({ type }, path) => oneOf(join(path, 'type'), type, TYPES);

/** Ports that are there twice, and node ports where they cannot be. */
const repeatedPorts: Check = (spec, path) => {
  const ports = records(spec['ports']);
  const at = (i: number): string => `${join(path, 'ports')}[${i}]`;
  const nodePort = (port: Target): number => (typeof port['nodePort'] === 'number' ? port['nodePort'] : 0);
  const isRepeated = (keyOf: (port: Target) => string, i: number): boolean =>
    ports.findIndex((port) => keyOf(port) === keyOf(ports[i]!)) < i;
  const withNodePort = ports.flatMap((port, i) => (nodePort(port) === 0 ? [] : [i]));
  return [
    ...withNodePort
      .filter(() => spec['type'] === 'ClusterIP')
      .map((i) => forbiddenFault(`${at(i)}.nodePort`, "may not be used when `type` is 'ClusterIP'")),
    ...withNodePort
      .filter((i) => isRepeated((port) => `${text(port['protocol'])} ${nodePort(port)}`, i))
      .map((i) => duplicateFault(`${at(i)}.nodePort`, nodePort(ports[i]!))),
    ...ports.flatMap((port, i) =>
      isRepeated((other) => `${text(other['protocol'])} ${String(other['port'])}`, i)
        ? [duplicateFault(at(i), shownPort(port))]
        : [],
    ),
  ];
};

/** A port as the API server prints what makes it one of its kind. */
function shownPort(port: Target): Target {
  const { protocol, port: number } = port;
  return { Name: '', Protocol: protocol, AppProtocol: null, Port: number, TargetPort: 0, NodePort: 0 };
}

const balancerRules: Check = (spec, path) => {
  const ranges = textsOf(spec['loadBalancerSourceRanges']);
  const isBalancer = spec['type'] === BALANCER;
  const faults: FieldFault[] = [];
  // The API server spells it so.
  const at = join(path, 'LoadBalancerSourceRanges');
  if (ranges.length > 0 && !isBalancer) faults.push(forbiddenFault(at, ONLY_BALANCER));
  faults.push(...ranges.flatMap((range, i) => blockFaults(range.trim(), `${at}[${i}]`)));
  if (spec['allocateLoadBalancerNodePorts'] !== undefined && !isBalancer)
    faults.push(forbiddenFault(join(path, 'allocateLoadBalancerNodePorts'), ONLY_BALANCER));
  const name = spec['loadBalancerClass'];
  if (typeof name !== 'string') return faults;
  const field = join(path, 'loadBalancerClass');
  if (!isBalancer) return [...faults, forbiddenFault(field, ONLY_BALANCER)];
  return [...faults, ...keyProblems(name).map((problem) => invalidFault(field, name, problem))];
};

const TRAFFIC = ['Cluster', 'Local'];
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

const traffic: Check = (spec, path) => {
  const { externalTrafficPolicy: external, internalTrafficPolicy: internal, trafficDistribution } = spec;
  const at = join(path, 'externalTrafficPolicy');
  const faults: FieldFault[] = [];
  if (isExternal(spec)) faults.push(...(external === undefined ? [requiredFault(at)] : oneOf(at, external, TRAFFIC)));
  else if (external !== undefined)
    faults.push(invalidFault(at, external, 'may only be set for externally-accessible services'));
  const port = spec['healthCheckNodePort'];
  const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
  if (typeof port === 'number' && port !== 0 && !needsHealthPort(spec))
    faults.push(invalidFault(join(path, 'healthCheckNodePort'), port, why));
  if (internal !== undefined) faults.push(...oneOf(join(path, 'internalTrafficPolicy'), internal, TRAFFIC));
  if (trafficDistribution === undefined) return faults;
  return [...faults, ...oneOf(join(path, 'trafficDistribution'), trafficDistribution, DISTRIBUTIONS)];
};

/** Faults of a change: an address that is set stays. */
export function serviceChanges({ spec: now }: KubeObject, { spec: before }: KubeObject): FieldFault[] {
  if (!isRecord(now) || !isRecord(before)) return [];
  const faults: FieldFault[] = [];
  const addresses = textsOf(now['clusterIPs']);
  const isAlias = now['type'] === 'ExternalName' || before['type'] === 'ExternalName';
  if (!isAlias && !(isHeadless(now) && isHeadless(before))) {
    for (const [i, old] of textsOf(before['clusterIPs']).entries()) {
      if (addresses[i] !== undefined && addresses[i] !== old)
        faults.push(invalidFault(`spec.clusterIPs[${i}]`, addresses, 'may not change once set'));
    }
  }
  const balances = now['type'] === BALANCER && before['type'] === BALANCER;
  if (balances && !equalJson(now['loadBalancerClass'] ?? null, before['loadBalancerClass'] ?? null))
    faults.push(invalidFault('spec.loadBalancerClass', now['loadBalancerClass'], 'may not change once set'));
  const port = 'healthCheckNodePort';
  if (needsHealthPort(now) && needsHealthPort(before) && now[port] !== before[port])
    faults.push(forbiddenFault(`spec.${port}`, 'field is immutable'));
  return faults;
}

export const SERVICE_CHECKS: CheckRules = {
  [`${CORE}ServiceSpec`]: {
    extra: all(
      typeRules,
      portRules,
      labelsIn('selector'),
      affinity,
      addressFaults,
      externalAddresses,
      typeName,
      repeatedPorts,
      balancerRules,
      traffic,
    ),
  },
};
