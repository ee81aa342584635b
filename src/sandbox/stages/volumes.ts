// Owns the fake volume provisioner: a claim of a class that is there gets a volume of its size at once.
import { formatTime } from '../../lib/time.ts';
import type { KubeObject } from '../object.ts';
import type { ResourceId, Store } from '../store.ts';
import { type Key, ownKey, type StageContext, type StageController } from './loop.ts';
import { isFinished } from './pod-template.ts';
import { writeStatus } from './status.ts';
import { type Pod, RESOURCES } from './types.ts';

const COMPONENT = 'persistentvolume-controller';
/** The class that `ensureStorageClass` makes, and whose volumes are made up. */
const CLASS = 'standard';
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const PROVISIONER = 'lockstep.dev/sandbox';
/** The older key is still written beside the newer one. */
const PROVISIONED_BY = {
  'volume.beta.kubernetes.io/storage-provisioner': PROVISIONER,
  'volume.kubernetes.io/storage-provisioner': PROVISIONER,
};
const VOLUME_PROTECTION = 'kubernetes.io/pv-protection';
const CLAIM_PROTECTION = 'kubernetes.io/pvc-protection';

interface Claim extends KubeObject {
  spec: {
    accessModes?: string[];
    resources?: { requests?: { storage?: string } };
    storageClassName?: string;
    volumeMode?: string;
    volumeName?: string;
  };
  status?: { phase?: string };
}

interface Volume extends KubeObject {
  spec: {
    capacity?: Record<string, string>;
    accessModes?: string[];
    storageClassName?: string;
    persistentVolumeReclaimPolicy?: string;
    claimRef?: { namespace?: string; name?: string; uid?: string };
  };
  status?: { phase?: string };
}

/** Makes the default storage class unless there is a class already. */
export function ensureStorageClass({ store }: Pick<StageContext, 'store'>): void {
  if (store.list(RESOURCES.storageClasses).length > 0) return;
  store.create(RESOURCES.storageClasses, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: CLASS, annotations: { [DEFAULT_CLASS]: 'true' } },
    provisioner: PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
  });
}

export const volumeClaims: StageController = {
  name: 'volumeClaims',
  watches: [
    { resource: RESOURCES.persistentVolumeClaims, keys: ownKey },
    { resource: RESOURCES.persistentVolumes, keys: keysOfClaims },
    { resource: RESOURCES.storageClasses, keys: keysOfPending },
    { resource: RESOURCES.pods, keys: keysOfMounted },
  ],
  reconcile({ namespace, name }, context) {
    const claim = context.store.get(RESOURCES.persistentVolumeClaims, namespace, name) as Claim | undefined;
    if (claim === undefined) return undefined;
    if (claim.metadata.deletionTimestamp !== undefined) return releaseUnused(context, claim);
    if (claim.status?.phase === 'Bound') return undefined;
    if (adoptDefaultClass(context, claim)) return undefined;
    const volume = findVolume(context, claim) ?? provision(context, claim);
    if (volume === undefined) sayWhyPending(context, claim);
    else bind(context, claim, volume);
    return undefined;
  },
};

/** Volumes whose claim is gone are released, and deleted where their class says so. */
export const volumes: StageController = {
  name: 'volumes',
  watches: [
    { resource: RESOURCES.persistentVolumes, keys: ownKey },
    { resource: RESOURCES.persistentVolumeClaims, keys: keyOfVolume },
  ],
  reconcile({ name }, context) {
    const volume = context.store.get(RESOURCES.persistentVolumes, '', name) as Volume | undefined;
    if (volume === undefined) return undefined;
    if (volume.metadata.deletionTimestamp !== undefined) return unprotect(context, volume);
    const { claimRef } = volume.spec;
    if (claimRef?.uid === undefined) {
      setPhase(context, volume, 'Available');
      return undefined;
    }
    const claim = context.store.get(RESOURCES.persistentVolumeClaims, claimRef.namespace ?? '', claimRef.name ?? '');
    if (claim?.metadata.uid === claimRef.uid) return undefined;
    setPhase(context, volume, 'Released');
    if (volume.spec.persistentVolumeReclaimPolicy === 'Delete') {
      context.store.delete(RESOURCES.persistentVolumes, '', name);
    }
    return undefined;
  },
};

function keysOfClaims(volume: KubeObject, context: StageContext): readonly Key[] {
  const { claimRef } = (volume as Volume).spec;
  if (claimRef?.name !== undefined) return [{ namespace: claimRef.namespace ?? '', name: claimRef.name }];
  return keysOfPending(volume, context);
}

function keysOfPending(_object: KubeObject, { store }: StageContext): readonly Key[] {
  const claims = store.list(RESOURCES.persistentVolumeClaims) as readonly Claim[];
  return claims.filter(({ status }) => status?.phase !== 'Bound').flatMap(ownKey);
}

function keysOfMounted(pod: KubeObject): readonly Key[] {
  const namespace = pod.metadata.namespace ?? '';
  return claimsOf(pod as Pod).map((name) => ({ namespace, name }));
}

function claimsOf({ spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => (claim ? [claim.claimName] : []));
}

function keyOfVolume(claim: KubeObject): readonly Key[] {
  const { volumeName } = (claim as Claim).spec;
  return volumeName === undefined ? [] : [{ namespace: '', name: volumeName }];
}

