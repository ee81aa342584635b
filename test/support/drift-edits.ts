// Owns the world of the drift suites: one Kustomization with objects of many kinds, the edits that somebody makes of
// them by hand, and which of these are put back. Running them is test/integration/drift.test.ts and slow/.
import { deploymentYaml } from './build.ts';
import { CANARY } from './canary.ts';
import type { Live } from './reconciler.ts';
import type { Random } from './seeded-choices.ts';

/** An edit, as a request about one of the world's objects. */
export interface DriftEdit {
  readonly name: string;
  readonly object: ObjectName;
  /** @default 'PATCH' */
  readonly method?: 'PATCH' | 'PUT' | 'DELETE';
  readonly subresource?: 'scale' | 'status';
  readonly manager: string;
  /** @default 'merge' */
  readonly type?: keyof typeof contentTypes;
  readonly body?: (choices: Random, live: Live) => unknown;
  /** What becomes of it. @default 'put back' */
  readonly fate?: 'put back' | 'left alone';
}

export const contentTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
  put: 'application/json',
} as const;

/** Paths of the world's objects. Cluster-scoped ones bear the namespace's name, so that tests do not meet. */
export const worldPaths = {
  web: (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/deployments/web`,
  spare: (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/deployments/spare`,
  settings: (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps/settings`,
  shared: (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps/shared`,
  hidden: (namespace: string) => `/api/v1/namespaces/${namespace}/secrets/hidden`,
  front: (namespace: string) => `/api/v1/namespaces/${namespace}/services/front`,
  reader: (namespace: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/reader`,
  readers: (namespace: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/readers`,
  widget: (namespace: string) => `/apis/${groupOf(namespace)}/v1/namespaces/${namespace}/widgets/small`,
  extra: (namespace: string) => `/api/v1/namespaces/${namespace}-extra`,
} as const;

type ObjectName = keyof typeof worldPaths;

/** Names of the world's objects. */
export const worldObjects = Object.keys(worldPaths) as ObjectName[];

/** The manifests of the world. */
export function worldFiles(namespace: string): Record<string, string> {
  const group = groupOf(namespace);
  // No targetNamespace: it would rename the Namespace object too.
  const inNamespace = (yaml: string) => yaml.replace('metadata:\n', `metadata:\n  namespace: ${namespace}\n`);
  const web = deploymentYaml('web', 'nginx:1', 2).replace(
    '        image: nginx:1\n',
    '        image: nginx:1\n        env:\n        - {name: MODE, value: quiet}\n        ports:\n        - containerPort: 80\n',
  );
  return {
    'web.yaml': inNamespace(web),
    'spare.yaml': inNamespace(deploymentYaml('spare', 'nginx:1', 0)),
    'rest.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: ${namespace}}
data: {color: blue, size: small}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shared, namespace: ${namespace}}
data: {ours: "1"}
---
apiVersion: v1
kind: Secret
metadata: {name: hidden, namespace: ${namespace}}
stringData: {password: ${CANARY}}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: ${namespace}}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: ${namespace}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: ${namespace}}]
---
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}-extra, labels: {team: red}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.${group}}
spec:
  group: ${group}
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
---
apiVersion: ${group}/v1
kind: Widget
metadata: {name: small, namespace: ${namespace}}
spec: {size: 1, parts: [wheel, axle]}
`,
  };
}

function groupOf(namespace: string): string {
  return `${namespace}.example.com`;
}

const container = (change: object) => ({ spec: { template: { spec: { containers: [{ name: 'main', ...change }] } } } });
const labels = (change: object) => ({ metadata: { labels: change } });
const replace = (path: string, value: unknown) => [{ op: 'replace', path, value }];

/** Edits of every kind, put back ones first. */
export const driftEdits: readonly DriftEdit[] = [
  {
    name: 'set image',
    object: 'web',
    manager: 'kubectl-set',
    type: 'strategic',
    body: (choices) => container({ image: `nginx:bad-${choices.below(1000)}` }),
  },
  {
    name: 'scale',
    object: 'web',
    manager: 'kubectl',
    subresource: 'scale',
    body: (choices) => ({ spec: { replicas: 3 + choices.below(4) } }),
  },
  {
    name: 'edit',
    object: 'web',
    manager: 'kubectl-edit',
    body: (choices) => ({ spec: { minReadySeconds: 1 + choices.below(9) } }),
  },
  { name: 'label', object: 'web', manager: 'kubectl-label', body: () => labels({ by: 'hand' }) },
  { name: 'overwrite a label', object: 'web', manager: 'kubectl-label', body: () => labels({ app: 'x' }) },
  { name: 'remove a label', object: 'spare', manager: 'kubectl-label', body: () => labels({ app: null }) },
  {
    name: 'remove an ownership label',
    object: 'web',
    manager: 'kubectl-label',
    body: () => labels({ 'kustomize.toolkit.fluxcd.io/name': null }),
  },
  {
    name: 'annotate',
    object: 'web',
    manager: 'kubectl-annotate',
    body: (choices) => ({ metadata: { annotations: { [`by-${choices.below(9)}`]: 'hand' } } }),
  },
  {
    name: 'restart a roll-out',
    object: 'web',
    manager: 'kubectl-rollout',
    type: 'strategic',
    body: () => ({ spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } } } }),
  },
  {
    name: 'add an environment variable',
    object: 'web',
    manager: 'kubectl-set',
    type: 'strategic',
    body: (choices) => container({ env: [{ name: `A${choices.below(9)}`, value: 'b' }] }),
  },
  {
    name: 'change an environment variable',
    object: 'web',
    manager: 'kubectl-set',
    type: 'strategic',
    body: () => container({ env: [{ name: 'MODE', value: 'loud' }] }),
  },
  {
    name: 'add a port',
    object: 'web',
    manager: 'kubectl-patch',
    type: 'strategic',
    body: (choices) => container({ ports: [{ containerPort: 8000 + choices.below(99), protocol: 'TCP' }] }),
  },
  {
    name: 'remove a port',
    object: 'web',
    manager: 'kubectl-edit',
    type: 'json',
    body: () => [{ op: 'remove', path: '/spec/template/spec/containers/0/ports' }],
  },
  {
    name: 'set limits',
    object: 'web',
    manager: 'kubectl-set',
    type: 'strategic',
    body: () => container({ resources: { limits: { cpu: '1' } } }),
  },
  {
    name: 'replace the object as another manager',
    object: 'spare',
    method: 'PUT',
    type: 'put',
    manager: 'curl',
    body: (choices, live) => ({ ...live, spec: { ...live.spec, replicas: 1 + choices.below(3) } }),
  },
  {
    name: 'apply a changed manifest on the server',
    object: 'web',
    manager: 'kubectl',
    type: 'apply',
    body: (choices) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { revisionHistoryLimit: 1 + choices.below(5) },
    }),
  },
  {
    name: 'apply a changed manifest on the client',
    object: 'settings',
    manager: 'kubectl-client-side-apply',
    body: () => ({
      metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
      data: { color: 'yellow' },
    }),
  },
  {
    name: 'clear the managed fields',
    object: 'reader',
    manager: 'kubectl-edit',
    type: 'json',
    body: () => replace('/metadata/managedFields', [{}]),
  },
  { name: 'change a key', object: 'settings', manager: 'dashboard', body: () => ({ data: { color: 'green' } }) },
  { name: 'add a key', object: 'settings', manager: 'kubectl-edit', body: () => ({ data: { added: 'x' } }) },
  { name: 'remove a key', object: 'settings', manager: 'kubectl-edit', body: () => ({ data: { size: null } }) },
  {
    name: 'add a finalizer',
    object: 'settings',
    manager: 'kubectl-patch',
    body: () => ({ metadata: { finalizers: ['example.com/hold'] } }),
  },
  {
    name: 'change a Secret',
    object: 'hidden',
    manager: 'kubectl-edit',
    body: () => ({ data: { password: Buffer.from('second').toString('base64') } }),
  },
  {
    name: 'change the port of a Service',
    object: 'front',
    manager: 'kubectl-edit',
    type: 'json',
    body: (choices) => replace('/spec/ports/0/port', 81 + choices.below(9)),
  },
  {
    name: 'change the selector of a Service',
    object: 'front',
    manager: 'kubectl-set',
    body: () => ({ spec: { selector: { app: 'other' } } }),
  },
  {
    name: 'add a rule to a Role',
    object: 'reader',
    manager: 'kubectl-edit',
    type: 'json',
    body: () => [{ op: 'add', path: '/rules/-', value: { apiGroups: [''], resources: ['secrets'], verbs: ['*'] } }],
  },
  {
    name: 'add a subject to a RoleBinding',
    object: 'readers',
    manager: 'intruder',
    type: 'json',
    body: () => [
      { op: 'add', path: '/subjects/-', value: { kind: 'User', name: 'eve', apiGroup: 'rbac.authorization.k8s.io' } },
    ],
  },
  {
    name: 'change a custom resource',
    object: 'widget',
    manager: 'operator',
    body: (choices) => ({ spec: { size: 2 + choices.below(9), parts: ['wheel'] } }),
  },
  {
    name: 'change the label of a Namespace',
    object: 'extra',
    manager: 'kubectl-label',
    body: () => labels({ team: 'x' }),
  },
  { name: 'delete a Deployment', object: 'spare', method: 'DELETE', manager: 'kubectl' },
  { name: 'delete a Service', object: 'front', method: 'DELETE', manager: 'kubectl' },
  { name: 'delete a custom resource', object: 'widget', method: 'DELETE', manager: 'kubectl' },

  {
    name: 'write a status',
    object: 'widget',
    subresource: 'status',
    manager: 'operator',
    body: (choices) => ({ status: { seen: choices.below(1000) } }),
    fate: 'left alone',
  },
  {
    name: 'add a key as an operator',
    object: 'shared',
    manager: 'operator',
    body: (choices) => ({ data: { theirs: `${choices.below(1000)}` } }),
    fate: 'left alone',
  },
  {
    name: 'annotate as an operator',
    object: 'shared',
    manager: 'operator',
    body: (choices) => ({ metadata: { annotations: { theirs: `${choices.below(1000)}` } } }),
    fate: 'left alone',
  },
  {
    name: 'add a finalizer as an operator',
    object: 'shared',
    manager: 'operator',
    body: () => ({ metadata: { finalizers: ['example.com/operator'] } }),
    fate: 'left alone',
  },
];

/** What of an object people and Git decide: not its status, nor what the server counts and notes. */
export function contentOf(live: Live): unknown {
  const { metadata, status: _status, ...content } = live;
  const { 'deployment.kubernetes.io/revision': _revision, ...annotations } = metadata.annotations ?? {};
  const { clusterIP: _address, clusterIPs: _addresses, ...spec } = content.spec ?? {};
  return { ...content, spec, labels: metadata.labels ?? {}, annotations, finalizers: metadata.finalizers ?? [] };
}

/** The fields that our own entry of the managed fields lists. */
export function ownFieldsOf(live: Live): unknown {
  const entries: Live[] = live.metadata.managedFields ?? [];
  return entries.find((entry) => entry.manager === 'kustomize-controller' && entry.operation === 'Apply')?.fieldsV1;
}
