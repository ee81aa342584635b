// Owns the places that transformers write to by default: tables of field specs, and which fields hold names of what.
// Merging them with a user's configuration is config.ts.
import type { NameReference, TransformerConfig } from './config.ts';
import type { FieldSpec } from './fieldspec.ts';
import type { Gvk } from './resid.ts';

function spec(path: string, type: Partial<Gvk> = {}, create = false): FieldSpec {
  return { group: '', version: '', kind: '', ...type, path, create };
}

const created = (path: string, type: Partial<Gvk> = {}): FieldSpec => spec(path, type, true);
const apps = (kind: string): Partial<Gvk> => ({ group: 'apps', kind });
const batch = (kind: string): Partial<Gvk> => ({ group: 'batch', kind });
const TEMPLATE = 'spec/template/';
const JOB_TEMPLATE = 'spec/jobTemplate/spec/template/';
const REPLICATION_CONTROLLER = { version: 'v1', kind: 'ReplicationController' };

/** Labels of objects and of the templates in them. */
const templateLabels: readonly FieldSpec[] = [
  created('metadata/labels'),
  created(`${TEMPLATE}metadata/labels`, REPLICATION_CONTROLLER),
  created(`${TEMPLATE}metadata/labels`, { kind: 'Deployment' }),
  created(`${TEMPLATE}metadata/labels`, { kind: 'ReplicaSet' }),
  created(`${TEMPLATE}metadata/labels`, { kind: 'DaemonSet' }),
  created(`${TEMPLATE}metadata/labels`, apps('StatefulSet')),
  created('spec/volumeClaimTemplates[]/metadata/labels', apps('StatefulSet')),
  created(`${TEMPLATE}metadata/labels`, batch('Job')),
  created('spec/jobTemplate/metadata/labels', batch('CronJob')),
  created(`${JOB_TEMPLATE}metadata/labels`, batch('CronJob')),
];

const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm';
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

function schedulingSelectors(kind: string): readonly FieldSpec[] {
  const places = ['podAffinity', 'podAntiAffinity'].flatMap((affinity) => [
    `affinity/${affinity}/${PREFERRED}/labelSelector/matchLabels`,
    `affinity/${affinity}/${REQUIRED}/labelSelector/matchLabels`,
  ]);
  places.push('topologySpreadConstraints/labelSelector/matchLabels');
  return places.map((place) => spec(`${TEMPLATE}spec/${place}`, apps(kind)));
}

const networkPolicy = { group: 'networking.k8s.io', kind: 'NetworkPolicy' };

/** Labels and all selectors that have to follow them. */
const commonLabels: readonly FieldSpec[] = [
  created('spec/selector', { version: 'v1', kind: 'Service' }),
  created('spec/selector', REPLICATION_CONTROLLER),
  created('spec/selector/matchLabels', { kind: 'Deployment' }),
  ...schedulingSelectors('Deployment'),
  created('spec/selector/matchLabels', { kind: 'ReplicaSet' }),
  created('spec/selector/matchLabels', { kind: 'DaemonSet' }),
  created('spec/selector/matchLabels', apps('StatefulSet')),
  ...schedulingSelectors('StatefulSet'),
  spec('spec/selector/matchLabels', batch('Job')),
  spec('spec/jobTemplate/spec/selector/matchLabels', batch('CronJob')),
  spec('spec/selector/matchLabels', { group: 'policy', kind: 'PodDisruptionBudget' }),
  spec('spec/podSelector/matchLabels', networkPolicy),
  spec('spec/ingress/from/podSelector/matchLabels', networkPolicy),
  spec('spec/egress/to/podSelector/matchLabels', networkPolicy),
  ...templateLabels,
];

const commonAnnotations: readonly FieldSpec[] = [
  created('metadata/annotations'),
  created(`${TEMPLATE}metadata/annotations`, REPLICATION_CONTROLLER),
  ...['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet'].map((kind) =>
    created(`${TEMPLATE}metadata/annotations`, { kind }),
  ),
  created(`${TEMPLATE}metadata/annotations`, batch('Job')),
  created('spec/jobTemplate/metadata/annotations', batch('CronJob')),
  created(`${JOB_TEMPLATE}metadata/annotations`, batch('CronJob')),
];

const namespace: readonly FieldSpec[] = [
  created('metadata/name', { kind: 'Namespace' }),
  created('spec/service/namespace', { group: 'apiregistration.k8s.io', kind: 'APIService' }),
  spec('spec/conversion/webhook/clientConfig/service/namespace', {
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
  }),
];

