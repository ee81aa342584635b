// What is taken away from under a Kustomization while it runs: it says so, asks nothing in a loop, and afterwards the
// world equals Git. What moves from one to another is moves.test.ts.
import { describe, expect, it } from 'vitest';
import { configMapYaml, definitionYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

/** More requests in a second are a hot loop; each second that a busy machine takes longer has as many. */
const MOST_REQUESTS = 60;

/** How many requests there may be in a time that something took. */
function mostRequests(startedMs: number): number {
  return MOST_REQUESTS * Math.max(1, (performance.now() - startedMs) / 1000);
}

for (const choice of clusters) {
  describe(`upheaval on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster, { requeueDependencyMs: 300 });
    const path = (name: string) => paths.kustomization(cluster.namespace, name);
    const ready = (name: string) => suite.waitFor(path(name), isReady, `${name} Ready`);

    it('tells of Kustomizations that depend on each other, and goes on when one no longer does', async () => {
      const { namespace } = cluster;
      const repository = await suite.repository({
        'a/cm.yaml': configMapYaml('a', { x: '1' }),
        'b/cm.yaml': configMapYaml('b', { x: '1' }),
      });
      await suite.apply(gitRepository('app', repository.url));
      const make = (name: string, other?: string) =>
        suite.apply(
          kustomization(name, 'app', {
            path: `./${name}`,
            targetNamespace: namespace,
            dependsOn: other === undefined ? [] : [{ name: other }],
          }),
        );

      const started = performance.now();
      const requests = await suite.countRequests(async () => {
        await make('a', 'b');
        await make('b', 'a');
        for (const [name, other] of [
          ['a', 'b'],
          ['b', 'a'],
        ] as const) {
          const isBlocked = (live: Live | undefined) =>
            condition(live, 'Ready')?.message === `dependency '${namespace}/${other}' is not ready`;
          await suite.waitFor(path(name), isBlocked, 'DependencyNotReady');
        }
      });
      expect(requests.length).toBeLessThan(mostRequests(started));
      await make('a');

      await ready('a');
      await ready('b');
    });

    it('makes a CustomResourceDefinition and its objects again that somebody deleted', async () => {
      const { namespace } = cluster;
      const group = `${namespace}.example.com`;
      const definition = definitionYaml(group, 'Gadget');
      const gadget = `apiVersion: ${group}/v1\nkind: Gadget\nmetadata: {name: one, namespace: ${namespace}}\nspec: {size: 1}\n`;
      const repository = await suite.repository({ 'crd/crd.yaml': definition, 'app/gadget.yaml': gadget });
      await suite.apply(gitRepository('app', repository.url));
      // The objects come first: their kind is not there yet, and the retry is an hour away.
      await suite.apply(kustomization('app', 'app', { path: './app' }));
      const failed = await suite.waitFor(path('app'), hasFailed('ReconciliationFailed'), 'an unknown kind');
      expect(condition(failed, 'Ready').message).toContain('no matches for kind "Gadget"');
      await suite.apply(kustomization('crd', 'app', { path: './crd' }));
      await ready('crd');
      await ready('app');
      const object = `/apis/${group}/v1/namespaces/${namespace}/gadgets/one`;
      const { uid } = (await suite.get(object)).metadata;
      await suite.quiet();

      const started = performance.now();
      const requests = await suite.countRequests(async () => {
        await cluster.admin.call('DELETE', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.${group}`);
        const isAnother = (live: Live | undefined) => live?.spec !== undefined && live.metadata.uid !== uid;
        await suite.waitFor(object, isAnother, 'made again');
      });
      expect(requests.length).toBeLessThan(mostRequests(started));

      await ready('crd');
      await ready('app');
      await cluster.admin.call('DELETE', path('crd'));
      await suite.waitFor(path('crd'), (live) => live === undefined, 'gone');
    });

    it('makes a namespace and its objects again when it is gone, and asks nothing in a loop while it goes', async () => {
      const other = `${cluster.namespace}-other`;
      const namespacePath = `/api/v1/namespaces/${other}`;
      const repository = await suite.repository({
        'all.yaml': `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${other}}\n---\n${configMapYaml('cm', { a: '1' }, other)}`,
      });
      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(kustomization('app', 'app', { retryInterval: '1s' }));
      await ready('app');
      const held = paths.configMap(other, 'held');
      await cluster.admin.call('POST', `${namespacePath}/configmaps`, {
        body: { metadata: { name: 'held', finalizers: ['example.com/hold'] } },
      });
      const { uid } = (await suite.get(namespacePath)).metadata;

      const [before, started] = [suite.requests.length, performance.now()];
      await cluster.admin.call('DELETE', namespacePath);
      const failed = await suite.waitFor(path('app'), hasFailed('ReconciliationFailed'), 'a refusal');
      const during = suite.requests.slice(before).filter(({ path: to }) => to.includes(other));
      expect(during.length).toBeLessThan(mostRequests(started));
      await cluster.admin.call('PATCH', held, { body: { metadata: { finalizers: null } } });

      await suite.waitFor(namespacePath, (live) => live !== undefined && live.metadata.uid !== uid, 'made again');
      await suite.waitFor(paths.configMap(other, 'cm'), (live) => live?.data.a === '1', 'made again');
      await ready('app');
      expect(condition(failed, 'Ready').message).toContain(other);
      await cluster.admin.call('DELETE', path('app'));
      await suite.waitFor(path('app'), (live) => live === undefined, 'gone');
    });
  });
}
