// Owns the table cells of volumes, claims and storage classes.
import type { KubeObject } from '../object.ts';
import { age, type CellsOf } from './text.ts';

const ACCESS_MODES = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
] as const;
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const DEFAULT_CLASS_BETA = 'storageclass.beta.kubernetes.io/is-default-class';

function accessModes(modes: readonly string[] = []): string {
  return ACCESS_MODES.filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

interface VolumeObject extends KubeObject {
  spec: {
    accessModes?: readonly string[];
    capacity?: Record<string, string>;
    claimRef?: { namespace?: string; name?: string };
    persistentVolumeReclaimPolicy?: string;
    storageClassName?: string;
    volumeAttributesClassName?: string;
    volumeMode?: string;
    volumeName?: string;
  };
  status?: { phase?: string; reason?: string; accessModes?: readonly string[]; capacity?: Record<string, string> };
}

function phaseOf({ metadata, status }: VolumeObject): string {
  return metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating';
}

function classOf({ metadata, spec }: VolumeObject): string {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName ?? '';
}

const persistentVolumes: CellsOf = (object, now) => {
  const volume = object as VolumeObject;
  const { metadata, spec, status } = volume;
  return [
    metadata.name,
    spec.capacity?.['storage'] ?? '0',
    accessModes(spec.accessModes),
    spec.persistentVolumeReclaimPolicy ?? '',
    phaseOf(volume),
    spec.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`,
    classOf(volume),
    spec.volumeAttributesClassName ?? '<unset>',
    status?.reason ?? '',
    age(object, now),
    spec.volumeMode ?? '<unset>',
  ];
};

const persistentVolumeClaims: CellsOf = (object, now) => {
  const claim = object as VolumeObject;
  const { metadata, spec, status } = claim;
  const isBound = spec.volumeName !== undefined && spec.volumeName !== '';
  return [
    metadata.name,
    phaseOf(claim),
    spec.volumeName ?? '',
    isBound ? (status?.capacity?.['storage'] ?? '0') : '',
    isBound ? accessModes(status?.accessModes) : '',
    classOf(claim),
    spec.volumeAttributesClassName ?? '<unset>',
    age(object, now),
    spec.volumeMode ?? '<unset>',
  ];
};

const storageClasses: CellsOf = (object, now) => {
  const { annotations = {}, name } = object.metadata;
  const isDefault = annotations[DEFAULT_CLASS] === 'true' || annotations[DEFAULT_CLASS_BETA] === 'true';
  return [
    isDefault ? `${name} (default)` : name,
    String(object['provisioner'] ?? ''),
    String(object['reclaimPolicy'] ?? 'Delete'),
    String(object['volumeBindingMode'] ?? 'Immediate'),
    object['allowVolumeExpansion'] === true,
    age(object, now),
  ];
};

const csiDrivers: CellsOf = (object, now) => {
  const spec = object['spec'] as {
    attachRequired?: boolean;
    podInfoOnMount?: boolean;
    storageCapacity?: boolean;
    tokenRequests?: readonly { audience?: string }[];
    requiresRepublish?: boolean;
    volumeLifecycleModes?: readonly string[];
  };
  return [
    object.metadata.name,
    spec.attachRequired ?? true,
    spec.podInfoOnMount ?? false,
    spec.storageCapacity ?? false,
    spec.tokenRequests?.map(({ audience = '' }) => audience).join(',') ?? '<unset>',
    spec.requiresRepublish ?? false,
    (spec.volumeLifecycleModes ?? []).join(',') || '<none>',
    age(object, now),
  ];
};

const csiNodes: CellsOf = (object, now) => {
  const { drivers } = object['spec'] as { drivers?: readonly unknown[] | null };
  return [object.metadata.name, drivers?.length ?? 0, age(object, now)];
};

const volumeAttachments: CellsOf = (object, now) => {
  const spec = object['spec'] as { attacher?: string; nodeName?: string; source?: { persistentVolumeName?: string } };
  const status = object['status'] as { attached?: boolean } | undefined;
  return [
    object.metadata.name,
    spec.attacher ?? '',
    spec.source?.persistentVolumeName ?? '',
    spec.nodeName ?? '',
    status?.attached ?? false,
    age(object, now),
  ];
};

const volumeAttributesClasses: CellsOf = (object, now) => [
  object.metadata.name,
  String(object['driverName'] ?? ''),
  age(object, now),
];

export const storageCells: Readonly<Record<string, CellsOf>> = {
  '/persistentvolumeclaims': persistentVolumeClaims,
  '/persistentvolumes': persistentVolumes,
  'storage.k8s.io/csidrivers': csiDrivers,
  'storage.k8s.io/csinodes': csiNodes,
  'storage.k8s.io/storageclasses': storageClasses,
  'storage.k8s.io/volumeattachments': volumeAttachments,
  'storage.k8s.io/volumeattributesclasses': volumeAttributesClasses,
};
