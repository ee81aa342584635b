// What the workload controllers write, whole: after the sample has come up, every object in the namespace has the same
// fields, conditions and managers on every server. UPDATE_CASES=1 with a real kube-apiserver writes the expectation anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clusters, useCluster } from '../support/cluster.ts';
import { until } from '../support/reconciler.ts';
import { normalise } from '../support/session.ts';

const sample = join(import.meta.dirname, 'workloads.yaml');
const expected = join(import.meta.dirname, 'workloads.expected.json');
const KINDS = [
  'configmaps,controllerrevisions,cronjobs,daemonsets,deployments,endpoints,endpointslices,jobs,persistentvolumeclaims',
  'poddisruptionbudgets,pods,replicasets,serviceaccounts,services,statefulsets',
].join(',');
const WAITS = [
  ['deployment/web', '--for=jsonpath={.status.availableReplicas}=3'],
  ['deployment/web', '--for=jsonpath={.status.conditions[1].reason}=NewReplicaSetAvailable'],
  ['deployment/sick', '--for=condition=Progressing=False'],
  ['statefulset/db', '--for=jsonpath={.status.availableReplicas}=2'],
  ['daemonset/agent', '--for=jsonpath={.status.numberAvailable}=1'],
  ['job/good', '--for=condition=Complete'],
  ['job/wrong', '--for=condition=Failed'],
  ['pod/bare', '--for=condition=Ready'],
  ['persistentvolumeclaim/data', '--for=jsonpath={.status.phase}=Bound'],
  ['poddisruptionbudget/web', '--for=jsonpath={.status.currentHealthy}=3'],
];

interface Manager {
  manager: string;
  subresource?: string;
}

interface KubeObject {
  kind: string;
  metadata: { name: string; generation?: number; annotations?: object; managedFields?: Manager[] };
}

for (const cluster of clusters.filter(({ name }) => name !== 'existing')) {
  describe(cluster.name, () => {
    const use = useCluster(cluster);

    it('has the workload objects of a real server, to the last field', async () => {
      await use.kubectl.ok(['apply', '-f', sample]);
      for (const wait of WAITS) await use.kubectl.ok(['wait', ...wait, '--timeout=60s']);
      // Of two controllers. A wait of kubectl for an item of a list fails while the list is shorter.
      const endpoints = `/api/v1/namespaces/${use.namespace}/endpoints/web`;
      await until('three addresses', async () => countAddresses((await use.admin.call('GET', endpoints)).body) === 3);
      const slices = `/apis/discovery.k8s.io/v1/namespaces/${use.namespace}/endpointslices`;
      await until('three ready endpoints', async () => countReady((await use.admin.call('GET', slices)).body) === 3);

      const json = await use.kubectl.ok(['get', KINDS, '-o', 'json', '--show-managed-fields']);

      const objects = simplify(normalise(json, { [use.namespace]: 'NAMESPACE' }));
      const text = `${JSON.stringify(objects, sortKeys, 1)}\n`;
      if (process.env['UPDATE_CASES'] === '1' && cluster.name === 'kube-apiserver') writeFileSync(expected, text);
      else expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(expected, 'utf8')));
    });
  });
}

function countAddresses(endpoints: unknown): number {
  const { subsets } = endpoints as { subsets?: { addresses?: object[] }[] };
  return (subsets ?? []).flatMap(({ addresses }) => addresses ?? []).length;
}

function countReady(slices: unknown): number {
  const { items } = slices as { items: { endpoints: { conditions: { ready: boolean } }[] | null }[] };
  return items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions.ready).length;
}

/** By kind and name, one of those that differ in nothing but generated parts. */
function simplify(json: string): Record<string, KubeObject> {
  const objects: Record<string, KubeObject> = {};
  for (const object of (JSON.parse(json) as { items: KubeObject[] }).items) {
    const { metadata } = object;
    // The fake kubelet of the real cluster has another name, and the order is that of the times.
    const managers = metadata.managedFields?.map((entry) => ({
      ...entry,
      manager: entry.manager.replace('kwok', 'kubelet'),
    }));
    managers?.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
    if (managers !== undefined) metadata.managedFields = managers;
    // How often endpoints are written while their pods come up is chance, and so is what the last write notes.
    if (object.kind.startsWith('Endpoint')) {
      delete metadata.generation;
      delete metadata.annotations;
      delete metadata.managedFields;
    }
    objects[`${object.kind}/${metadata.name}`] = object;
  }
  return objects;
}

function orderOf({ manager, subresource = '' }: Manager): string {
  return `${manager}/${subresource}`;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
