// With one worker only: whatever a Kustomization waits for or fails with, another one goes its way meanwhile
// (lockstep.md §5).
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { configMapYaml, deploymentYaml, gitRepository, kustomization, sourceObject } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { condition, conditionStatus, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

/** Accepts connections and never answers. */
async function startHangingHost() {
  const asked = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    asked.resolve();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`,
    asked: asked.promise,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

for (const choice of clusters) {
  describe(`fairness on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster, { concurrent: 1 });

    async function deploy(name: string, files: Record<string, string>, spec: object = {}) {
      const repository = await suite.repository(files);
      await suite.apply(gitRepository(name, repository.url));
      await suite.apply(kustomization(name, name, { targetNamespace: cluster.namespace, ...spec }));
    }
    /** Another Kustomization comes and becomes Ready. */
    async function otherIsReady(): Promise<void> {
      await deploy('other', { 'cm.yaml': configMapYaml('other', { a: '1' }) });
      await suite.waitFor(paths.kustomization(cluster.namespace, 'other'), isReady, 'Ready');
    }
    const object = () => suite.get(paths.kustomization(cluster.namespace, 'app'));

    it('is kept while one waits for health', async () => {
      await deploy('app', { 'web.yaml': deploymentYaml('web', 'nginx:broken') }, { wait: true, timeout: '10m' });
      const isWaiting = (live: Live | undefined) => conditionStatus(live, 'Healthy') === 'Unknown';
      await suite.waitFor(paths.kustomization(cluster.namespace, 'app'), isWaiting, 'waiting');

      await otherIsReady();

      expect(isWaiting(await object())).toBe(true);
    });

    it.each([
      [
        'ocirepositories',
        (url: string) => sourceObject('OCIRepository', 'x', { url: `oci://${new URL(url).host}/app`, insecure: true }),
      ],
      [
        'buckets',
        (url: string) => sourceObject('Bucket', 'x', { endpoint: new URL(url).host, bucketName: 'b', insecure: true }),
      ],
      ['helmrepositories', (url: string) => sourceObject('HelmRepository', 'x', { url })],
    ])('is kept among %s while more hosts hang than there are workers', async (_plural, sourceOf) => {
      const hosts = await Promise.all(Array.from({ length: 6 }, startHangingHost));
      try {
        for (const [index, { url }] of hosts.entries()) {
          const source = sourceOf(url) as Live;
          const spec = { ...source.spec, timeout: '10m' };
          await suite.apply({ ...source, metadata: { name: `hanging-${index}` }, spec });
        }

        // With one worker, the second one is asked only if the first one is not waited for.
        await Promise.all(hosts.map(({ asked }) => asked));
      } finally {
        for (const { close } of hosts) close();
      }
    });

    it('is kept while more Git hosts hang than there are workers', async () => {
      const { namespace } = cluster;
      const hosts = await Promise.all(Array.from({ length: 6 }, startHangingHost));
      const names = hosts.map((_host, index) => `hanging-${index}`);
      try {
        const repository = await suite.repository({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
        await suite.apply(gitRepository('app', repository.url));
        await suite.waitFor(paths.git(namespace, 'app'), isReady, 'Ready');
        for (const [index, { url }] of hosts.entries()) {
          await suite.apply(gitRepository(names[index]!, url, { timeout: '10m' }));
        }
        await Promise.all(hosts.map(({ asked }) => asked));

        const head = await repository.commit({ 'cm.yaml': configMapYaml('cm', { a: '2' }) });
        const request = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } };
        await cluster.admin.call('PATCH', paths.git(namespace, 'app'), { body: request });

        const isFetched = (live: Live | undefined) => live?.status.artifact.revision === `main@sha1:${head}`;
        await suite.waitFor(paths.git(namespace, 'app'), isFetched, 'the new revision');
        for (const name of names) {
          const live = await suite.get(paths.git(namespace, name));
          expect(conditionStatus(live, 'Ready'), name).not.toBe('False');
        }
      } finally {
        for (const { close } of hosts) close();
      }
    });

    it('is kept while one waits for a namespace that is on its way out', async () => {
      const name = `${cluster.namespace}-stuck`;
      const held = paths.configMap(name, 'held');
      const path = `/api/v1/namespaces/${name}`;
      await cluster.admin.call('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
      await cluster.admin.call('POST', `${path}/configmaps`, {
        body: { metadata: { name: 'held', finalizers: ['example.com/hold'] } },
      });
      await cluster.admin.call('DELETE', path);
      try {
        await suite.waitFor(path, (live) => live?.status.phase === 'Terminating', 'on its way out');
        const yaml = `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  labels:\n    team: red\n`;
        await deploy('app', { 'namespace.yaml': yaml }, { targetNamespace: name });
        await suite.waitFor(path, (live) => live.metadata.labels['team'] === 'red', 'applied');

        await otherIsReady();

        // What it says is from before: the pass goes on.
        expect(condition(await object(), 'Ready')?.reason).not.toBe('ReconciliationFailed');
      } finally {
        await cluster.admin.call('PATCH', held, { body: { metadata: { finalizers: null } } });
      }
    });

    it('is kept while a deleted one waits for its objects to go', async () => {
      const { namespace } = cluster;
      await deploy('app', { 'cm.yaml': configMapYaml('cm', { a: '1' }) }, { deletionPolicy: 'WaitForTermination' });
      await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
      const cm = paths.configMap(namespace, 'cm');
      await cluster.admin.call('PATCH', cm, { body: { metadata: { finalizers: ['example.com/hold'] } } });
      await cluster.admin.call('DELETE', paths.kustomization(namespace, 'app'));
      await suite.waitFor(cm, (live) => live.metadata.deletionTimestamp !== undefined, 'on its way out');

      await otherIsReady();

      expect(await object()).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) } });
      await cluster.admin.call('PATCH', cm, { body: { metadata: { finalizers: null } } });
      await suite.waitFor(paths.kustomization(namespace, 'app'), (live) => live === undefined, 'gone');
    });
  });
}