/** A volume that waits for this claim, or a free one that fits it. */
function findVolume({ store }: StageContext, claim: Claim): Volume | undefined {
  const all = store.list(RESOURCES.persistentVolumes) as readonly Volume[];
  const { namespace, name, uid } = claim.metadata;
  const reserved = all.find(({ spec: { claimRef } }) => {
    const isNamed = claimRef?.namespace === namespace && claimRef?.name === name;
    return isNamed && (claimRef?.uid === undefined || claimRef.uid === uid);
  });
  if (reserved !== undefined) return reserved;
  return all.find(
    ({ spec, metadata }) =>
      spec.claimRef === undefined &&
      (claim.spec.volumeName === undefined || claim.spec.volumeName === metadata.name) &&
      (spec.storageClassName ?? '') === (claim.spec.storageClassName ?? '') &&
      (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode)),
  );
}

/** A claim that names no class gets the default one, also when that is made later. Returns whether it did. */
function adoptDefaultClass({ store }: StageContext, claim: Claim): boolean {
  if (claim.spec.storageClassName !== undefined || claim.spec.volumeName !== undefined) return false;
  const classes = store.list(RESOURCES.storageClasses);
  const fallback = classes.find(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true');
  if (fallback === undefined) return false;
  const spec = { ...claim.spec, storageClassName: fallback.metadata.name };
  store.update(RESOURCES.persistentVolumeClaims, { ...claim, spec });
  return true;
}

function provision({ store }: StageContext, claim: Claim): Volume | undefined {
  const className = claim.spec.storageClassName;
  if (className === undefined || className === '' || claim.spec.volumeName !== undefined) return undefined;
  const storageClass = store.get(RESOURCES.storageClasses, '', className);
  if (storageClass?.['provisioner'] !== PROVISIONER) return undefined;
  const name = `pvc-${claim.metadata.uid}`;
  return store.create(RESOURCES.persistentVolumes, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name,
      annotations: { 'pv.kubernetes.io/provisioned-by': PROVISIONER },
      finalizers: [VOLUME_PROTECTION],
    },
    spec: {
      capacity: { storage: claim.spec.resources?.requests?.storage ?? '0' },
      accessModes: claim.spec.accessModes ?? [],
      persistentVolumeReclaimPolicy: String(storageClass['reclaimPolicy'] ?? 'Delete'),
      storageClassName: className,
      volumeMode: claim.spec.volumeMode ?? 'Filesystem',
      hostPath: { path: `/var/lib/volumes/${name}`, type: '' },
      claimRef: claimRefTo(claim),
    },
  }) as Volume;
}

function claimRefTo({ metadata }: Claim): object {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion };
}

function bind(context: StageContext, claim: Claim, volume: Volume): void {
  const { store } = context;
  const reserved =
    volume.spec.claimRef?.uid === claim.metadata.uid
      ? volume
      : (store.update(RESOURCES.persistentVolumes, {
          ...volume,
          metadata: {
            ...volume.metadata,
            annotations: { ...volume.metadata.annotations, 'pv.kubernetes.io/bound-by-controller': 'yes' },
          },
          spec: { ...volume.spec, claimRef: claimRefTo(claim) },
        }) as Volume);
  setPhase(context, reserved, 'Bound');
  const isMadeUp = volume.metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === PROVISIONER;
  const bound = store.update(RESOURCES.persistentVolumeClaims, {
    ...claim,
    metadata: {
      ...claim.metadata,
      annotations: {
        ...claim.metadata.annotations,
        'pv.kubernetes.io/bind-completed': 'yes',
        'pv.kubernetes.io/bound-by-controller': 'yes',
        ...(isMadeUp ? PROVISIONED_BY : {}),
      },
    },
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  }) as Claim;
  writeStatus(context, RESOURCES.persistentVolumeClaims, bound, {
    accessModes: volume.spec.accessModes ?? [],
    capacity: volume.spec.capacity ?? {},
    phase: 'Bound',
  });
}

function setPhase(context: StageContext, volume: Volume, phase: string): void {
  if (volume.status?.phase === phase) return;
  const lastPhaseTransitionTime = formatTime(context.clock.now());
  writeStatus(context, RESOURCES.persistentVolumes, volume, { ...volume.status, phase, lastPhaseTransitionTime });
}

function sayWhyPending(context: StageContext, claim: Claim): void {
  writeStatus(context, RESOURCES.persistentVolumeClaims, claim, { ...claim.status, phase: 'Pending' });
  const { storageClassName } = claim.spec;
  if (storageClassName === undefined || storageClassName === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set';
    context.events.record(COMPONENT, claim, 'Normal', 'FailedBinding', message);
  } else if (context.store.get(RESOURCES.storageClasses, '', storageClassName) === undefined) {
    const message = `storageclass.storage.k8s.io "${storageClassName}" not found`;
    context.events.record(COMPONENT, claim, 'Warning', 'ProvisioningFailed', message);
  }
}

/** A claim that is to go stays as long as a pod uses it. */
function releaseUnused({ store }: StageContext, claim: Claim): undefined {
  const { namespace = '', name } = claim.metadata;
  const pods = store.list(RESOURCES.pods, { namespace }) as readonly Pod[];
  if (pods.some((pod) => !isFinished(pod) && claimsOf(pod).includes(name))) return;
  dropFinalizer(store, RESOURCES.persistentVolumeClaims, claim, CLAIM_PROTECTION);
}

function unprotect({ store }: StageContext, volume: Volume): undefined {
  dropFinalizer(store, RESOURCES.persistentVolumes, volume, VOLUME_PROTECTION);
}

function dropFinalizer(store: Store, resource: ResourceId, object: KubeObject, finalizer: string): void {
  const { finalizers = [], ...metadata } = object.metadata;
  if (!finalizers.includes(finalizer)) return;
  const left = finalizers.filter((other) => other !== finalizer);
  store.update(resource, { ...object, metadata: left.length > 0 ? { ...metadata, finalizers: left } : metadata });
}
