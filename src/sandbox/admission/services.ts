// Owns what a Service gets that its client did not say (an address and its family; node ports are service-ports.ts), and
// what it loses with another type. Source: pkg/registry/core/service of Kubernetes 1.36.
import { isIP } from 'node:net';
import type { AdmissionStep, Core } from '../core.ts';
import { equalJson, isRecord, type KubeObject, readPath } from '../object.ts';
import { type FieldFault, invalidFault } from '../rest/errors.ts';
import { addressFaults, HEADLESS } from '../schema/validation/services.ts';
import { type Admitting, type Body, refuse, withHealthPort, withNodePorts, withoutLostPorts } from './service-ports.ts';

/** 10.96.0.0/16 without the network's own and the reserved first address. */
const ADDRESSES = 65534;
const NETWORK = '10.96.';
const FAMILY = 'IPv4';
const SINGLE = 'SingleStack';
const REQUIRE_DUAL = 'RequireDualStack';

const isAlias = (spec: Body): boolean => spec['type'] === 'ExternalName';
const selects = ({ selector }: Body): boolean => isRecord(selector) && Object.keys(selector).length > 0;
const listIn = (spec: Body, field: string): readonly unknown[] => {
  const value = spec[field];
  return Array.isArray(value) ? value : [];
};

/** An update that does not say what was allocated keeps it; the one address and the list of them follow each other. */
function withKnownAddresses(spec: Body, before: Body | undefined): Body {
  const known = { ...spec };
  if (before === undefined) {
    if (known['clusterIP'] && listIn(known, 'clusterIPs').length === 0) known['clusterIPs'] = [known['clusterIP']];
    return known;
  }
  if (!isAlias(before) && !isAlias(known)) {
    known['clusterIP'] ||= before['clusterIP'];
    if (listIn(known, 'clusterIPs').length === 0) known['clusterIPs'] = before['clusterIPs'];
  }
  const isSameList = equalJson(listIn(known, 'clusterIPs'), listIn(before, 'clusterIPs'));
  if (isSameList && (known['clusterIP'] ?? '') !== (before['clusterIP'] ?? '')) {
    known['clusterIPs'] = known['clusterIP'] ? [known['clusterIP']] : undefined;
  }
  return known;
}

