// Owns the checks of Services, Ingresses and NetworkPolicies. Source: pkg/apis/core and networking validation of
// Kubernetes 1.36. Pure.
import { isIP } from 'node:net';
import { isRecord } from '../../object.ts';
import { duplicateFault, type FieldFault, forbiddenFault, invalidFault, requiredFault } from '../../rest/errors.ts';
import { dnsLabelProblems } from '../../rest/names.ts';
import { PROTOCOLS } from './containers.ts';
import {
  all,
  type Check,
  type CheckRules,
  CORE,
  dnsName,
  join,
  labelsIn,
  oneOf,
  portNumber,
  portOrName,
  records,
  text,
  uniqueNames,
} from './rule.ts';

const networking = 'io.k8s.api.networking.v1.';
const ADDRESS = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
const NODE_PORTS = { first: 30000, last: 32767 };

/** Of several ports each needs a name; no two are the same. */
const servicePorts: Check = (spec, path) => {
  const ports = records(spec['ports']);
  const seen = new Set<string>();
  return ports.flatMap((port, i) => {
    const at = `${join(path, 'ports')}[${i}]`;
    const faults = [...namedPort(port, at, ports.length > 1), ...nodePort(spec, port, at)];
    const key = `${text(port['protocol']) || 'TCP'} ${String(port['port'])}`;
    if (seen.has(key)) faults.push(duplicateFault(at, shownPort(port)));
    seen.add(key);
    return faults;
  });
};

function namedPort(port: Record<string, unknown>, at: string, required: boolean): FieldFault[] {
  const name = text(port['name']);
  const target = port['targetPort'];
  const faults: FieldFault[] = [];
  if (name === '' && required) faults.push(requiredFault(`${at}.name`));
  if (name !== '')
    faults.push(...dnsLabelProblems('label', name).map((problem) => invalidFault(`${at}.name`, name, problem)));
  if (typeof target === 'string') faults.push(...portOrName(`${at}.targetPort`, target));
  return faults;
}

