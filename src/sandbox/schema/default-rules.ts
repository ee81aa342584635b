// Owns the defaults of built-in types that Kubernetes sets in code and OpenAPI does not carry. One table by definition
// name; defaults.ts applies it. Source: pkg/apis/*/v1/defaults.go of Kubernetes 1.36.
import { isRecord, readPath } from '../object.ts';

type Target = Readonly<Record<string, unknown>>;

/** Fields to set where they are absent; a function computes from the object that holds them. */
export interface DefaultRule {
  readonly set: Readonly<Record<string, unknown>>;
  readonly when?: (target: Target) => boolean;
  /** What cannot be said by paths: changes the target. */
  readonly also?: (target: Record<string, unknown>) => unknown;
}

const core = 'io.k8s.api.core.v1.';
const apps = 'io.k8s.api.apps.v1.';
const batch = 'io.k8s.api.batch.v1.';
const rbac = 'io.k8s.api.rbac.v1.';
const admission = 'io.k8s.api.admissionregistration.v1.';

/** Images that name the tag latest, or none, are pulled always. */
function pullPolicy(container: Target): string {
  const image = typeof container['image'] === 'string' ? container['image'] : '';
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]*)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

const is =
  (field: string, ...values: readonly unknown[]) =>
  (target: Target): boolean =>
    values.includes(target[field]);

const CONTAINER: readonly DefaultRule[] = [
  {
    set: {
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: pullPolicy,
    },
  },
];
const MODE: readonly DefaultRule[] = [{ set: { defaultMode: 420 } }];
const WEBHOOK: readonly DefaultRule[] = [
  {
    set: {
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
    },
  },
];

function path(target: Target, ...steps: readonly string[]): unknown {
  return readPath(target, steps);
}

/** A Service that answers outside the cluster, too. */
function isReachedFromOutside({ type, externalIPs }: Target): boolean {
  if (type === 'ClusterIP') return Array.isArray(externalIPs) && externalIPs.length > 0;
  return type === 'NodePort' || type === 'LoadBalancer';
}

/** Every namespace carries its name as a label, so that selectors can name it. */
function labelWithName(namespace: Record<string, unknown>): void {
  const metadata = namespace['metadata'];
  if (!isRecord(metadata) || typeof metadata['name'] !== 'string' || metadata['name'] === '') return;
  const labels = isRecord(metadata['labels']) ? metadata['labels'] : {};
  metadata['labels'] = { ...labels, 'kubernetes.io/metadata.name': metadata['name'] };
}

function templateLabels(spec: Target): unknown {
  const template = spec['template'];
  const metadata = isRecord(template) ? template['metadata'] : undefined;
  return isRecord(metadata) ? metadata['labels'] : undefined;
}

/** A pod's container without a request asks for its limit. Templates are left as they are. */
function requestLimits(pod: Record<string, unknown>): void {
  for (const list of ['initContainers', 'containers']) {
    const containers = path(pod, 'spec', list);
    for (const container of Array.isArray(containers) ? containers.filter(isRecord) : []) {
      const resources = container['resources'];
      if (!isRecord(resources) || !isRecord(resources['limits'])) continue;
      const requests = isRecord(resources['requests']) ? resources['requests'] : {};
      resources['requests'] = { ...resources['limits'], ...requests };
    }
  }
}

/** Claims in a StatefulSet are whole objects, and say of what kind. */
function nameClaims(spec: Record<string, unknown>): void {
  const claims = spec['volumeClaimTemplates'];
  for (const claim of Array.isArray(claims) ? claims.filter(isRecord) : []) {
    claim['apiVersion'] ??= 'v1';
    claim['kind'] ??= 'PersistentVolumeClaim';
  }
}

const VOLUME_SOURCES_ABSENT = (volume: Target): boolean => Object.keys(volume).every((key) => key === 'name');