/** The families of addresses: one, but for endpoints that nobody selects, which may be of any. */
function withFamilies(admitting: Admitting, spec: Body): Body {
  const { before } = admitting;
  const isOpen = spec['clusterIP'] === HEADLESS && !selects(spec);
  const policy = spec['ipFamilyPolicy'] ?? before?.['ipFamilyPolicy'] ?? (isOpen ? REQUIRE_DUAL : SINGLE);
  refuse(admitting, addressFaults({ ...spec, ipFamilyPolicy: policy }, 'spec'));

  let families = listIn(spec, 'ipFamilies');
  const addresses = listIn(spec, 'clusterIPs');
  const faults: FieldFault[] = [];
  if (policy === SINGLE) {
    if (before && equalJson(families, before['ipFamilies'])) families = families.slice(0, 1);
    const both = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
    if (addresses.length === 2)
      faults.push(invalidFault('spec.ipFamilyPolicy', policy, `${both} cluster IPs are specified`));
    if (families.length === 2)
      faults.push(invalidFault('spec.ipFamilyPolicy', policy, `${both} IP families are specified`));
  }
  for (const [i, address] of addresses.entries()) {
    if (address === HEADLESS) break;
    if (i < families.length) continue;
    if (isIP(String(address)) === 4) families = [...families, FAMILY];
    else faults.push(invalidFault(`spec.clusterIPs[${i}]`, addresses, 'IPv6 is not configured on this cluster'));
  }
  refuse(admitting, faults);
  if (isOpen) {
    if (families.length === 0) families = [FAMILY];
    if (families.length < 2 && policy !== SINGLE) families = [...families, families[0] === FAMILY ? 'IPv6' : FAMILY];
    return { ...spec, ipFamilies: families, ipFamilyPolicy: policy };
  }
  if (policy === REQUIRE_DUAL)
    faults.push(invalidFault('spec.ipFamilyPolicy', policy, 'this cluster is not configured for dual-stack services'));
  for (const [i, family] of families.entries()) {
    if (family !== FAMILY) faults.push(invalidFault(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
  }
  refuse(admitting, faults);
  return { ...spec, ipFamilies: families.length === 0 ? [FAMILY] : families, ipFamilyPolicy: policy };
}

function usedAddresses(core: Core): Set<unknown> {
  return new Set(core.storage.list('/services').map(({ object }) => readPath(object, ['spec', 'clusterIP'])));
}

function nextAddress(core: Core): string {
  const taken = usedAddresses(core);
  // Starting from the revision spreads addresses, so that a new service seldom gets a deleted one's.
  for (let i = 0; i < ADDRESSES; i++) {
    const offset = 2 + ((core.storage.revision * 7 + i) % (ADDRESSES - 2));
    const address = `${NETWORK}${offset >>> 8}.${offset & 0xff}`;
    if (!taken.has(address)) return address;
  }
  return HEADLESS;
}

/** A new Service, and one that was an alias, gets an address, unless it asks for none. */
function withAddress(admitting: Admitting, spec: Body): Body {
  const { core, before } = admitting;
  const [wanted] = listIn(spec, 'clusterIPs');
  if (wanted === HEADLESS || (before !== undefined && !isAlias(before))) return spec;
  if (wanted === undefined) {
    const address = nextAddress(core);
    return { ...spec, clusterIP: address, clusterIPs: [address] };
  }
  const why = !String(wanted).startsWith(NETWORK)
    ? 'the provided network does not match the current range'
    : usedAddresses(core).has(wanted)
      ? 'provided IP is already allocated'
      : undefined;
  if (why !== undefined) {
    const message = `failed to allocate IP ${String(wanted)}: ${why}`;
    refuse(admitting, [invalidFault('spec.clusterIPs', spec['clusterIPs'], message)]);
  }
  return spec;
}

/** What was given to a Service of another type, and is not the client's, goes. */
function withoutLost(spec: Body, before: Body): Body {
  const left = withoutLostPorts(spec, before);
  const drop = (field: string): void => {
    if (equalJson(left[field] ?? null, before[field] ?? null)) delete left[field];
  };
  if (isAlias(left) && !isAlias(before)) for (const field of ['ipFamilies', 'ipFamilyPolicy']) drop(field);
  if (isAlias(left) && !isAlias(before) && equalJson(left['clusterIPs'] ?? null, before['clusterIPs'] ?? null)) {
    drop('clusterIP');
    delete left['clusterIPs'];
  }
  const balanced = ({ type }: Body): boolean => type === 'LoadBalancer';
  if (balanced(before) && !balanced(left)) {
    drop('allocateLoadBalancerNodePorts');
    drop('loadBalancerClass');
  }
  return left;
}

/** Allocates what the Service's type needs; an update keeps what the live one has. */
export const serviceStep: AdmissionStep = {
  kind: '/Service',
  admit(core, write, object, live) {
    if (write.subresource !== '') return object;
    const before = live === undefined ? undefined : specOf(live);
    const admitting: Admitting = { core, write, name: object.metadata.name, before };
    let spec = withKnownAddresses(specOf(object), before);
    if (!isAlias(spec)) spec = withAddress(admitting, withFamilies(admitting, spec));
    spec = withHealthPort(admitting, withNodePorts(admitting, spec));
    if (before !== undefined) spec = withoutLost(spec, before);
    // It is a default that an alias should not have got.
    if (isAlias(spec)) delete spec['internalTrafficPolicy'];
    for (const field of Object.keys(spec)) if (spec[field] === undefined) delete spec[field];
    const loses = live !== undefined && spec['type'] !== 'LoadBalancer';
    return { ...object, spec, ...(loses ? { status: { loadBalancer: {} } } : {}) };
  },
};

function specOf(object: KubeObject): Body {
  return isRecord(object['spec']) ? object['spec'] : {};
}