const images: readonly FieldSpec[] = ['spec/', `${TEMPLATE}spec/`].flatMap((pod) => [
  created(`${pod}containers[]/image`),
  created(`${pod}initContainers[]/image`),
  created(`${pod}volumes[]/image/reference`),
]);

const replicas: readonly FieldSpec[] = ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map(
  (kind) => created('spec/replicas', { kind }),
);

/** Where the pod spec of a kind begins. */
const podSpecs: Readonly<Record<string, string>> = {
  Pod: 'spec/',
  PodTemplate: 'template/spec/',
  Deployment: `${TEMPLATE}spec/`,
  ReplicaSet: `${TEMPLATE}spec/`,
  DaemonSet: `${TEMPLATE}spec/`,
  StatefulSet: `${TEMPLATE}spec/`,
  ReplicationController: `${TEMPLATE}spec/`,
  Job: `${TEMPLATE}spec/`,
  CronJob: `${JOB_TEMPLATE}spec/`,
};

/** The kinds whose pods may name ConfigMaps and Secrets. A ReplicationController is not among them. */
const VOLUME_KINDS = ['Pod', 'PodTemplate', 'Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job', 'CronJob'];
/** The kinds whose pods may name the rest. */
const POD_KINDS = ['Pod', 'StatefulSet', 'Deployment', 'ReplicationController', 'CronJob', 'Job', 'DaemonSet'];

function inPods(kinds: readonly string[], fields: readonly string[]): readonly FieldSpec[] {
  return kinds.flatMap((kind) => fields.map((field) => spec(`${podSpecs[kind]}${field}`, { kind })));
}

/** As `inPods`, but a Pod has to be of version v1 here. */
function inVolumePods(fields: readonly string[]): readonly FieldSpec[] {
  return inPods(VOLUME_KINDS, fields).map((one) => (one.kind === 'Pod' ? { ...one, version: 'v1' } : one));
}

const EACH_CONTAINER = ['containers', 'initContainers'];
const keyReferences = (name: string): readonly string[] =>
  EACH_CONTAINER.flatMap((list) => [`${list}/env/valueFrom/${name}KeyRef/name`, `${list}/envFrom/${name}Ref/name`]);

const rules: readonly FieldSpec[] = [
  spec('rules/resourceNames', { kind: 'Role' }),
  spec('rules/resourceNames', { kind: 'ClusterRole' }),
];
const rbac = 'rbac.authorization.k8s.io';
const ingress = (path: string): FieldSpec => spec(path, { kind: 'Ingress' });
const storage = (path: string): FieldSpec => spec(path, { kind: 'StorageClass' });

const configMapReferrers: readonly FieldSpec[] = [
  ...inVolumePods([
    'volumes/configMap/name',
    ...keyReferences('configMap'),
    'volumes/projected/sources/configMap/name',
  ]),
  spec('spec/configSource/configMap', { kind: 'Node' }),
  ...rules,
  ingress('metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap'),
];

const secretReferrers: readonly FieldSpec[] = [
  ...inVolumePods([
    'volumes/secret/secretName',
    ...keyReferences('secret'),
    'imagePullSecrets/name',
    'volumes/projected/sources/secret/name',
  ]),
  ingress('spec/tls/secretName'),
  ingress('metadata/annotations/ingress.kubernetes.io\\/auth-secret'),
  ingress('metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret'),
  ingress('metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret'),
  spec('imagePullSecrets/name', { kind: 'ServiceAccount' }),
  storage('parameters/secretName'),
  storage('parameters/adminSecretName'),
  storage('parameters/userSecretName'),
  storage('parameters/secretRef'),
  ...rules,
  spec(`${TEMPLATE}spec/containers/env/valueFrom/secretKeyRef/name`, {
    group: 'serving.knative.dev',
    version: 'v1',
    kind: 'Service',
  }),
  spec('spec/azureFile/secretName', { kind: 'PersistentVolume' }),
];

const serviceReferrers: readonly FieldSpec[] = [
  spec('spec/serviceName', apps('StatefulSet')),
  ingress('spec/rules/http/paths/backend/serviceName'),
  ingress('spec/backend/serviceName'),
  ingress('spec/rules/http/paths/backend/service/name'),
  ingress('spec/defaultBackend/service/name'),
  spec('spec/service/name', { group: 'apiregistration.k8s.io', kind: 'APIService' }),
  ...['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'].map((kind) =>
    spec('webhooks/clientConfig/service', { group: 'admissionregistration.k8s.io', kind }),
  ),
];

