// Releases whose objects are patched from the client's side, as Helm 3 does it (helm.md §18): beside the real helm, which
// makes the same of the same charts, and can go on with a release that was made here, and the other way round.
import { describe, expect, it } from 'vitest';
import { fromReleaseSecret, releaseSecretName } from '../../../src/engines/helm/release/secret.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { definitionYaml, gitRepository } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { findHelm, useHelm } from '../../support/helm.ts';
import { configChart, fragileFiles, helmRelease } from '../../support/helm-charts.ts';
import { condition, conditionStatus, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const binary = await findHelm();
if (binary === undefined && process.env['CI'] === 'true')
  throw new Error('helm is missing: build it with test/cluster');

/** A workload, a Service and a custom object, which change from one version to the next. */
const workload = (version: 1 | 2): Readonly<Record<string, string>> => ({
  'crds/widgets.yaml': definitionYaml('csa.example.com', 'Widget'),
  'templates/widget.yaml': `apiVersion: csa.example.com/v1
kind: Widget
metadata: {name: {{ .Release.Name }}}
spec:
  size: ${version}
  parts: [${version === 1 ? 'a, b' : 'b, c'}]
  ${version === 1 ? 'old: true' : 'new: true'}
`,
  'templates/service.yaml': `apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {app: {{ .Release.Name }}}
  ports:
  - {name: http, port: 80${version === 2 ? ', targetPort: 8080' : ''}}
  - {name: ${version === 1 ? 'metrics, port: 9090' : 'admin, port: 9091'}}
`,
  'templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, annotations: {note: "v${version}"${version === 1 ? ', old: "yes"' : ''}}}
spec:
  replicas: 0
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  strategy: {type: ${version === 1 ? 'RollingUpdate' : 'Recreate'}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      ${version === 1 ? 'terminationGracePeriodSeconds: 5' : ''}
      containers:
      - name: main
        image: main:${version}
        args: ["--level=${version}"]
        env:
        - {name: KEPT, value: "${version}"}
        - {name: ${version === 1 ? 'OLD' : 'NEW'}, value: x}
      ${version === 1 ? '- {name: helper, image: "helper:1"}' : ''}
      volumes:
      - name: data
        ${version === 1 ? 'emptyDir: {}' : 'configMap: {name: settings}'}
`,
});

for (const choice of clusters) {
  describe.skipIf(binary === undefined)(`${choice.name}${binary === undefined ? ' (skipped: no helm)' : ''}`, () => {
    const cluster = useCluster(choice);
    const reconciler = useReconciler(cluster);
    const helm = useHelm(binary, cluster, {
      first: configChart('1.0.0', workload(1)),
      second: configChart('2.0.0', workload(2)),
    });

    const at = (name = 'web') => paths.helmRelease(cluster.namespace, name);
    const isAt = (version: number) => (object: Live) => isReady(object) && object.status.history[0].version === version;
    const release = (spec: JsonObject = {}, name = 'web') =>
      reconciler.apply(helmRelease(name, 'charts', { install: { serverSideApply: false }, ...spec }));
    const object = (kind: string, name: string): string => {
      const base = { Deployment: '/apis/apps/v1', Service: '/api/v1', Widget: '/apis/csa.example.com/v1' }[kind];
      return `${base}/namespaces/${cluster.namespace}/${kind.toLowerCase()}s/${name}`;
    };
    const stored = async (version: number) => {
      const secret = `/api/v1/namespaces/${cluster.namespace}/secrets/${releaseSecretName('web', version)}`;
      return fromReleaseSecret((await cluster.admin.call('GET', secret)).body as JsonObject);
    };

    async function prepare(files = configChart('1.0.0', workload(1))) {
      const repository = await reconciler.repository(files);
      await reconciler.apply(gitRepository('charts', repository.url, { interval: '1s' }));
      return repository;
    }

    /** What of an object is the chart's and its editors', whatever it is called. */
    async function content(kind: string, name: string): Promise<unknown> {
      const { metadata, spec } = await reconciler.get(object(kind, name));
      const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec;
      const { 'deployment.kubernetes.io/revision': _revision, ...annotations } = metadata.annotations;
      const labels = Object.fromEntries(
        Object.entries(metadata.labels).filter(([key]) => !key.startsWith('helm.toolkit.fluxcd.io/')),
      );
      return JSON.parse(JSON.stringify({ labels, annotations, rest }).replaceAll(`"${name}"`, '"NAME"'));
    }

    /** Changes by others: of fields that the chart has, of fields that it has not, of items in lists. */
    async function edit(name: string): Promise<void> {
      const containers = [
        { name: 'main', image: 'hand:1', env: [{ name: 'HAND', value: 'x' }] },
        { name: 'mesh', image: 'mesh:1' },
      ];
      const changes: readonly [string, JsonObject][] = [
        ['Deployment', { spec: { paused: true, template: { spec: { hostname: 'hand', containers } } } }],
        ['Service', { spec: { sessionAffinity: 'ClientIP', ports: [{ name: 'hand', port: 7070 }] } }],
      ];
      for (const [kind, body] of changes) {
        const contentType = 'application/strategic-merge-patch+json';
        await cluster.admin.call('PATCH', `${object(kind, name)}?fieldManager=hand`, { body, contentType });
      }
      await cluster.admin.call('PATCH', `${object('Widget', name)}?fieldManager=hand`, {
        body: { spec: { size: 9, their: true } },
        contentType: 'application/merge-patch+json',
      });
    }

    it('ends as the real helm ends, beside changes by others', async () => {
      const repository = await prepare();
      // As helm without --wait: what is paused by others never gets ready.
      await release({ upgrade: { disableWait: true } });
      await helm.ok('install', 'ref', helm.chart('first'));
      await reconciler.waitFor(at(), isReady);
      for (const name of ['web', 'ref']) await edit(name);

      await repository.commit(configChart('2.0.0', workload(2)));
      await reconciler.waitFor(at(), isAt(2));
      await helm.ok('upgrade', 'ref', helm.chart('second'));

      for (const kind of ['Deployment', 'Service', 'Widget']) {
        expect(await content(kind, 'web'), kind).toEqual(await content(kind, 'ref'));
      }
      const entries = (await reconciler.get(object('Deployment', 'web'))).metadata.managedFields;
      expect(entries.filter((entry: Live) => entry.operation === 'Apply')).toEqual([]);
      expect((await stored(2)).apply_method).toBe('csa');
    });

    it('goes on as the release was begun: a release of helm stays on the client side, and helm goes on with it', async () => {
      await helm.ok('install', 'web', helm.chart('first'));
      await prepare(configChart('2.0.0', workload(2)));

      await reconciler.apply(helmRelease('web', 'charts'));
      await reconciler.waitFor(at(), isAt(2));
      expect((await stored(2)).apply_method).toBe('csa');
      expect((await reconciler.get(object('Widget', 'web'))).spec).toEqual({ size: 2, parts: ['b', 'c'], new: true });

      await reconciler.apply(helmRelease('web', 'charts', { suspend: true }));
      await reconciler.noticesSuspension('HelmRelease', 'web');
      await reconciler.quiet();
      await helm.ok('rollback', 'web', '1');
      expect((await reconciler.get(object('Widget', 'web'))).spec).toEqual({ size: 1, parts: ['a', 'b'], old: true });
      const { containers } = (await reconciler.get(object('Deployment', 'web'))).spec.template.spec;
      expect(containers.map(({ name }: Live) => name)).toEqual(['main', 'helper']);
      await helm.ok('uninstall', 'web');
    });

    it.each<[string, string, 'ssa' | 'csa']>([
      ['enabled', 'Apply', 'ssa'],
      ['disabled', 'Update', 'csa'],
    ])('changes over at an upgrade with %s', async (mode, operation, method) => {
      const repository = await prepare();
      await release(method === 'ssa' ? {} : { install: {} });
      await reconciler.waitFor(at(), isReady);

      await release({ upgrade: { serverSideApply: mode } });
      await repository.commit(configChart('2.0.0', workload(2)));
      await reconciler.waitFor(at(), (live) => isReady(live) && live.status.history[0].chartVersion === '2.0.0');

      const live = await reconciler.get(object('Deployment', 'web'));
      expect(live.spec.template.spec.containers.map(({ name }: Live) => name)).toEqual(['main']);
      expect(live.metadata.annotations).toMatchObject({ note: 'v2' });
      expect(live.metadata.annotations['old']).toBeUndefined();
      const ours = live.metadata.managedFields.filter((entry: Live) => entry.manager === 'helm-controller');
      expect(ours.map((entry: Live) => entry.operation)).toContain(operation);
      expect((await stored((await reconciler.get(at())).status.history[0].version)).apply_method).toBe(method);
    });

    it('takes over what is there, writes nothing for nothing, and rolls back to how it was', async () => {
      const repository = await prepare();
      await reconciler.apply({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web' },
        spec: { ports: [{ name: 'mine', port: 80 }] },
      });
      await release({ upgrade: { remediation: { remediateLastFailure: true } } });
      await reconciler.waitFor(at(), isReady);
      const { spec } = await reconciler.get(object('Service', 'web'));
      expect(spec.ports.map(({ name }: Live) => name)).toEqual(['http', 'metrics']);

      const generations = async () =>
        Promise.all(
          ['Deployment', 'Widget'].map(async (kind) => (await reconciler.get(object(kind, 'web'))).metadata.generation),
        );
      const before = await generations();
      const sent = await reconciler.countRequests(async () => {
        await repository.commit(configChart('1.0.1', workload(1)));
        await reconciler.waitFor(at(), isAt(2));
      });
      expect(sent.filter(({ method, path }) => method !== 'GET' && /services\/|widgets\//.test(path))).toEqual([]);
      expect(await generations()).toEqual(before);

      await repository.commit(configChart('2.0.0', { ...workload(2), 'templates/x.yaml': brokenService }));
      const failed = await reconciler.waitFor(at(), (live) => conditionStatus(live, 'Remediated') === 'True');
      expect(condition(failed, 'Released').message).toContain('failed to create resource: ');
      const rolled = await reconciler.get(object('Deployment', 'web'));
      expect(rolled.spec.template.spec.containers.map(({ name }: Live) => name)).toEqual(['main', 'helper']);
      expect((await reconciler.get(object('Widget', 'web'))).spec).toMatchObject({ size: 1, old: true });
    });

    it('replaces objects with force, so that nothing of others stays', async () => {
      const repository = await prepare();
      await release({ upgrade: { force: true } });
      await reconciler.waitFor(at(), isReady);
      await edit('web');

      await repository.commit(configChart('2.0.0', workload(2)));
      await reconciler.waitFor(at(), isAt(2));

      const live = await reconciler.get(object('Deployment', 'web'));
      expect(live.spec.paused).toBeUndefined();
      expect(live.spec.template.spec.hostname).toBeUndefined();
      expect(live.spec.template.spec.containers.map(({ name }: Live) => name)).toEqual(['main']);
      expect((await reconciler.get(object('Widget', 'web'))).spec).toEqual({ size: 2, parts: ['b', 'c'], new: true });
    });

    it('sees drift by watching, and puts it back as the release was sent', async () => {
      await prepare(configChart('1.0.0', fragileFiles));
      await release({ driftDetection: { mode: 'enabled' } });
      await reconciler.waitFor(at(), isReady);
      await reconciler.quiet();
      const configMap = paths.configMap(cluster.namespace, 'web');
      const change = (data: JsonObject) =>
        cluster.admin.call('PATCH', `${configMap}?fieldManager=hand`, {
          body: { data },
          contentType: 'application/merge-patch+json',
        });
      const isBack = (live: Live) => live?.data.color === 'blue' && live.data.chart === '1.0.0';

      for (const data of [{ color: 'mine' }, { color: 'mine again' }, { chart: null }]) {
        await change(data);
        await reconciler.waitFor(configMap, isBack);
        await reconciler.waitFor(at(), (live) => condition(live, 'Drifted')?.status === 'False');
      }
      const corrected = await reconciler.get(configMap);
      expect(corrected.metadata.managedFields.map((entry: Live) => entry.operation)).not.toContain('Apply');

      await cluster.admin.call('DELETE', configMap);
      await reconciler.waitFor(configMap, isBack);
      await change({ theirs: 'x' });
      await reconciler.quiet();
      expect((await reconciler.get(configMap)).data).toEqual({ color: 'blue', chart: '1.0.0', theirs: 'x' });
    });

    it.each([true, false])(
      'tells of drift until somebody else ends it (serverSideApply: %s)',
      async (serverSideApply) => {
        await prepare(configChart('1.0.0', fragileFiles));
        await release({ install: { serverSideApply }, driftDetection: { mode: 'warn' } });
        await reconciler.waitFor(at(), isReady);
        const configMap = paths.configMap(cluster.namespace, 'web');
        const write = async (color: string) => {
          const body = { data: { color } };
          const contentType = 'application/merge-patch+json';
          await cluster.admin.call('PATCH', `${configMap}?fieldManager=hand`, { body, contentType });
        };
        const isDrifted = (status: string) => (live: Live) => condition(live, 'Drifted')?.status === status;

        // Twice: whoever has a field, with the value that is wanted, may change it again.
        for (let round = 0; round < 2; round++) {
          await write('mine');
          await reconciler.waitFor(at(), isDrifted('True'));
          await write('blue');
          await reconciler.waitFor(at(), isDrifted('False'));
        }
      },
    );
  });
}

const brokenService = `apiVersion: v1
kind: Service
metadata: {name: broken}
spec:
  ports: [{port: 99999}]
`;
