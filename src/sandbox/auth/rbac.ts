// Owns RBAC: which rules a caller has by roles and bindings, and whether they allow an action. Reads the store, decides
// nothing else.
import type { Caller, Core } from '../core.ts';
import { isRecord, type KubeObject } from '../object.ts';
import type { Action } from './authorize.ts';

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

const RBAC = 'rbac.authorization.k8s.io/';

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The rules of a role; none when it is absent. */
export function roleRules(role: KubeObject | undefined): PolicyRule[] {
  const rules = role?.['rules'];
  return (Array.isArray(rules) ? rules.filter(isRecord) : []).map((rule) => ({
    verbs: texts(rule['verbs']),
    apiGroups: texts(rule['apiGroups']),
    resources: texts(rule['resources']),
    resourceNames: texts(rule['resourceNames']),
    nonResourceURLs: texts(rule['nonResourceURLs']),
  }));
}

function namesCaller(subject: unknown, caller: Caller, namespace: string): boolean {
  if (!isRecord(subject)) return false;
  switch (subject['kind']) {
    case 'User':
      return subject['name'] === caller.name;
    case 'Group':
      return caller.groups.includes(String(subject['name']));
    case 'ServiceAccount':
      return (
        caller.name === `system:serviceaccount:${String(subject['namespace'] || namespace)}:${String(subject['name'])}`
      );
    default:
      return false;
  }
}

function boundRules(core: Core, binding: KubeObject, caller: Caller): PolicyRule[] {
  const subjects = binding['subjects'];
  const namespace = binding.metadata.namespace ?? '';
  if (!Array.isArray(subjects) || !subjects.some((subject) => namesCaller(subject, caller, namespace))) return [];
  const ref = isRecord(binding['roleRef']) ? binding['roleRef'] : {};
  const key = ref['kind'] === 'Role' ? `${namespace}/${String(ref['name'])}` : String(ref['name']);
  return roleRules(core.storage.get(`${RBAC}${ref['kind'] === 'Role' ? 'roles' : 'clusterroles'}`, key)?.object);
}

/** Rules that hold for a caller in a namespace ('' for the cluster scope alone). */
export function rulesFor(core: Core, caller: Caller, namespace: string): PolicyRule[] {
  const rules = [...BASIC_RULES];
  for (const { object } of core.storage.list(`${RBAC}clusterrolebindings`))
    rules.push(...boundRules(core, object, caller));
  if (namespace !== '') {
    for (const { object } of core.storage.list(`${RBAC}rolebindings`, `${namespace}/`))
      rules.push(...boundRules(core, object, caller));
  }
  return rules;
}

/** What every authenticated caller may, as the roles system:discovery and system:basic-user grant. */
const BASIC_RULES: readonly PolicyRule[] = [
  {
    verbs: ['get'],
    apiGroups: [],
    resources: [],
    resourceNames: [],
    nonResourceURLs: [
      '/api',
      '/api/*',
      '/apis',
      '/apis/*',
      '/healthz',
      '/livez',
      '/openapi',
      '/openapi/*',
      '/readyz',
      '/version',
      '/version/',
    ],
  },
  {
    verbs: ['create'],
    apiGroups: ['authorization.k8s.io'],
    resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    resourceNames: [],
    nonResourceURLs: [],
  },
  {
    verbs: ['create'],
    apiGroups: ['authentication.k8s.io'],
    resources: ['selfsubjectreviews'],
    resourceNames: [],
    nonResourceURLs: [],
  },
];

const includes = (list: readonly string[], wanted: string): boolean => list.includes('*') || list.includes(wanted);

/** Whether a rule allows an action. */
export function ruleAllows(rule: PolicyRule, action: Action): boolean {
  if (!includes(rule.verbs, action.verb)) return false;
  if (action.resource === '') {
    return rule.nonResourceURLs.some(
      (url) => url === '*' || url === action.path || (url.endsWith('*') && action.path.startsWith(url.slice(0, -1))),
    );
  }
  if (!includes(rule.apiGroups, action.group)) return false;
  const full = action.subresource === '' ? action.resource : `${action.resource}/${action.subresource}`;
  const any = action.subresource !== '' && rule.resources.includes(`*/${action.subresource}`);
  if (!includes(rule.resources, full) && !any) return false;
  return rule.resourceNames.length === 0 || rule.resourceNames.includes(action.name);
}

const WORKLOADS = [
  {
    apiGroups: ['apps'],
    resources: [
      'controllerrevisions',
      'daemonsets',
      'deployments',
      'deployments/scale',
      'replicasets',
      'replicasets/scale',
      'statefulsets',
      'statefulsets/scale',
    ],
  },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'] },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'] },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'] },
];

const CORE = [
  'configmaps',
  'endpoints',
  'events',
  'persistentvolumeclaims',
  'pods',
  'pods/log',
  'replicationcontrollers',
  'serviceaccounts',
  'services',
];

/** Cluster roles that a new server has; the wide ones that people bind. */
export const FIRST_ROLES: readonly { readonly name: string; readonly rules: readonly object[] }[] = [
  {
    name: 'cluster-admin',
    rules: [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ],
  },
  { name: 'admin', rules: workloadRules(['*'], true) },
  {
    name: 'edit',
    rules: workloadRules(['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'], false),
  },
  { name: 'view', rules: viewRules() },
];

function workloadRules(verbs: readonly string[], withRoles: boolean): object[] {
  return [
    { apiGroups: [''], resources: [...CORE, 'secrets', 'pods/eviction', 'pods/exec', 'serviceaccounts/token'], verbs },
    ...WORKLOADS.map((rule) => ({ ...rule, verbs })),
    ...(withRoles ? [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['rolebindings', 'roles'], verbs }] : []),
    { apiGroups: [''], resources: ['namespaces', 'limitranges', 'resourcequotas'], verbs: ['get', 'list', 'watch'] },
  ];
}

function viewRules(): object[] {
  const verbs = ['get', 'list', 'watch'];
  return [
    { apiGroups: [''], resources: [...CORE, 'namespaces', 'limitranges', 'resourcequotas'], verbs },
    ...WORKLOADS.map((rule) => ({ ...rule, verbs })),
  ];
}
