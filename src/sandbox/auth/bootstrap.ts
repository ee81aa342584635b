// Owns the cluster roles and bindings of a new server (data, taken from a real one), and keeping aggregated roles the sum
// of the roles that they select.
import { readFileSync } from 'node:fs';
import { type Core, systemWrite } from '../core.ts';
import { ensureObject } from '../gc/namespaces.ts';
import { equalJson, isRecord, type KubeObject, readPath } from '../object.ts';
import { applyObject } from '../rest/mutate.ts';
import { matchesSelector } from '../stages/selector.ts';

interface BootstrapData {
  readonly roles: readonly Bootstrapped[];
  readonly bindings: readonly Bootstrapped[];
}

interface Bootstrapped {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const GROUP = 'rbac.authorization.k8s.io';
const ROLES = `${GROUP}/clusterroles`;
const ANNOTATIONS = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };
const AGGREGATOR = 'clusterrole-aggregation-controller';

/** Makes the first roles and keeps the aggregated ones in step. Returns a function that stops it. */
export function startRoleController(core: Core, later: (task: () => void) => void): () => void {
  const data = JSON.parse(readFileSync(new URL('./roles.generated.json', import.meta.url), 'utf8')) as BootstrapData;
  for (const [plural, rows] of [
    ['clusterroles', data.roles],
    ['clusterrolebindings', data.bindings],
  ] as const) {
    for (const { name, labels, ...body } of rows) {
      const metadata = { name, labels, annotations: ANNOTATIONS };
      ensureObject(core, { group: GROUP, plural, namespace: '', name }, { metadata, ...body }, 'kube-apiserver');
    }
  }
  // One role may gather another that gathers: each change starts the next round.
  const stop = core.storage.subscribe(ROLES, () => later(() => aggregateAll(core)));
  aggregateAll(core);
  return stop;
}

function aggregateAll(core: Core): void {
  const roles = core.storage.list(ROLES).map(({ object }) => object);
  for (const role of roles) {
    const selectors = readPath(role, ['aggregationRule', 'clusterRoleSelectors']);
    if (!Array.isArray(selectors) || role.metadata.deletionTimestamp !== undefined) continue;
    const rules = gatherRules(roles, role, selectors);
    if (!equalJson(role['rules'] ?? [], rules)) writeRules(core, role, rules);
  }
}

function gatherRules(roles: readonly KubeObject[], to: KubeObject, selectors: readonly unknown[]): unknown[] {
  const rules: unknown[] = [];
  for (const selector of selectors) {
    for (const { metadata, rules: own } of roles) {
      if (metadata.name === to.metadata.name || !isRecord(selector) || !Array.isArray(own)) continue;
      if (!matchesSelector(selector, metadata.labels ?? {})) continue;
      for (const rule of own) if (!rules.some((known) => equalJson(known, rule))) rules.push(rule);
    }
  }
  return rules;
}

function writeRules(core: Core, role: KubeObject, rules: readonly unknown[]): void {
  const resource = core.registry.find(GROUP, 'clusterroles')!;
  const place = { resource, version: resource.versions.get('v1')!, namespace: '', name: role.metadata.name };
  const write = systemWrite(place, AGGREGATOR);
  const { apiVersion, kind, metadata } = role;
  applyObject(
    core,
    write,
    { apiVersion, kind, metadata: { name: metadata.name }, ...(rules.length > 0 ? { rules } : {}) },
    true,
  );
}
