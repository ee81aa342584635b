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

/** A rule that a caller has, and which binding gives it. */
export interface Grant {
  readonly rule: PolicyRule;
  /** `RoleBinding "b/ns" of Role "r" to User "u"`, as access reviews say it. */
  readonly by: string;
}

function namesCaller(subject: Record<string, unknown>, caller: Caller, namespace: string): boolean {
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

function boundGrants(core: Core, binding: KubeObject, caller: Caller): Grant[] {
  const { name, namespace = '' } = binding.metadata;
  const subjects = Array.isArray(binding['subjects']) ? binding['subjects'].filter(isRecord) : [];
  const subject = subjects.find((candidate) => namesCaller(candidate, caller, namespace));
  if (subject === undefined) return [];
  const ref = isRecord(binding['roleRef']) ? binding['roleRef'] : {};
  const isRole = ref['kind'] === 'Role';
  const key = isRole ? `${namespace}/${String(ref['name'])}` : String(ref['name']);
  const what = namespace === '' ? `ClusterRoleBinding "${name}"` : `RoleBinding "${name}/${namespace}"`;
  const by = `${what} of ${String(ref['kind'])} "${String(ref['name'])}" to ${describeSubject(subject, namespace)}`;
  const role = core.storage.get(`${RBAC}${isRole ? 'roles' : 'clusterroles'}`, key)?.object;
  return roleRules(role).map((rule) => ({ rule, by }));
}

function describeSubject(subject: Record<string, unknown>, namespace: string): string {
  const name = String(subject['name']);
  if (subject['kind'] !== 'ServiceAccount') return `${String(subject['kind'])} "${name}"`;
  return `ServiceAccount "${name}/${String(subject['namespace'] || namespace)}"`;
}

/** What holds for a caller in a namespace ('' for the cluster scope alone). */
export function* grantsFor(core: Core, caller: Caller, namespace: string): Generator<Grant> {
  for (const { object } of core.storage.list(`${RBAC}clusterrolebindings`)) yield* boundGrants(core, object, caller);
  if (namespace === '') return;
  for (const { object } of core.storage.list(`${RBAC}rolebindings`, `${namespace}/`))
    yield* boundGrants(core, object, caller);
}

/** Rules that hold for a caller in a namespace. */
export function rulesFor(core: Core, caller: Caller, namespace: string): PolicyRule[] {
  return [...grantsFor(core, caller, namespace)].map(({ rule }) => rule);
}

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