export const BUILTIN_DEFAULTS: Readonly<Record<string, readonly DefaultRule[]>> = {
  [`${core}PodSpec`]: [
    {
      set: {
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        schedulerName: 'default-scheduler',
        terminationGracePeriodSeconds: 30,
        securityContext: {},
      },
    },
    {
      when: (spec) => typeof spec['serviceAccountName'] === 'string',
      set: { serviceAccount: (spec: Target) => spec['serviceAccountName'] },
    },
    {
      when: (spec) => typeof spec['serviceAccount'] === 'string',
      set: { serviceAccountName: (spec: Target) => spec['serviceAccount'] },
    },
  ],
  [`${core}Pod`]: [{ set: { 'spec.enableServiceLinks': true }, also: requestLimits }],
  [`${core}Container`]: CONTAINER,
  [`${core}EphemeralContainer`]: CONTAINER,
  [`${core}Probe`]: [{ set: { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 } }],
  [`${core}HTTPGetAction`]: [{ set: { path: '/', scheme: 'HTTP' } }],
  [`${core}GRPCAction`]: [{ set: { service: '' } }],
  [`${core}Volume`]: [{ when: VOLUME_SOURCES_ABSENT, set: { emptyDir: {} } }],
  [`${core}SecretVolumeSource`]: MODE,
  [`${core}ConfigMapVolumeSource`]: MODE,
  [`${core}DownwardAPIVolumeSource`]: MODE,
  [`${core}ProjectedVolumeSource`]: MODE,
  [`${core}HostPathVolumeSource`]: [{ set: { type: '' } }],
  [`${core}ServiceAccountTokenProjection`]: [{ set: { expirationSeconds: 3600 } }],
  [`${core}ObjectFieldSelector`]: [{ set: { apiVersion: 'v1' } }],
  [`${core}Secret`]: [{ set: { type: 'Opaque' } }],
  [`${core}Namespace`]: [{ set: { 'status.phase': 'Active' }, also: labelWithName }],
  [`${core}Node`]: [{ set: {} }],
  [`${core}PersistentVolumeClaimSpec`]: [{ set: { volumeMode: 'Filesystem' } }],
  [`${core}PersistentVolumeClaim`]: [{ set: { 'status.phase': 'Pending' } }],
  [`${core}PersistentVolumeSpec`]: [{ set: { volumeMode: 'Filesystem', persistentVolumeReclaimPolicy: 'Retain' } }],
  [`${core}PersistentVolume`]: [{ set: { 'status.phase': 'Pending' } }],
  [`${core}ServiceSpec`]: [
    { set: { sessionAffinity: 'None', type: 'ClusterIP' } },
    { when: is('sessionAffinity', 'None'), set: {}, also: (spec) => delete spec['sessionAffinityConfig'] },
    { when: is('sessionAffinity', 'ClientIP'), set: { 'sessionAffinityConfig.clientIP.timeoutSeconds': 10800 } },
    { when: isReachedFromOutside, set: { externalTrafficPolicy: 'Cluster' } },
    { when: is('type', 'ClusterIP', 'NodePort', 'LoadBalancer'), set: { internalTrafficPolicy: 'Cluster' } },
    { when: is('type', 'LoadBalancer'), set: { allocateLoadBalancerNodePorts: true } },
  ],
  [`${core}ServicePort`]: [{ set: { protocol: 'TCP', targetPort: (port: Target) => port['port'] } }],
  [`${core}ReplicationControllerSpec`]: [{ set: { replicas: 1, selector: templateLabels } }],
  [`${apps}DeploymentSpec`]: [
    { set: { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, 'strategy.type': 'RollingUpdate' } },
  ],
  [`${apps}DeploymentStrategy`]: [
    {
      when: is('type', 'RollingUpdate'),
      set: { 'rollingUpdate.maxUnavailable': '25%', 'rollingUpdate.maxSurge': '25%' },
    },
  ],
  [`${apps}ReplicaSetSpec`]: [{ set: { replicas: 1 } }],
  [`${apps}StatefulSetSpec`]: [
    {
      also: nameClaims,
      set: {
        replicas: 1,
        podManagementPolicy: 'OrderedReady',
        revisionHistoryLimit: 10,
        'updateStrategy.type': 'RollingUpdate',
        'persistentVolumeClaimRetentionPolicy.whenDeleted': 'Retain',
        'persistentVolumeClaimRetentionPolicy.whenScaled': 'Retain',
      },
    },
  ],
  [`${apps}StatefulSetUpdateStrategy`]: [{ when: is('type', 'RollingUpdate'), set: { 'rollingUpdate.partition': 0 } }],
  [`${apps}DaemonSetSpec`]: [{ set: { revisionHistoryLimit: 10, 'updateStrategy.type': 'RollingUpdate' } }],
  [`${apps}DaemonSetUpdateStrategy`]: [
    { when: is('type', 'RollingUpdate'), set: { 'rollingUpdate.maxUnavailable': 1, 'rollingUpdate.maxSurge': 0 } },
  ],
  // These belong to the kind, not to its spec: the job template of a CronJob has none of them.
  [`${batch}Job`]: [
    {
      when: (job) => path(job, 'spec', 'completions') === undefined && path(job, 'spec', 'parallelism') === undefined,
      set: { 'spec.completions': 1, 'spec.parallelism': 1 },
    },
    {
      set: {
        'spec.parallelism': 1,
        'spec.backoffLimit': (job: Target) =>
          path(job, 'spec', 'backoffLimitPerIndex') === undefined ? 6 : 2147483647,
        'spec.completionMode': 'NonIndexed',
        'spec.suspend': false,
        'spec.manualSelector': false,
        'spec.podReplacementPolicy': (job: Target) =>
          path(job, 'spec', 'podFailurePolicy') === undefined ? 'TerminatingOrFailed' : 'Failed',
        'metadata.labels': (job: Target) => path(job, 'spec', 'template', 'metadata', 'labels'),
      },
    },
  ],
  [`${batch}CronJobSpec`]: [
    { set: { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 } },
  ],
  'io.k8s.api.networking.v1.NetworkPolicySpec': [
    {
      set: {
        policyTypes: (spec: Target) =>
          Array.isArray(spec['egress']) && spec['egress'].length > 0 ? ['Ingress', 'Egress'] : ['Ingress'],
      },
    },
  ],
  'io.k8s.api.networking.v1.NetworkPolicyPort': [{ set: { protocol: 'TCP' } }],
  'io.k8s.api.networking.v1.IngressClassParametersReference': [{ set: { scope: 'Cluster' } }],
  'io.k8s.api.discovery.v1.EndpointPort': [{ set: { name: '', protocol: 'TCP' } }],
  [`${rbac}RoleRef`]: [{ when: (ref) => !ref['apiGroup'], set: { apiGroup: 'rbac.authorization.k8s.io' } }],
  [`${rbac}Subject`]: [{ when: is('kind', 'User', 'Group'), set: { apiGroup: 'rbac.authorization.k8s.io' } }],
  [`${batch}PodFailurePolicyOnPodConditionsPattern`]: [{ set: { status: 'True' } }],
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec': [
    {
      set: {
        minReplicas: 1,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
      },
    },
  ],
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior': [
    {
      set: {
        'scaleUp.stabilizationWindowSeconds': 0,
        'scaleUp.selectPolicy': 'Max',
        'scaleUp.policies': [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
        'scaleDown.selectPolicy': 'Max',
        'scaleDown.policies': [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      },
    },
  ],
  'io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec': [{ set: { minReplicas: 1 } }],
  'io.k8s.api.storage.v1.StorageClass': [{ set: { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' } }],
  'io.k8s.api.storage.v1.CSIDriverSpec': [
    {
      set: {
        attachRequired: true,
        podInfoOnMount: false,
        storageCapacity: false,
        fsGroupPolicy: 'ReadWriteOnceWithFSType',
        volumeLifecycleModes: ['Persistent'],
        requiresRepublish: false,
        seLinuxMount: false,
      },
    },
  ],
  'io.k8s.api.scheduling.v1.PriorityClass': [{ set: { preemptionPolicy: 'PreemptLowerPriority' } }],
  [`${admission}MutatingWebhook`]: [...WEBHOOK, { set: { reinvocationPolicy: 'Never' } }],
  [`${admission}ValidatingWebhook`]: WEBHOOK,
  [`${admission}ServiceReference`]: [{ set: { port: 443 } }],
  [`${admission}RuleWithOperations`]: [{ set: { scope: '*' } }],
  [`${admission}ValidatingAdmissionPolicySpec`]: [{ set: { failurePolicy: 'Fail' } }],
  [`${admission}MatchResources`]: [{ set: { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} } }],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec': [
    {
      set: {
        'names.singular': (spec: Target) => kindName(spec).toLowerCase(),
        'names.listKind': (spec: Target) => (kindName(spec) === '' ? '' : `${kindName(spec)}List`),
        'conversion.strategy': 'None',
      },
    },
  ],
};

function kindName(spec: Target): string {
  const names = spec['names'];
  return isRecord(names) && typeof names['kind'] === 'string' ? names['kind'] : '';
}
