// Owns the shapes that the fake controllers read and write, as far as they look at them. The store keeps whole objects.
import type { KubeObject } from '../object.ts';
import type { ResourceId } from '../store.ts';

export const RESOURCES = {
  configMaps: { group: '', resource: 'configmaps' },
  endpoints: { group: '', resource: 'endpoints' },
  events: { group: '', resource: 'events' },
  namespaces: { group: '', resource: 'namespaces' },
  nodes: { group: '', resource: 'nodes' },
  persistentVolumeClaims: { group: '', resource: 'persistentvolumeclaims' },
  persistentVolumes: { group: '', resource: 'persistentvolumes' },
  pods: { group: '', resource: 'pods' },
  serviceAccounts: { group: '', resource: 'serviceaccounts' },
  services: { group: '', resource: 'services' },
  controllerRevisions: { group: 'apps', resource: 'controllerrevisions' },
  daemonSets: { group: 'apps', resource: 'daemonsets' },
  deployments: { group: 'apps', resource: 'deployments' },
  replicaSets: { group: 'apps', resource: 'replicasets' },
  statefulSets: { group: 'apps', resource: 'statefulsets' },
  cronJobs: { group: 'batch', resource: 'cronjobs' },
  jobs: { group: 'batch', resource: 'jobs' },
  endpointSlices: { group: 'discovery.k8s.io', resource: 'endpointslices' },
  podDisruptionBudgets: { group: 'policy', resource: 'poddisruptionbudgets' },
  storageClasses: { group: 'storage.k8s.io', resource: 'storageclasses' },
} as const satisfies Record<string, ResourceId>;

export type Labels = Readonly<Record<string, string>>;
export type IntOrString = number | string;

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

/** A status condition. Which of the times and generations a kind writes differs; see each controller. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration?: number;
  lastProbeTime?: string | null;
  lastUpdateTime?: string;
  lastTransitionTime?: string | null;
  reason?: string;
  message?: string;
}

export interface Container {
  name: string;
  image: string;
  restartPolicy?: string;
  ports?: readonly { name?: string; containerPort: number; protocol?: string }[];
}

export interface PodSpec {
  containers: readonly Container[];
  initContainers?: readonly Container[];
  nodeName?: string;
  nodeSelector?: Record<string, string>;
  hostNetwork?: boolean;
  hostname?: string;
  subdomain?: string;
  restartPolicy?: string;
  readinessGates?: readonly { conditionType: string }[];
  schedulingGates?: readonly { name: string }[];
  tolerations?: readonly Record<string, unknown>[];
  volumes?: readonly { name: string; persistentVolumeClaim?: { claimName: string }; [source: string]: unknown }[];
  [field: string]: unknown;
}

export interface PodTemplate {
  metadata?: {
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
    [field: string]: unknown;
  };
  spec: PodSpec;
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  state?: { waiting?: object; running?: object; terminated?: { exitCode: number } };
  [field: string]: unknown;
}

export interface PodStatus {
  phase?: string;
  conditions?: Condition[];
  podIP?: string;
  containerStatuses?: ContainerStatus[];
  [field: string]: unknown;
}

export interface Pod extends KubeObject {
  spec: PodSpec;
  status?: PodStatus;
}

export interface ReplicaSet extends KubeObject {
  spec: { replicas: number; minReadySeconds?: number; selector: LabelSelector; template: PodTemplate };
  status?: {
    replicas: number;
    fullyLabeledReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    terminatingReplicas?: number;
    observedGeneration?: number;
    conditions?: Condition[];
  };
}

export interface DeploymentStatus {
  observedGeneration?: number;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  unavailableReplicas?: number;
  terminatingReplicas?: number;
  conditions?: Condition[];
  collisionCount?: number;
}

export interface Deployment extends KubeObject {
  spec: {
    replicas: number;
    selector: LabelSelector;
    template: PodTemplate;
    strategy: { type: string; rollingUpdate?: { maxSurge?: IntOrString; maxUnavailable?: IntOrString } };
    minReadySeconds?: number;
    revisionHistoryLimit?: number;
    paused?: boolean;
    progressDeadlineSeconds?: number;
  };
  status?: DeploymentStatus;
}
