// Owns what the API server adds to new volumes and claims: protection while they are used, and the default class.
import type { AdmissionStep, Core } from '../core.ts';
import type { KubeObject } from '../object.ts';

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
    if (live !== undefined || write.subresource !== '') return object;
    return protectedBy(withClass(core, object), 'kubernetes.io/pvc-protection');
  },
};

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
