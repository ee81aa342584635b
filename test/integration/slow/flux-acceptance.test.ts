// Flux's own end-to-end acceptance list, as far as it is about GitRepository and Kustomization (flux.md §8): each test
// is a row of it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accountWithRights, deploymentYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const imageOf = (live: Live | undefined) => live?.spec.template.spec.containers[0].image;

for (const choice of clusters) {
  describe(`Flux's acceptance list on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);
    const ready = (name: string) =>
      suite.waitFor(paths.kustomization(cluster.namespace, name), isReady, `${name} Ready`);
    const isGone = (live: Live | undefined) => live === undefined;

    it('status defaults: a Kustomization without spec is admitted, with an observed generation of -1', async () => {
      await suite.stop();
      try {
        const object = kustomization('empty', 'none');
        await suite.apply({ ...object, spec: undefined as never });

        const { status, spec } = await suite.get(paths.kustomization(cluster.namespace, 'empty'));

        expect(status).toEqual({ observedGeneration: -1 });
        expect(spec).toBeUndefined();
      } finally {
        await suite.start();
      }
    });

    it('managed fields: nothing is left of kubectl after objects were adopted, or applied by it again', async () => {
      const { namespace, kubectl } = cluster;
      const yaml = deploymentYaml('web', 'nginx:1').replace('metadata:\n', `metadata:\n  namespace: ${namespace}\n`);
      const path = paths.deployment(namespace, 'web');
      const managers = (live: Live) => live.metadata.managedFields.map((entry: Live) => entry.manager);
      const isOurs = (live: Live) => !managers(live).some((name: string) => name.startsWith('kubectl'));
      await kubectl.ok(['apply', '-f', '-'], { stdin: yaml });
      expect(managers(await suite.get(path))).toContain('kubectl-client-side-apply');
      const repository = await suite.repository({ 'web.yaml': yaml });
      await suite.apply(gitRepository('app', repository.url));

      await suite.apply(kustomization('app', 'app'));
      await ready('app');
      expect(managers(await suite.get(path))).toContain('kustomize-controller');
      expect(isOurs(await suite.get(path))).toBe(true);
      await kubectl.ok(['apply', '--server-side', '--force-conflicts', '-f', '-'], { stdin: yaml });
      const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'again' } } };
      await cluster.admin.call('PATCH', paths.kustomization(namespace, 'app'), { body });

      await suite.waitFor(
        paths.kustomization(namespace, 'app'),
        (live) => live.status.lastHandledReconcileAt === 'again',
        'handled',
      );
      await suite.waitFor(path, isOurs, 'without kubectl');
    });

    it('overlays: two make their own namespaces, of a version, with health checks that name no API version', async () => {
      const { namespace } = cluster;
      const overlay = (name: string) => ({
        [`${name}/kustomization.yaml`]: `namespace: ${namespace}-${name}\nresources: [../base, namespace.yaml]\nnamePrefix: ${name}-\n`,
        [`${name}/namespace.yaml`]: `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${namespace}-${name}}\n`,
      });
      const repository = await suite.repository({
        'base/kustomization.yaml': 'resources: [web.yaml]\n',
        'base/web.yaml': deploymentYaml('web', 'nginx:1'),
        ...overlay('staging'),
        ...overlay('production'),
      });
      for (const tag of ['v6.3.4', '6.3.6', '6.4.0-rc.1']) await repository.git('tag', tag);
      await repository.git('push', '--quiet', '--tags', 'origin');
      await suite.apply(gitRepository('app', repository.url, { ref: { semver: '>=6.3.5' } }));

      for (const name of ['staging', 'production']) {
        await suite.apply(
          kustomization(name, 'app', {
            path: `./${name}`,
            timeout: '1m',
            healthChecks: [{ kind: 'Deployment', name: `${name}-web`, namespace: `${namespace}-${name}` }],
          }),
        );
      }

      for (const name of ['staging', 'production']) {
        const object = await ready(name);
        expect(object.status.lastAppliedRevision).toMatch(/^6\.3\.6@sha1:/);
        const live = await suite.get(paths.deployment(`${namespace}-${name}`, `${name}-web`));
        expect(live.status.availableReplicas).toBe(1);
        await cluster.admin.call('DELETE', paths.kustomization(namespace, name));
      }
      for (const name of ['staging', 'production']) {
        await suite.waitFor(paths.kustomization(namespace, name), isGone, 'gone');
      }
    });

    it('dependencies: common, backend and frontend become Ready in order', async () => {
      const { namespace } = cluster;
      const chain = ['common', 'backend', 'frontend'];
      const files = Object.fromEntries(chain.map((name) => [`${name}/web.yaml`, deploymentYaml(name, 'nginx:1')]));
      const repository = await suite.repository(files);
      await suite.apply(gitRepository('app', repository.url));

      const from = suite.requests.length;
      for (const [index, name] of [...chain.entries()].reverse()) {
        await suite.apply(
          kustomization(name, 'app', {
            path: `./${name}`,
            targetNamespace: namespace,
            timeout: '1m',
            healthChecks: [{ apiVersion: 'apps/v1', kind: 'Deployment', name, namespace }],
            dependsOn: index === 0 ? [] : [{ name: chain[index - 1] as string }],
          }),
        );
      }

      for (const name of chain) await ready(name);
      const created = suite.requests
        .slice(from)
        .filter(({ method, path }) => method === 'PATCH' && !path.includes('dryRun='))
        // Deployments of earlier tests are in other namespaces.
        .filter(({ path }) => path.includes(`/namespaces/${namespace}/deployments/`))
        .flatMap(({ path }) => /\/deployments\/(\w+)/.exec(path)?.[1] ?? []);
      expect(created).toEqual(chain);
    });

    it('impersonation: a ServiceAccount with a Role deploys with patches, waits and removes', async () => {
      const { namespace } = cluster;
      const rule = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
      for (const object of accountWithRights('tenant', namespace, rule)) await suite.apply(object);
      const repository = await suite.repository({ 'web.yaml': deploymentYaml('web', 'nginx:1') });
      await suite.apply(gitRepository('app', repository.url));

      await suite.apply(
        kustomization('app', 'app', {
          targetNamespace: namespace,
          serviceAccountName: 'tenant',
          wait: true,
          timeout: '1m',
          patches: [
            {
              patch: '- op: replace\n  path: /spec/replicas\n  value: 2\n',
              target: { kind: 'Deployment', name: 'web' },
            },
          ],
        }),
      );

      await ready('app');
      const path = paths.deployment(namespace, 'web');
      expect((await suite.get(path)).status.availableReplicas).toBe(2);
      await cluster.admin.call('DELETE', paths.kustomization(namespace, 'app'));
      await suite.waitFor(path, isGone, 'gone');
      await suite.waitFor(paths.kustomization(namespace, 'app'), isGone, 'gone');
    });

    it('the lesson: by the interval alone, forth, back by a forced push, and away', async () => {
      const { namespace } = cluster;
      const path = paths.deployment(namespace, 'web');
      const repository = await suite.repository({ 'deployment.yaml': deploymentYaml('web', 'nginx:1') });
      await suite.apply(gitRepository('app', repository.url, { interval: '1s' }));
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, interval: '1s' }));
      const first = await ready('app');
      const firstDigest = (await suite.get(paths.git(namespace, 'app'))).status.artifact.digest;

      await repository.commit({ 'deployment.yaml': deploymentYaml('web', 'nginx:2') });
      await suite.waitFor(path, (live) => imageOf(live) === 'nginx:2', 'nginx:2');
      for (const args of [
        ['set', 'image', 'deployment/web', 'main=nginx:bad'],
        ['label', 'deployment/web', 'by=hand'],
        ['scale', 'deployment/web', '--replicas=5'],
      ]) {
        const { resourceVersion } = (await suite.get(path)).metadata;
        await cluster.kubectl.ok(args);
        const isBack = (live: Live) =>
          live.metadata.resourceVersion !== resourceVersion &&
          imageOf(live) === 'nginx:2' &&
          live.metadata.labels.by === undefined &&
          live.spec.replicas === 1;
        await suite.waitFor(path, isBack, `undone: ${args[0]}`);
      }
      await repository.git('reset', '--quiet', '--hard', 'HEAD~1');
      await repository.git('push', '--quiet', '--force', 'origin', 'HEAD:main');

      const revision = first.status.lastAppliedRevision;
      const back = await suite.waitFor(
        paths.kustomization(namespace, 'app'),
        (live) => isReady(live) && live.status.lastAppliedRevision === revision,
        'back',
      );
      expect(imageOf(await suite.get(path))).toBe('nginx:1');
      expect((await suite.get(paths.git(namespace, 'app'))).status.artifact.digest).toBe(firstDigest);
      expect(back.status.history[0]).toMatchObject({
        digest: first.status.history[0].digest,
        firstReconciled: first.status.history[0].firstReconciled,
        totalReconciliations: 2,
        metadata: { revision },
      });
      expect(back.status.history).toHaveLength(2);
      await cluster.admin.call('DELETE', paths.kustomization(namespace, 'app'));
      await suite.waitFor(path, isGone, 'gone');
      const folder = join(suite.stateDir, 'artifacts', 'gitrepository', namespace, 'app');
      expect(existsSync(folder)).toBe(true);
      await cluster.admin.call('DELETE', paths.git(namespace, 'app'));
      await suite.waitFor(paths.git(namespace, 'app'), isGone, 'gone');
      expect(existsSync(folder)).toBe(false);
    });
  });
}
