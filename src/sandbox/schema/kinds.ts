// Owns what distinguishes built-in kinds in the write path and OpenAPI does not say: who counts generations, what a
// create sets, which fields never change. One row per kind; absent kinds need nothing.

interface ImmutableField {
  readonly path: string;
  readonly message?: string;
  readonly fill?: true;
  /** The fault shows no value. */
  readonly forbidden?: true;
  /** The value as the fault shows it: without its JSON names. */
  readonly shown?: (value: unknown) => unknown;
}

export interface KindRules {
  /** The warning that every answer about the kind carries. */
  readonly deprecated?: string;
  /** `metadata.generation` counts changes of everything but metadata and status. */
  readonly generation?: true;
  /** Field paths that an update must not change; an absent old value may be set when `fill` is true. */
  readonly immutable?: readonly ImmutableField[];
  /** Only these fields below `spec` may change; the message is Kubernetes'. */
  readonly mutableSpec?: { readonly fields: readonly string[]; readonly message: string };
  /** Deleting first marks the object and waits `terminationGracePeriodSeconds`. */
  readonly graceful?: true;
  /** Changed annotations count as a new generation too. */
  readonly generationOfAnnotations?: true;
  /** A status update leaves labels alone; of other built-in kinds it may change all metadata. */
  readonly statusKeepsLabels?: true;
  /** Deleting adds this finalizer and, if told, a condition. */
  readonly deletion?: { readonly finalizer: string; readonly condition: Readonly<Record<string, string>> };
  /** `status.phase` of a deleted object that waits. */
  readonly deletionPhase?: string;
  /** PUT on a missing object creates it. */
  readonly createOnUpdate?: true;
}

const FIELD_IS_IMMUTABLE = 'field is immutable';

const STATEFULSET_MESSAGE =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

/** The validation's own type of a role reference has no JSON names. */
const ROLE_REF: ImmutableField = {
  path: 'roleRef',
  message: 'cannot change roleRef',
  shown: (value) => {
    const { apiGroup, kind, name } = value as Readonly<Record<string, unknown>>;
    return { APIGroup: apiGroup, Kind: kind, Name: name };
  },
};

/** By `group/Kind`. */
export const KIND_RULES: Readonly<Record<string, KindRules>> = {
  '/Pod': { generation: true, graceful: true },
  '/ReplicationController': { generation: true },
  '/PodTemplate': { generation: true },
  '/Service': { createOnUpdate: true },
  '/ResourceQuota': { immutable: [{ path: 'spec.scopes' }] },
  '/Namespace': { deletionPhase: 'Terminating' },
  '/ComponentStatus': { deprecated: 'v1 ComponentStatus is deprecated in v1.19+' },
  '/Endpoints': {
    createOnUpdate: true,
    deprecated: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  },
  '/Event': { createOnUpdate: true },
  '/LimitRange': { createOnUpdate: true },
  '/Secret': { immutable: [{ path: 'type', message: FIELD_IS_IMMUTABLE }] },
  'coordination.k8s.io/Lease': { createOnUpdate: true },
  'events.k8s.io/Event': { createOnUpdate: true },
  'apps/Deployment': {
    generation: true,
    generationOfAnnotations: true,
    statusKeepsLabels: true,
    immutable: [{ path: 'spec.selector' }],
  },
  'apps/ReplicaSet': { generation: true, immutable: [{ path: 'spec.selector' }] },
  'apps/DaemonSet': { generation: true, immutable: [{ path: 'spec.selector' }] },
  'apps/ControllerRevision': { immutable: [{ path: 'data' }] },
  'apps/StatefulSet': {
    generation: true,
    mutableSpec: {
      fields: [
        'replicas',
        'ordinals',
        'template',
        'updateStrategy',
        'revisionHistoryLimit',
        'persistentVolumeClaimRetentionPolicy',
        'minReadySeconds',
      ],
      message: STATEFULSET_MESSAGE,
    },
  },
  'batch/Job': {
    generation: true,
    immutable: [
      { path: 'spec.selector' },
      { path: 'spec.completionMode' },
      { path: 'spec.podFailurePolicy' },
      { path: 'spec.backoffLimitPerIndex' },
      { path: 'spec.managedBy' },
      { path: 'spec.successPolicy' },
    ],
  },
  'batch/CronJob': { generation: true },
  'networking.k8s.io/Ingress': { generation: true, createOnUpdate: true },
  'networking.k8s.io/NetworkPolicy': { generation: true },
  'networking.k8s.io/IngressClass': { generation: true, immutable: [{ path: 'spec.controller' }] },
  'policy/PodDisruptionBudget': { generation: true },
  'apiextensions.k8s.io/CustomResourceDefinition': {
    generation: true,
    deletion: {
      finalizer: 'customresourcecleanup.apiextensions.k8s.io',
      condition: {
        message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
        reason: 'InstanceDeletionPending',
        status: 'True',
        type: 'Terminating',
      },
    },
  },
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': { generation: true },
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': { generation: true },
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': { generation: true },
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': { generation: true },
  'discovery.k8s.io/EndpointSlice': { generation: true, immutable: [{ path: 'addressType' }] },
  'flowcontrol.apiserver.k8s.io/FlowSchema': { generation: true },
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': { generation: true },
  'scheduling.k8s.io/PriorityClass': {
    generation: true,
    immutable: [
      { path: 'value', message: 'may not be changed in an update.', forbidden: true },
      { path: 'preemptionPolicy', message: FIELD_IS_IMMUTABLE },
    ],
  },
  'rbac.authorization.k8s.io/RoleBinding': {
    createOnUpdate: true,
    immutable: [ROLE_REF],
  },
  'rbac.authorization.k8s.io/ClusterRoleBinding': {
    createOnUpdate: true,
    immutable: [ROLE_REF],
  },
  'rbac.authorization.k8s.io/Role': { createOnUpdate: true },
  'rbac.authorization.k8s.io/ClusterRole': { createOnUpdate: true },
  'storage.k8s.io/StorageClass': {
    immutable: [
      { path: 'parameters' },
      { path: 'provisioner' },
      { path: 'reclaimPolicy' },
      { path: 'volumeBindingMode' },
    ],
  },
};

/** The rules of a kind; every custom resource counts generations. */
export function rulesOf(resource: {
  readonly group: string;
  readonly kind: string;
  readonly custom: boolean;
}): KindRules {
  if (resource.custom) return CUSTOM_RULES;
  return KIND_RULES[`${resource.group}/${resource.kind}`] ?? NO_RULES;
}

const CUSTOM_RULES: KindRules = { generation: true };
const NO_RULES: KindRules = {};