const bindings = (path: string): readonly FieldSpec[] =>
  ['RoleBinding', 'ClusterRoleBinding'].map((kind) => spec(path, { group: rbac, kind }));

function reference(type: Partial<Gvk>, referrers: readonly FieldSpec[]): NameReference {
  return { group: '', version: '', kind: '', ...type, referrers };
}

const nameReference: readonly NameReference[] = [
  ...['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) =>
    reference({ kind }, [spec('spec/scaleTargetRef/name', { kind: 'HorizontalPodAutoscaler' })]),
  ),
  reference({ version: 'v1', kind: 'ConfigMap' }, configMapReferrers),
  reference({ version: 'v1', kind: 'Secret' }, secretReferrers),
  reference({ version: 'v1', kind: 'Service' }, serviceReferrers),
  reference({ group: rbac, kind: 'Role' }, [spec('roleRef/name', { group: rbac, kind: 'RoleBinding' })]),
  reference({ group: rbac, kind: 'ClusterRole' }, bindings('roleRef/name')),
  reference({ version: 'v1', kind: 'ServiceAccount' }, [
    ...bindings('subjects'),
    ...inPods(POD_KINDS, ['serviceAccountName']),
  ]),
  reference(
    { version: 'v1', kind: 'PersistentVolumeClaim' },
    inPods(POD_KINDS, ['volumes/persistentVolumeClaim/claimName']),
  ),
  reference({ version: 'v1', kind: 'PersistentVolume' }, [
    spec('spec/volumeName', { kind: 'PersistentVolumeClaim' }),
    spec('rules/resourceNames', { kind: 'ClusterRole' }),
  ]),
  reference({ group: 'storage.k8s.io', version: 'v1', kind: 'StorageClass' }, [
    spec('spec/storageClassName', { kind: 'PersistentVolume' }),
    spec('spec/storageClassName', { kind: 'PersistentVolumeClaim' }),
    spec('spec/volumeClaimTemplates/spec/storageClassName', { kind: 'StatefulSet' }),
  ]),
  reference(
    { group: 'scheduling.k8s.io', version: 'v1', kind: 'PriorityClass' },
    inPods(POD_KINDS, ['priorityClassName']),
  ),
  // The reference wrote the version into the group, so this one never matches a real object.
  reference({ group: 'networking.k8s.io/v1', version: 'v1', kind: 'IngressClass' }, [ingress('spec/ingressClassName')]),
  reference({ group: 'admissionregistration.k8s.io', kind: 'ValidatingAdmissionPolicy' }, [
    spec('spec/policyName', { group: 'admissionregistration.k8s.io', kind: 'ValidatingAdmissionPolicyBinding' }),
  ]),
];

const containerTexts = EACH_CONTAINER.flatMap((list) =>
  ['args', 'command', 'env/value', 'volumeMounts/mountPath'].map((field) => `${list}/${field}`),
);

const varReference: readonly FieldSpec[] = [
  ...inPods(['CronJob', 'DaemonSet', 'Deployment', 'Job', 'Pod', 'ReplicaSet', 'StatefulSet'], containerTexts),
  ...inPods(['DaemonSet', 'Deployment', 'Job', 'Pod', 'ReplicaSet'], ['volumes/nfs/server']),
  spec(`${JOB_TEMPLATE}volumes/nfs/server`, { kind: 'CronJob' }),
  spec(`${TEMPLATE}metadata/annotations`, { kind: 'Deployment' }),
  ingress('spec/rules/host'),
  ingress('spec/tls/hosts'),
  ingress('spec/tls/secretName'),
  spec('spec/ports/port', { kind: 'Service' }),
  spec('spec/ports/targetPort', { kind: 'Service' }),
  spec('spec/volumeClaimTemplates/spec/nfs/server', { kind: 'StatefulSet' }),
  spec('spec/nfs/server', { kind: 'PersistentVolume' }),
  spec('metadata/labels'),
  spec('metadata/annotations'),
];

/** The configuration of every kustomization before its own files are merged in; not yet in order. */
export const defaultFieldSpecs: TransformerConfig = {
  namePrefix: [spec('metadata/name')],
  nameSuffix: [spec('metadata/name')],
  namespace,
  commonLabels,
  labels: [],
  templateLabels,
  commonAnnotations,
  nameReference,
  varReference,
  images,
  replicas,
};
