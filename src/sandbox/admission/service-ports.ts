// Owns the node ports of Services: what is asked for is taken or refused, what is not is made up. Source:
// pkg/registry/core/service/storage of Kubernetes 1.36.
import type { Core, WriteRequest } from '../core.ts';
import { isRecord, type KubeObject, readPath } from '../object.ts';
import { type FieldFault, invalid, invalidFault } from '../rest/errors.ts';
import { NODE_PORTS, needsHealthPort } from '../schema/validation/services.ts';

export type Body = Record<string, unknown>;

/** A Service on its way in. */
export interface Admitting {
  readonly core: Core;
  readonly write: WriteRequest;
  readonly name: string;
  /** The live Service's spec; undefined for a new one. */
  readonly before: Body | undefined;
}

/** Throws ApiError 422 with the faults, if there are any. */
export function refuse({ write, name }: Admitting, faults: readonly FieldFault[]): void {
  if (faults.length > 0) throw invalid(write.resource, name, faults);
}

/** The ports of a spec, which are objects once they are decoded. */
function portsOf(spec: unknown): Body[] {
  const ports = readPath(spec, ['ports']);
  return Array.isArray(ports) ? ports.filter(isRecord) : [];
}

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);
const nodePorts = (spec: unknown): number[] =>
  portsOf(spec)
    .map(({ nodePort }) => numberOf(nodePort))
    .filter((port) => port !== 0);
const needsPorts = ({ type }: Body): boolean => type === 'NodePort' || type === 'LoadBalancer';

/** The first ports of the range are left to those who ask for one, as a real server leaves them. */
const ASKED_FOR = 86;

/** The node ports of all Services but this one's, and the taking of more. */
interface Ports {
  take(port: number): string | undefined;
  next(): number;
}

function openPorts({ core, before }: Admitting): Ports {
  const used = new Set<number>();
  const add = (object: KubeObject): void => {
    for (const port of nodePorts(object['spec'])) used.add(port);
    used.add(numberOf(readPath(object, ['spec', 'healthCheckNodePort'])));
  };
  for (const { object } of core.storage.list('/services')) add(object);
  const { first, last } = NODE_PORTS;
  const own = new Set(nodePorts(before));
  let candidate = first + ASKED_FOR + ((core.storage.revision * 13) % 2000);
  return {
    take(port) {
      if (port < first || port > last)
        return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
      if (used.has(port) && !own.has(port)) return 'provided port is already allocated';
      own.delete(port);
      used.add(port);
      return undefined;
    },
    next() {
      while (used.has(candidate) && candidate < last) candidate++;
      used.add(candidate);
      return candidate;
    },
  };
}

/** The spec with a node port for each port that should have one. Throws ApiError 422 where one cannot be had. */
export function withNodePorts(admitting: Admitting, spec: Body): Body {
  if (!needsPorts(spec)) return spec;
  const { before } = admitting;
  const given = portsOf(spec);
  const kept = before !== undefined && needsPorts(before) ? keptPorts(given, before) : given;
  const makesUp = spec['type'] === 'NodePort' || spec['allocateLoadBalancerNodePorts'] !== false;
  if (!makesUp && kept.every(({ nodePort }) => numberOf(nodePort) === 0)) return { ...spec, ports: kept };
  const open = openPorts(admitting);
  const known = new Set(nodePorts(before));
  // One number serves the protocols of a port.
  const shared = new Map<unknown, number>();
  const taken = new Set<number>();
  const ports = kept.map((port, i) => {
    const wanted = numberOf(port['nodePort']) || (before === undefined ? requested(kept, port['port']) : 0);
    if (wanted === 0) {
      if (!makesUp) return port;
      const number = (before === undefined ? shared.get(port['port']) : undefined) ?? open.next();
      shared.set(port['port'], number);
      return { ...port, nodePort: number };
    }
    const isShared = before === undefined ? shared.get(port['port']) === wanted : taken.has(wanted);
    if (!isShared && !known.has(wanted)) {
      const why = open.take(wanted);
      if (why !== undefined) refuse(admitting, [invalidFault(`spec.ports[${i}].nodePort`, wanted, why)]);
    }
    taken.add(wanted);
    if (!shared.has(port['port'])) shared.set(port['port'], wanted);
    return { ...port, nodePort: wanted };
  });
  return { ...spec, ports };
}

function requested(ports: readonly Body[], port: unknown): number {
  return numberOf(ports.find((other) => other['port'] === port && numberOf(other['nodePort']) !== 0)?.['nodePort']);
}

/** Ports keep their node port by their name, unless another port has it now. */
function keptPorts(ports: readonly Body[], before: Body): Body[] {
  const now = new Set(nodePorts({ ports }));
  const known = new Map(portsOf(before).map(({ name, nodePort }) => [name ?? '', numberOf(nodePort)]));
  return ports.map((port) => {
    const old = known.get(port['name'] ?? '') ?? 0;
    return numberOf(port['nodePort']) !== 0 || old === 0 || now.has(old) ? port : { ...port, nodePort: old };
  });
}

/** The spec with the port that a load balancer asks for its health, where the traffic stays on the node. */
export function withHealthPort(admitting: Admitting, spec: Body): Body {
  if (!needsHealthPort(spec)) return spec;
  const { before } = admitting;
  if (before !== undefined && needsHealthPort(before))
    return { ...spec, healthCheckNodePort: numberOf(spec['healthCheckNodePort']) || before['healthCheckNodePort'] };
  return { ...spec, healthCheckNodePort: numberOf(spec['healthCheckNodePort']) || openPorts(admitting).next() };
}

/** The spec without the ports of its former type, which the client left as they were. Returns a copy. */
export function withoutLostPorts(spec: Body, before: Body): Body {
  const left = { ...spec };
  if (
    needsHealthPort(before) &&
    !needsHealthPort(left) &&
    left['healthCheckNodePort'] === before['healthCheckNodePort']
  )
    delete left['healthCheckNodePort'];
  const isSame = String(nodePorts(left)) === String(nodePorts(before));
  if (needsPorts(before) && !needsPorts(left)) {
    if (isSame) left['ports'] = portsOf(left).map(({ nodePort, ...port }) => port);
    if (left['externalTrafficPolicy'] === before['externalTrafficPolicy']) delete left['externalTrafficPolicy'];
  }
  return left;
}