function nodePort(spec: Readonly<Record<string, unknown>>, port: Record<string, unknown>, at: string): FieldFault[] {
  const number = port['nodePort'];
  if (typeof number !== 'number' || number === 0) return [];
  if ((spec['type'] ?? 'ClusterIP') === 'ClusterIP')
    return [forbiddenFault(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'")];
  const { first, last } = NODE_PORTS;
  if (number >= first && number <= last) return [];
  const why = `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
  return [invalidFault(`${at}.nodePort`, number, why)];
}

/** A port as the API server prints what makes it one of its kind. */
function shownPort(port: Record<string, unknown>): Record<string, unknown> {
  return {
    Name: '',
    Protocol: text(port['protocol']) || 'TCP',
    AppProtocol: null,
    Port: port['port'],
    TargetPort: 0,
    NodePort: 0,
  };
}

const serviceType: Check = (spec, path) => {
  const { type, ports, externalName } = spec;
  const clusterIP = text(spec['clusterIP']);
  if (type === 'ExternalName') {
    if (text(externalName) === '') return [requiredFault(join(path, 'externalName'))];
    const name = text(externalName).replace(/\.$/, '');
    return dnsLabelProblems('subdomain', name).map((problem) =>
      invalidFault(join(path, 'externalName'), externalName, problem),
    );
  }
  const faults: FieldFault[] = [];
  if (clusterIP !== 'None' && records(ports).length === 0) faults.push(requiredFault(join(path, 'ports')));
  const at = `${join(path, 'clusterIPs')}[0]`;
  if (clusterIP === 'None' && (type === 'NodePort' || type === 'LoadBalancer'))
    faults.push(invalidFault(at, 'None', `may not be set to 'None' for ${type} services`));
  if (clusterIP !== '' && clusterIP !== 'None' && isIP(clusterIP) === 0)
    faults.push(invalidFault(at, clusterIP, ADDRESS));
  return faults;
};

const externalAddresses: Check = ({ externalIPs }, path) =>
  (Array.isArray(externalIPs) ? externalIPs : []).flatMap((address, i) =>
    isIP(String(address)) === 0 ? [invalidFault(`${join(path, 'externalIPs')}[${i}]`, address, ADDRESS)] : [],
  );

const ingressSpec: Check = (spec, path) => {
  if (spec['defaultBackend'] !== undefined || records(spec['rules']).length > 0) return [];
  return [invalidFault(path, null, 'either `defaultBackend` or `rules` must be specified')];
};

/** An Ingress without a spec has an empty one. */
const ingress: Check = ({ spec }) => (spec === undefined ? ingressSpec({}, 'spec') : []);

const ingressHost: Check = ({ host }, path) => {
  const name = text(host);
  const at = join(path, 'host');
  if (name === '') return [];
  if (isIP(name) !== 0) return [invalidFault(at, name, 'must be a DNS name, not an IP address')];
  const plain = name.startsWith('*.') ? name.slice(2) : name;
  return dnsLabelProblems('subdomain', plain).map((problem) => invalidFault(at, name, problem));
};

const BAD_PARTS = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_ENDS = ['/..', '/.'];

const ingressPath: Check = ({ path: given, pathType }, path) => {
  if (pathType !== 'Exact' && pathType !== 'Prefix') return [];
  const at = join(path, 'path');
  const value = text(given);
  if (!value.startsWith('/')) return [invalidFault(at, value, 'must be an absolute path')];
  return [
    ...BAD_PARTS.filter((part) => value.includes(part)).map((part) =>
      invalidFault(at, value, `must not contain '${part}'`),
    ),
    ...BAD_ENDS.filter((end) => value.endsWith(end)).map((end) => invalidFault(at, value, `cannot end with '${end}'`)),
  ];
};

const ingressBackend: Check = ({ service, resource }, path) => {
  if (isRecord(resource) && isRecord(service))
    return [invalidFault(path, '', 'cannot set both resource and service backends')];
  if (isRecord(resource)) return [];
  if (!isRecord(service)) return [invalidFault(path, '', 'resource or service backend is required')];
  const name = text(service['name']);
  const at = join(path, 'service');
  const faults =
    name === ''
      ? [requiredFault(`${at}.name`)]
      : dnsLabelProblems('label', name).map((problem) => invalidFault(`${at}.name`, name, problem));
  const port = isRecord(service['port']) ? service['port'] : {};
  const hasNumber = typeof port['number'] === 'number' && port['number'] !== 0;
  const portName = text(port['name']);
  if (portName !== '' && hasNumber) faults.push(invalidFault(path, '', 'cannot set both port name & port number'));
  else if (portName !== '') faults.push(...portOrName(`${at}.port.name`, portName));
  else if (hasNumber) faults.push(...portNumber(`${at}.port.number`, port['number']));
  else faults.push(requiredFault(path, 'port name or number is required'));
  return faults;
};

/** The address of a load balancer, in a status. */
const balancerAddress: Check = ({ ip }, path) => {
  const address = text(ip);
  return address === '' || isIP(address) !== 0 ? [] : [invalidFault(join(path, 'ip'), address, ADDRESS)];
};

const policyTypes: Check = ({ policyTypes: types }, path) =>
  (Array.isArray(types) ? types : []).flatMap((type, i) =>
    oneOf(`${join(path, 'policyTypes')}[${i}]`, type, ['Ingress', 'Egress']),
  );

const policyPeer: Check = (peer, path) => {
  const selects = isRecord(peer['podSelector']) || isRecord(peer['namespaceSelector']);
  const block = isRecord(peer['ipBlock']);
  if (!selects && !block) return [requiredFault(path, 'must specify a peer')];
  return selects && block ? [forbiddenFault(path, 'may not specify both ipBlock and another peer')] : [];
};

const addressBlock: Check = ({ cidr }, path) => {
  const value = text(cidr);
  const at = join(path, 'cidr');
  if (value === '') return [requiredFault(at)];
  const [address = '', bits = ''] = value.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  return isIP(address) !== 0 && /^\d+$/.test(bits) && Number(bits) <= most ? [] : [invalidFault(at, value, CIDR)];
};

const policyPort: Check = ({ port, protocol }, path) => [
  ...(protocol === undefined ? [] : oneOf(join(path, 'protocol'), protocol, ['TCP', 'UDP', 'SCTP'])),
  ...(port === undefined ? [] : portOrName(join(path, 'port'), port)),
];

export const NETWORK_CHECKS: CheckRules = {
  [`${CORE}ServiceSpec`]: {
    oneOf: { type: ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'], sessionAffinity: ['ClientIP', 'None'] },
    extra: all(serviceType, servicePorts, uniqueNames('ports'), labelsIn('selector'), externalAddresses),
  },
  [`${CORE}ServicePort`]: { oneOf: { protocol: PROTOCOLS }, port: ['port', 'targetPort'] },
  [`${CORE}LoadBalancerIngress`]: { extra: balancerAddress },
  [`${networking}IngressLoadBalancerIngress`]: { extra: balancerAddress },
  [`${networking}Ingress`]: { extra: ingress },
  [`${networking}IngressSpec`]: { extra: all(ingressSpec, dnsName('ingressClassName', 'subdomain')) },
  [`${networking}IngressRule`]: { extra: ingressHost },
  [`${networking}HTTPIngressRuleValue`]: { required: ['paths'] },
  [`${networking}HTTPIngressPath`]: {
    details: { pathType: 'pathType must be specified' },
    required: ['pathType'],
    oneOf: { pathType: ['Exact', 'ImplementationSpecific', 'Prefix'] },
    extra: ingressPath,
  },
  [`${networking}IngressBackend`]: { extra: ingressBackend },
  [`${networking}NetworkPolicySpec`]: { extra: policyTypes },
  [`${networking}NetworkPolicyPeer`]: { extra: policyPeer },
  [`${networking}IPBlock`]: { extra: addressBlock },
  [`${networking}NetworkPolicyPort`]: { extra: policyPort },
};
