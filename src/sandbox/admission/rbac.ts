// Owns the rule that nobody grants rights that they do not have: roles and bindings written by others than
// system:masters.
import { isAllowed } from '../auth/authorize.ts';
import { type PolicyRule, roleRules, ruleAllows, rulesFor } from '../auth/rbac.ts';
import type { AdmissionStep, Caller, Core, WriteRequest } from '../core.ts';
import { type KubeObject, readPath } from '../object.ts';
import { forbidden } from '../rest/errors.ts';

const GROUP = 'rbac.authorization.k8s.io';

/** Single rights that a rule grants: one verb on one resource or path each. */
function rightsOf(
  rule: PolicyRule,
): { rule: PolicyRule; verb: string; group: string; resource: string; name: string; path: string }[] {
  const names = rule.resourceNames.length > 0 ? rule.resourceNames : [''];
  return rule.verbs.flatMap((verb) => [
    ...rule.apiGroups.flatMap((group) =>
      rule.resources.flatMap((resource) => names.map((name) => ({ rule, verb, group, resource, name, path: '' }))),
    ),
    ...rule.nonResourceURLs.map((path) => ({ rule, verb, group: '', resource: '', name: '', path })),
  ]);
}

/** Rules that grant more than the caller has in the namespace. */
function exceeding(core: Core, caller: Caller, namespace: string, rules: readonly PolicyRule[]): PolicyRule[] {
  const own = rulesFor(core, caller, namespace);
  const missing = new Set<PolicyRule>();
  for (const { rule, verb, group, resource, name, path } of rules.flatMap(rightsOf)) {
    const [plain = '', subresource = ''] = resource.split('/');
    const action = { verb, group, resource: plain, subresource, namespace, name, path };
    if (!own.some((held) => ruleAllows(held, action))) missing.add(rule);
  }
  return [...missing];
}

function formatRule(rule: PolicyRule): string {
  const list = (items: readonly string[]): string => `[${items.map((item) => JSON.stringify(item)).join(' ')}]`;
  const parts: string[] = [];
  if (rule.nonResourceURLs.length > 0) parts.push(`NonResourceURLs:${list(rule.nonResourceURLs)}`);
  if (rule.apiGroups.length > 0) parts.push(`APIGroups:${list(rule.apiGroups)}`);
  if (rule.resources.length > 0) parts.push(`Resources:${list(rule.resources)}`);
  if (rule.resourceNames.length > 0) parts.push(`ResourceNames:${list(rule.resourceNames)}`);
  return `{${[...parts, `Verbs:${list(rule.verbs)}`].join(', ')}}`;
}

function refuse(write: WriteRequest, object: KubeObject, missing: readonly PolicyRule[]): never {
  const { caller, resource } = write;
  const groups = caller.groups.map((group) => JSON.stringify(group)).join(' ');
  const who = `user ${JSON.stringify(caller.name)} (groups=[${groups}])`;
  const why = `${who} is attempting to grant RBAC permissions not currently held:\n${missing.map(formatRule).join('\n')}`;
  throw forbidden({ group: GROUP, resource: resource.plural }, object.metadata.name, why);
}

/** Whether the caller may grant anything: masters, and holders of `escalate` or `bind`. */
function mayGrant(
  core: Core,
  write: WriteRequest,
  verb: 'escalate' | 'bind',
  what: { resource: string; name: string },
): boolean {
  const action = { verb, group: GROUP, subresource: '', namespace: write.namespace, path: '', ...what };
  return isAllowed(core, write.caller, action);
}

function roleStep(kind: string): AdmissionStep {
  return {
    kind: `${GROUP}/${kind}`,
    admit(core, write, object) {
      if (mayGrant(core, write, 'escalate', { resource: write.resource.plural, name: object.metadata.name }))
        return object;
      const missing = exceeding(core, write.caller, write.namespace, roleRules(object));
      return missing.length > 0 ? refuse(write, object, missing) : object;
    },
  };
}

function bindingStep(kind: string): AdmissionStep {
  return {
    kind: `${GROUP}/${kind}`,
    admit(core, write, object) {
      const name = String(readPath(object, ['roleRef', 'name']));
      const plural = readPath(object, ['roleRef', 'kind']) === 'Role' ? 'roles' : 'clusterroles';
      if (mayGrant(core, write, 'bind', { resource: plural, name })) return object;
      const key = plural === 'roles' ? `${write.namespace}/${name}` : name;
      const role = core.storage.get(`${GROUP}/${plural}`, key)?.object;
      const missing = exceeding(core, write.caller, write.namespace, roleRules(role));
      return missing.length > 0 ? refuse(write, object, missing) : object;
    },
  };
}

/** One step for each kind that grants rights. */
export const rbacSteps: readonly AdmissionStep[] = [
  roleStep('Role'),
  roleStep('ClusterRole'),
  bindingStep('RoleBinding'),
  bindingStep('ClusterRoleBinding'),
];
