// Owns the manifests of an installation: namespace, rights, Deployment, Service, NetworkPolicies. The CRDs are
// api/crd.ts. Facts about rights and networks: flux.md §6.4.
import { kinds } from '../api/kinds.ts';
import type { JsonObject } from '../lib/json.ts';

export const installNamespace = 'flux-system';
const NAME = 'lockstep';
/** Headless Service that gives each replica a name of its own. */
const REPLICAS = 'lockstep-replicas';
const HTTP_PORT = 8080;
const INTERNAL_PORT = 9090;
const USER_ID = 65_532;

export interface InstallOptions {
  readonly image: string;
  readonly rbac: 'cluster-admin' | 'tenant';
  readonly persistent: boolean;
  /** Replicas that share the objects. @default one that has them all */
  readonly shards?: number | undefined;
}

/** Of names of Services; the dot at the end keeps resolvers from trying search domains first. */
const domain = `${installNamespace}.svc.cluster.local.`;

const labels = {
  'app.kubernetes.io/instance': installNamespace,
  'app.kubernetes.io/part-of': 'flux',
  'app.kubernetes.io/component': NAME,
};
const podLabels = { app: NAME, 'app.kubernetes.io/component': NAME };

function metadata(name: string, extra: JsonObject = {}): JsonObject {
  return { name, namespace: installNamespace, labels, ...extra };
}

function clusterMetadata(name: string, extra: JsonObject = {}): JsonObject {
  return { name, labels: { ...labels, ...extra } };
}

/** Everything but the CRDs, in the order of applying. */
export function installManifests(options: InstallOptions): JsonObject[] {
  return [
    namespaceManifest(),
    ...rightsManifests(options.rbac, options.shards),
    ...workloadManifests(options),
    service(),
    ...networkPolicies(),
  ];
}

/** One process, or replicas that each have a name and a volume of their own. */
function workloadManifests(options: InstallOptions): JsonObject[] {
  const { shards } = options;
  if (shards !== undefined) return [statefulSet(options, shards), headlessService()];
  return [...(options.persistent ? [claim()] : []), deployment(options)];
}

/** The namespace. Pods in it are held to the restricted profile. */
export function namespaceManifest(): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: clusterMetadata(installNamespace, {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    }),
  };
}

/** ServiceAccount, roles and bindings. */
export function rightsManifests(rbac: InstallOptions['rbac'], shards?: number): JsonObject[] {
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: installNamespace }];
  const bind = (role: string, name: string): JsonObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: clusterMetadata(name),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects,
  });
  const leases = 'lockstep-leader-election';
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(NAME) },
    controllerRole(),
    aggregatedRole('view', ['get', 'list', 'watch']),
    aggregatedRole('edit', ['create', 'delete', 'deletecollection', 'patch', 'update']),
    bind('lockstep-controller', 'lockstep-controller'),
    leaderElectionRole(leases, shards),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: metadata(leases),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: leases },
      subjects,
    },
    ...(rbac === 'cluster-admin' ? [bind('cluster-admin', 'lockstep-cluster-admin')] : []),
  ];
}

/** What the reconciler itself needs. Objects are applied as the ServiceAccounts that the Kustomizations name. */
function controllerRole(): JsonObject {
  const groups = [...new Set(kinds.map((kind) => kind.group))];
  const plurals = kinds.map((kind) => kind.plural);
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: clusterMetadata('lockstep-controller'),
    rules: [
      { apiGroups: groups, resources: plurals, verbs: ['get', 'list', 'watch', 'patch', 'update'] },
      { apiGroups: groups, resources: plurals.map((plural) => `${plural}/status`), verbs: ['get', 'patch', 'update'] },
      { apiGroups: groups, resources: plurals.map((plural) => `${plural}/finalizers`), verbs: ['update'] },
      { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['get'] },
      { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['get', 'impersonate'] },
      // Tokens that open the clusters of `spec.kubeConfig.configMapRef`.
      { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
      { nonResourceURLs: ['/version', '/api', '/api/*', '/apis', '/apis/*'], verbs: ['get'] },
    ],
  };
}

/** Leases are taken in the namespace of the installation alone: those of other controllers are not ours to hold. */
function leaderElectionRole(name: string, shards: number | undefined): JsonObject {
  // Replicas that share the objects watch one another's.
  const more = shards === undefined ? [] : ['list', 'watch', 'delete'];
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: metadata(name),
    rules: [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update', ...more] }],
  };
}

