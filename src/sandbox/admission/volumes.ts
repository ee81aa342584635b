// Owns what the API server adds to new volumes and claims: protection while they are used, and the default class.
import type { AdmissionStep, Core, WriteRequest } from '../core.ts';
import { isRecord, type KubeObject, readPath } from '../object.ts';
import { forbidden } from '../rest/errors.ts';
import { nanosOf } from '../schema/quantity.ts';
import { keyOf } from '../storage/storage.ts';

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

function protectedBy(object: KubeObject, finalizer: string): KubeObject {
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(finalizer)) return object;
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
}

export const volumeStep: AdmissionStep = {
  kind: '/PersistentVolume',
  admit(_core, write, object, live) {
    if (live !== undefined || write.subresource !== '') return object;
    return protectedBy(object, 'kubernetes.io/pv-protection');
  },
};

export const claimStep: AdmissionStep = {
  kind: '/PersistentVolumeClaim',
  admit(core, write, object, live) {
    if (write.subresource !== '') return object;
    const claim = withSources(object);
    if (live !== undefined) assertResizable(core, write, claim, live);
    return live === undefined ? protectedBy(withClass(core, claim), 'kubernetes.io/pvc-protection') : claim;
  },
};

const SOURCES = ['PersistentVolumeClaim', 'VolumeSnapshot'];

/** The two fields that name where a volume's data comes from say the same. */
function withSources(claim: KubeObject): KubeObject {
  const spec = claim['spec'];
  if (!isRecord(spec)) return claim;
  const { dataSource: given, dataSourceRef } = spec;
  // Others than claims and snapshots were never served, and are left out.
  const dataSource = isRecord(given) && SOURCES.includes(String(given['kind'])) ? given : undefined;
  if (given !== undefined && dataSource === undefined) {
    const { dataSource: _, ...rest } = spec;
    return { ...claim, spec: rest };
  }
  if (dataSource !== undefined && dataSourceRef === undefined)
    return { ...claim, spec: { ...spec, dataSourceRef: dataSource } };
  if (dataSource !== undefined || !isRecord(dataSourceRef) || dataSourceRef['namespace']) return claim;
  return { ...claim, spec: { ...spec, dataSource: dataSourceRef } };
}

/** Throws ApiError 403 where a claim grows whose class does not let it. */
function assertResizable(core: Core, write: WriteRequest, claim: KubeObject, live: KubeObject): void {
  const sizeOf = (object: KubeObject): bigint =>
    nanosOf(String(readPath(object, ['spec', 'resources', 'requests', 'storage']) ?? 0));
  if (readPath(live, ['status', 'phase']) !== 'Bound' || sizeOf(claim) <= sizeOf(live)) return;
  const name = readPath(claim, ['spec', 'storageClassName']);
  const classes = core.registry.find('storage.k8s.io', 'storageclasses');
  const found = classes && name ? core.storage.get(classes.collection, keyOf('', String(name))) : undefined;
  if (found?.object['allowVolumeExpansion'] === true) return;
  const why =
    'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
  const named = { group: write.resource.group, resource: write.resource.plural };
  throw forbidden(named, claim.metadata.name, why);
}

/** A claim that names no class gets the default one; an empty name is one. Of several the newest wins. */
function withClass(core: Core, claim: KubeObject): KubeObject {
  const spec = claim['spec'] as Record<string, unknown>;
  const classes = core.registry.find('storage.k8s.io', 'storageclasses');
  if (spec['storageClassName'] !== undefined || classes === undefined) return claim;
  const defaults = [...core.storage.list(classes.collection)]
    .map(({ object }) => object.metadata)
    .filter(({ annotations }) => annotations?.[DEFAULT_CLASS] === 'true')
    .sort((a, b) => ((a.creationTimestamp ?? '') < (b.creationTimestamp ?? '') ? 1 : -1));
  const [newest] = defaults;
  return newest === undefined ? claim : { ...claim, spec: { ...spec, storageClassName: newest.name } };
}
