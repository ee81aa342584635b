// Owns the checks of Ingresses and NetworkPolicies. Source: pkg/apis/core and networking validation of
// Kubernetes 1.36. Pure.
import { isIP } from 'node:net';
import { isRecord } from '../../object.ts';
import { type FieldFault, forbiddenFault, invalidFault, requiredFault } from '../../rest/errors.ts';
import { dnsLabelProblems } from '../../rest/names.ts';
import {
  all,
  type Check,
  type CheckRules,
  CORE,
  dnsName,
  join,
  oneOf,
  portNumber,
  portOrName,
  records,
  text,
} from './rule.ts';

const networking = 'io.k8s.api.networking.v1.';
export const ADDRESS = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

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
  return blockFaults(value, at);
};

/** Faults of a block of addresses. */
export function blockFaults(value: string, at: string): FieldFault[] {
  const [address = '', bits = ''] = value.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  return isIP(address) !== 0 && /^\d+$/.test(bits) && Number(bits) <= most ? [] : [invalidFault(at, value, CIDR)];
}

const policyPort: Check = ({ port, protocol }, path) => [
  ...(protocol === undefined ? [] : oneOf(join(path, 'protocol'), protocol, ['TCP', 'UDP', 'SCTP'])),
  ...(port === undefined ? [] : portOrName(join(path, 'port'), port)),
];

export const NETWORK_CHECKS: CheckRules = {
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
