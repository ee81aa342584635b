// Owns the addresses and node ports that services get.
import type { AdmissionStep, Core } from '../core.ts';
import { isRecord, type KubeObject, readPath } from '../object.ts';
import { invalid, invalidFault } from '../rest/errors.ts';

type Body = Record<string, unknown>;

const FIRST_NODE_PORT = 30000;
const LAST_NODE_PORT = 32767;
/** 10.96.0.0/16 without the network's own and the reserved first address. */
const ADDRESSES = 65534;

function used(core: Core, read: (service: KubeObject) => readonly unknown[]): Set<unknown> {
  return new Set(core.storage.list('/services').flatMap(({ object }) => read(object)));
}

function nextAddress(core: Core): string {
  const taken = used(core, (service) => [readPath(service, ['spec', 'clusterIP'])]);
  // Starting from the revision spreads addresses, so that a new service seldom gets a deleted one's.
  for (let i = 0; i < ADDRESSES; i++) {
    const offset = 2 + ((core.storage.revision * 7 + i) % (ADDRESSES - 2));
    const address = `10.96.${offset >>> 8}.${offset & 0xff}`;
    if (!taken.has(address)) return address;
  }
  return 'None';
}

function portsOf(service: KubeObject): Body[] {
  const ports = readPath(service, ['spec', 'ports']);
  return Array.isArray(ports) ? ports.filter(isRecord) : [];
}

function withNodePorts(core: Core, spec: Body, live: KubeObject | undefined): Body {
  const type = spec['type'];
  const ports = Array.isArray(spec['ports']) ? spec['ports'].filter(isRecord) : [];
  if (type !== 'NodePort' && type !== 'LoadBalancer') return spec;
  const taken = used(core, (service) => portsOf(service).map((port) => port['nodePort']));
  const before = live ? portsOf(live) : [];
  let next = FIRST_NODE_PORT + ((core.storage.revision * 13) % 2000);
  const free = (): number => {
    while (taken.has(next) && next < LAST_NODE_PORT) next++;
    taken.add(next);
    return next;
  };
  return {
    ...spec,
    ports: ports.map((port) => {
      if (typeof port['nodePort'] === 'number' && port['nodePort'] !== 0) return port;
      const same = before.find((old) => old['port'] === port['port'] && old['protocol'] === port['protocol']);
      return { ...port, nodePort: same?.['nodePort'] ?? free() };
    }),
  };
}

/** An alias of another name has no address of its own. */
function withoutAddress(spec: Body): Body {
  const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy, internalTrafficPolicy, ...rest } = spec;
  return rest;
}

/** Endpoints that nobody selects may be of any family. */
function familiesOf(spec: Body): Body {
  const { ipFamilies, ipFamilyPolicy, selector } = spec;
  const isOpen = spec['clusterIP'] === 'None' && !(isRecord(selector) && Object.keys(selector).length > 0);
  const [families, policy] = isOpen ? [['IPv4', 'IPv6'], 'RequireDualStack'] : [['IPv4'], 'SingleStack'];
  return { ipFamilies: ipFamilies ?? families, ipFamilyPolicy: ipFamilyPolicy ?? policy };
}

/** Allocates what the service's type needs; an update keeps what the live one has. */
export const serviceStep: AdmissionStep = {
  kind: '/Service',
  admit(core, write, object, live) {
    if (write.subresource !== '') return object;
    const spec = (isRecord(object['spec']) ? object['spec'] : {}) as Body;
    if (spec['type'] === 'ExternalName') return live === undefined ? object : { ...object, spec: withoutAddress(spec) };
    const before = (live ? readPath(live, ['spec', 'clusterIP']) : undefined) as string | undefined;
    if (before && before !== 'None' && spec['clusterIP'] && spec['clusterIP'] !== before) {
      throw invalid(write.resource, object.metadata.name, [
        { ...invalidFault('spec.clusterIPs[0]', [spec['clusterIP']], 'may not change once set') },
      ]);
    }
    const clusterIP = spec['clusterIP'] || before || nextAddress(core);
    const addressed: Body = {
      ...spec,
      clusterIP,
      clusterIPs: [clusterIP],
      ...familiesOf(spec),
    };
    return { ...object, spec: withNodePorts(core, addressed, live) };
  },
};
