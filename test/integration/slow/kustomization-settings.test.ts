// What flags and feature gates change of a Kustomization (flux.md §6.1, §6.2), the cluster of a ConfigMap, and the
// deletion of a Kustomization whose ServiceAccount is gone (flux.md §4.14).
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readKubeconfig } from '../../../src/cluster/kubeconfig.ts';
import { defaultFeatureGates } from '../../../src/controllers/shared/feature-gates.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { freePorts } from '../../cluster/processes.ts';
import { accountWithRights, configMapYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import {
  condition,
  hasFailed,
  isReady,
  type Live,
  paths,
  type SuiteOptions,
  type TestRepository,
  until,
  useReconciler,
} from '../../support/reconciler.ts';

/** A receiver of events on a free port, and what it was sent. */
async function startReceiver() {
  const posted: Live[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      posted.push(JSON.parse(body));
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, posted, close: () => server.close() };
}

function deployment(containers: readonly JsonObject[]) {
  const labels = { app: 'app' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'app' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
}

for (const choice of clusters) {
  describe(`settings on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const settings: { -readonly [Name in keyof SuiteOptions]: SuiteOptions[Name] } = {
      requeueDependencyMs: 500,
      overrideManagers: ['rancher'],
      overrideManagersBeforeDryRun: ['legacy'],
      gates: {
        ...defaultFeatureGates,
        ObjectLevelWorkloadIdentity: true,
        StrictPostBuildSubstitutions: false,
        AdditiveCELDependencyCheck: true,
      },
    };
    let receiver: Awaited<ReturnType<typeof startReceiver>>;
    beforeAll(async () => {
      receiver = await startReceiver();
      const listen = '127.0.0.1';
      settings.eventsUrl = receiver.url;
      const [metrics = 0, health = 0] = await freePorts(2);
      settings.metricsAddress = { listen, port: metrics };
      settings.healthAddress = { listen, port: health };
    });
    afterAll(() => receiver.close());
    const suite = useReconciler(cluster, settings);

    async function apply(
      files: Record<string, string>,
      spec: object = {},
    ): Promise<{ namespace: string; path: string; repository: TestRepository }> {
      const { namespace } = cluster;
      const repository = await suite.repository(files);
      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(
        kustomization('app', 'app', { targetNamespace: namespace, retryInterval: '1s', ...spec } as never),
      );
      return { namespace, path: paths.kustomization(namespace, 'app'), repository };
    }

    it('posts events to the receiver, and serves metrics and probes where it is told', async () => {
      const { path, namespace } = await apply({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      await suite.waitFor(path, isReady, 'Ready');
      const posted = () => receiver.posted.filter(({ involvedObject }) => involvedObject.namespace === namespace);
      await until('the last event', () => posted().some(({ reason }) => reason === 'ReconciliationSucceeded'));
      await suite.quiet();

      const mine = posted();
      expect(mine.map(({ reportingController, reason }) => `${reportingController} ${reason}`)).toEqual([
        'source-controller NewArtifact',
        'kustomize-controller Progressing',
        'kustomize-controller ReconciliationSucceeded',
      ]);
      expect(mine[1]).toMatchObject({ severity: 'info', message: `ConfigMap/${namespace}/cm created` });
      expect(mine[2].metadata['kustomize.toolkit.fluxcd.io/commit_status']).toBe('update');
      const get = async (port: number | undefined, where: string) => {
        const answer = await fetch(`http://127.0.0.1:${port}${where}`);
        return { status: answer.status, text: await answer.text() };
      };
      const metrics = await get(settings.metricsAddress?.port, '/metrics');
      expect(metrics.text).toContain(
        `gotk_reconcile_duration_seconds_count{kind="Kustomization",name="app",namespace="${namespace}"}`,
      );
      expect(await get(settings.healthAddress?.port, '/readyz')).toEqual({ status: 200, text: 'ok' });
      expect((await get(settings.healthAddress?.port, '/metrics')).status).toBe(404);
    });

    it('takes over the fields of managers that it is told to override', async () => {
      const { path, namespace } = await apply({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      await suite.waitFor(path, isReady, 'Ready');
      const configMap = paths.configMap(namespace, 'cm');

      await cluster.admin.call('PATCH', `${configMap}?fieldManager=rancher-agent`, { body: { data: { b: '2' } } });

      const live = await suite.waitFor(configMap, (object) => object?.data.b === undefined, 'put back');
      expect(live.data).toEqual({ a: '1' });
      expect(JSON.stringify(live.metadata.managedFields)).not.toContain('rancher');
    });

    it('removes a container of which another manager owns the name alone', async () => {
      const main = { name: 'main', image: 'registry.example/main:1' };
      const extra = { name: 'extra', image: 'registry.example/extra:1' };
      const { path, namespace, repository } = await apply({ 'app.yaml': JSON.stringify(deployment([main, extra])) });
      await suite.waitFor(path, isReady, 'Ready');
      const url = paths.deployment(namespace, 'app');
      const suspend = (value: boolean) => cluster.admin.call('PATCH', path, { body: { spec: { suspend: value } } });
      await suspend(true);
      await suite.noticesSuspension('Kustomization', 'app');
      for (const containers of [[main], [main, { ...extra, image: 'registry.example/other:1' }]]) {
        await cluster.admin.call('PATCH', `${url}?fieldManager=legacy`, {
          body: { spec: { template: { spec: { containers } } } },
        });
      }
      // Takes the image back, and leaves the name to both.
      const live: Live = await suite.get(url);
      await cluster.admin.call('PATCH', `${url}?fieldManager=kustomize-controller&force=true`, {
        body: { ...deployment([main, extra]), metadata: { name: 'app', labels: live.metadata.labels } },
        contentType: 'application/apply-patch+yaml',
      });

      await repository.commit({ 'app.yaml': JSON.stringify(deployment([main])) });
      const request = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } };
      await cluster.admin.call('PATCH', paths.git(namespace, 'app'), { body: request });
      await suspend(false);

      const isPruned = (object: Live | undefined) => object?.spec.template.spec.containers.length === 1;
      const pruned = await suite.waitFor(url, isPruned, 'one container');
      expect(JSON.stringify(pruned.metadata.managedFields)).not.toContain('legacy');
    });

    it('makes variables that are not set empty without strict substitution', async () => {
      const { path, namespace } = await apply(
        { 'cm.yaml': configMapYaml('cm', { a: 'x${nothing}y' }) },
        { postBuild: { substitute: { other: '1' } } },
      );

      await suite.waitFor(path, isReady, 'Ready');
      expect((await suite.get(paths.configMap(namespace, 'cm'))).data).toEqual({ a: 'xy' });
    });

    it('asks a dependency both its own question and whether it is Ready', async () => {
      const { namespace } = cluster;
      await apply({ 'cm.yaml': 'broken: [' });
      const dependsOn = [{ name: 'app', readyExpr: "dep.metadata.name == 'app'" }];
      await suite.apply(kustomization('second', 'app', { targetNamespace: namespace, dependsOn }));

      const object = await suite.waitFor(
        paths.kustomization(namespace, 'second'),
        hasFailed('DependencyNotReady'),
        'waiting',
      );

      expect(condition(object, 'Ready').message).toBe(`dependency '${namespace}/app' is not ready`);
    });

    it('applies to the cluster of a ConfigMap with a token of its ServiceAccount', async () => {
      const { namespace } = cluster;
      const { server, tls } = await readKubeconfig(cluster.kubeconfig, { clock: systemClock });
      const remote = (data: Record<string, string>) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'remote' },
        data: {
          provider: 'generic',
          address: server,
          audiences: 'https://kubernetes.default.svc.cluster.local',
          ...data,
        },
      });
      await suite.apply(remote({ 'ca.crt': tls.ca ?? '', serviceAccountName: 'tenant' }));
      const { path } = await apply(
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { kubeConfig: { configMapRef: { name: 'remote' } } },
      );
      const refused = condition(await suite.waitFor(path, hasFailed('ReconciliationFailed'), 'failed'), 'Ready');
      expect(refused.message).toContain(`failed to create kubernetes token for service account '${namespace}/tenant'`);

      await allow('tenant');
      await suite.waitFor(path, isReady, 'Ready');
      expect((await suite.get(paths.configMap(namespace, 'cm'))).data).toEqual({ a: '1' });

      await suite.apply(remote({ provider: 'aws' }));
      const object = await suite.waitFor(path, hasFailed('ReconciliationFailed'), 'refused');
      expect(condition(object, 'Ready').message).toContain("provider 'aws' of ConfigMap");
    });

    it('orphans what nobody may delete any more, and goes', async () => {
      const { namespace } = cluster;
      await allow('tenant');
      const { path } = await apply({ 'cm.yaml': configMapYaml('cm', { a: '1' }) }, { serviceAccountName: 'tenant' });
      await suite.waitFor(path, isReady, 'Ready');
      await cluster.admin.call('DELETE', `/api/v1/namespaces/${namespace}/serviceaccounts/tenant`);

      await cluster.admin.call('DELETE', path);

      await suite.waitFor(path, (object) => object === undefined, 'gone');
      expect(await suite.get(paths.configMap(namespace, 'cm'))).toMatchObject({ data: { a: '1' } });
      await suite.waitFor(
        `/api/v1/namespaces/${namespace}/events`,
        (list) =>
          list?.items.some(({ message }: Live) => message === `unable to prune objects: \nConfigMap/${namespace}/cm`),
        'a warning that names them',
      );
    });

    /** A ServiceAccount of the test's namespace that may do everything with ConfigMaps there. */
    async function allow(name: string): Promise<void> {
      const rule = { apiGroups: [''], resources: ['configmaps'], verbs: ['*'] };
      for (const object of accountWithRights(name, cluster.namespace, rule)) await suite.apply(object);
    }
  });
}