/** Rights on our kinds for people who have the usual view, edit or admin role. */
function aggregatedRole(name: 'view' | 'edit', verbs: readonly string[]): JsonObject {
  const to = name === 'view' ? ['view', 'edit', 'admin'] : ['edit', 'admin'];
  const aggregate = Object.fromEntries(to.map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true']));
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: clusterMetadata(`flux-${name}`, aggregate),
    rules: [...new Set(kinds.map((kind) => kind.group))].map((group) => ({
      apiGroups: [group],
      resources: kinds.filter((kind) => kind.group === group).map((kind) => kind.plural),
      verbs: [...verbs],
    })),
  };
}

const claimSpec: JsonObject = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } };

function claim(): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata('lockstep-state'),
    spec: claimSpec,
  };
}

function deployment({ image, persistent }: InstallOptions): JsonObject {
  const state: JsonObject = persistent
    ? { name: 'state', persistentVolumeClaim: { claimName: 'lockstep-state' } }
    : { name: 'state', emptyDir: {} };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(NAME, { labels: { ...labels, 'control-plane': 'controller' } }),
    spec: {
      replicas: 1,
      // The old process gives its leases back before the new one takes them.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: { app: NAME } },
      template: podTemplate(container(image, [`--storage-adv-addr=${NAME}.${domain}`]), [state]),
    },
  };
}

/** A name that stays: artifacts are found at it after a restart, too. */
function statefulSet({ image, persistent }: InstallOptions, shards: number): JsonObject {
  const address = `$(POD_NAME).${REPLICAS}.${domain}:${INTERNAL_PORT}`;
  const podName = { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } };
  const replica = {
    ...container(image, [`--shards=${shards}`, `--storage-adv-addr=${address}`]),
    env: [podName],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadata(NAME, { labels: { ...labels, 'control-plane': 'controller' } }),
    spec: {
      replicas: shards,
      serviceName: REPLICAS,
      // None waits for another: they divide the objects among those that are there.
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: { app: NAME } },
      template: podTemplate(replica, persistent ? [] : [{ name: 'state', emptyDir: {} }]),
      ...(persistent ? { volumeClaimTemplates: [{ metadata: { name: 'state' }, spec: claimSpec }] } : {}),
    },
  };
}

function podTemplate(only: JsonObject, volumes: readonly JsonObject[]): JsonObject {
  return {
    metadata: {
      labels: podLabels,
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(INTERNAL_PORT) },
    },
    spec: {
      serviceAccountName: NAME,
      terminationGracePeriodSeconds: 30,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER_ID,
        runAsGroup: USER_ID,
        fsGroup: USER_ID,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [only],
      volumes: [...volumes, { name: 'tmp', emptyDir: {} }],
    },
  };
}

function container(image: string, more: readonly string[]): JsonObject {
  return {
    name: NAME,
    image,
    args: [
      'run',
      '--listen=0.0.0.0',
      '--state=/data',
      `--http-port=${HTTP_PORT}`,
      `--internal-port=${INTERNAL_PORT}`,
      '--enable-leader-election',
      `--namespace=${installNamespace}`,
      ...more,
    ],
    ports: [
      { name: 'http', containerPort: HTTP_PORT, protocol: 'TCP' },
      { name: 'internal', containerPort: INTERNAL_PORT, protocol: 'TCP' },
    ],
    livenessProbe: { httpGet: { path: '/healthz', port: 'internal' }, initialDelaySeconds: 5 },
    readinessProbe: { httpGet: { path: '/readyz', port: 'internal' } },
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '1Gi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'state', mountPath: '/data' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

function service(): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(NAME),
    spec: {
      type: 'ClusterIP',
      selector: { app: NAME },
      ports: [{ name: 'artifacts', port: 80, protocol: 'TCP', targetPort: 'internal' }],
    },
  };
}

function headlessService(): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(REPLICAS),
    spec: {
      clusterIP: 'None',
      // What a replica has stored is there whether or not it has joined.
      publishNotReadyAddresses: true,
      selector: { app: NAME },
      ports: [{ name: 'artifacts', port: INTERNAL_PORT, protocol: 'TCP', targetPort: 'internal' }],
    },
  };
}

/** Namespaces whose pods may reach the internal port, which serves artifacts beside metrics. */
const SCRAPING_LABEL = 'lockstep.dev/scraping';

/** Nothing reaches the pods but pods of the same namespace and of namespaces with the label; they reach everything. */
function networkPolicies(): JsonObject[] {
  const policy = (name: string, spec: JsonObject): JsonObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(name),
    spec,
  });
  return [
    policy('allow-egress', {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      egress: [{}],
      ingress: [{ from: [{ podSelector: {} }] }],
    }),
    policy('allow-scraping', {
      podSelector: { matchLabels: { app: NAME } },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { [SCRAPING_LABEL]: 'true' } } }],
          ports: [{ port: INTERNAL_PORT, protocol: 'TCP' }],
        },
      ],
    }),
  ];
}
