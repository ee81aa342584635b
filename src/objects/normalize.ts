// Owns what is taken off or filled in on a desired object before it is sent (flux.md §4.8 "Normalisation").
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { groupOf, type Manifest } from './manifest.ts';

/**
 * The object as it is sent: without creationTimestamp, managedFields and status (kept for CRDs), a Secret's
 * stringData in data, ports with their protocol. The protocol is a merge key of ports, so an absent one would make
 * two entries of one port.
 */
export function normalizeForApply(manifest: Manifest): Manifest {
  const metadata = { ...manifest.metadata };
  delete metadata['creationTimestamp'];
  delete metadata['managedFields'];
  delete metadata['resourceVersion'];
  delete metadata['uid'];
  const result: Manifest = { ...manifest, metadata };
  if (manifest.kind !== 'CustomResourceDefinition') delete result['status'];
  if (manifest.apiVersion === 'v1' && manifest.kind === 'Secret') mergeStringData(result);
  if (manifest.apiVersion === 'v1' && manifest.kind === 'Service') fillServicePorts(result);
  const template = podSpecPath(manifest);
  return template === undefined ? result : (fillContainerPorts(result, template) as Manifest);
}

function mergeStringData(secret: Manifest): void {
  const stringData = secret['stringData'];
  if (!isJsonObject(stringData)) return;
  const data: JsonObject = isJsonObject(secret['data']) ? { ...secret['data'] } : {};
  for (const [key, value] of Object.entries(stringData)) {
    if (typeof value === 'string') data[key] = Buffer.from(value, 'utf8').toString('base64');
  }
  delete secret['stringData'];
  secret['data'] = data;
}

function fillServicePorts(service: Manifest): void {
  const spec = service['spec'];
  if (isJsonObject(spec) && Array.isArray(spec['ports'])) {
    service['spec'] = { ...spec, ports: withProtocol(spec['ports']) };
  }
}

function withProtocol(ports: readonly JsonValue[]): JsonValue[] {
  return ports.map((port) =>
    isJsonObject(port) && port['protocol'] === undefined ? { ...port, protocol: 'TCP' } : port,
  );
}

/** Where the pod spec of a built-in workload is; undefined for other kinds. */
export function podSpecPath(manifest: Pick<Manifest, 'apiVersion' | 'kind'>): readonly string[] | undefined {
  const group = groupOf(manifest.apiVersion);
  if (group === '' && manifest.kind === 'Pod') return ['spec'];
  if (group === '' && manifest.kind === 'ReplicationController') return ['spec', 'template', 'spec'];
  if (group === 'apps' && ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].includes(manifest.kind)) {
    return ['spec', 'template', 'spec'];
  }
  if (group === 'batch' && manifest.kind === 'Job') return ['spec', 'template', 'spec'];
  if (group === 'batch' && manifest.kind === 'CronJob') return ['spec', 'jobTemplate', 'spec', 'template', 'spec'];
  return undefined;
}

function fillContainerPorts(value: JsonValue, path: readonly string[]): JsonValue {
  if (!isJsonObject(value)) return value;
  const [field, ...rest] = path;
  if (field !== undefined) {
    const child = value[field];
    return child === undefined ? value : { ...value, [field]: fillContainerPorts(child, rest) };
  }
  const result: JsonObject = { ...value };
  for (const list of ['containers', 'initContainers']) {
    const containers = value[list];
    if (!Array.isArray(containers)) continue;
    result[list] = containers.map((container) =>
      isJsonObject(container) && Array.isArray(container['ports'])
        ? { ...container, ports: withProtocol(container['ports']) }
        : container,
    );
  }
  return result;
}
