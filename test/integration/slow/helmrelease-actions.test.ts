// How actions on a release are done (helm.md §21.1): what of them a spec turns off, and what it asks for instead.
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { jobYaml } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { configChart, fragileFiles, talkativeFiles } from '../../support/helm-charts.ts';
import { isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';
import { useRelease } from '../../support/releases.ts';

const ORIGIN = 'helm.toolkit.fluxcd.io/name';

for (const choice of clusters) {
  describe(choice.name, () => {
    const cluster = useCluster(choice);
    const reconciler = useReconciler(cluster);

    const { at, configMap, prepare, release, ready, failure } = useRelease(cluster, reconciler);

    it('runs no hooks of an action that is to have none', async () => {
      await prepare(talkativeFiles);

      await release({ install: { disableHooks: true } });
      await ready();
      expect(await configMap('web-hook')).toBeUndefined();

      await release({ install: { disableHooks: true }, values: { color: 'red' } });
      await ready(2);
      expect((await configMap('web-hook')).data).toEqual({ revision: '2' });
    });

    it('lays values over those of the last release when told to', async () => {
      await prepare();
      await release({ values: { color: 'red', size: 1 } });
      await ready();

      await release({ upgrade: { preserveValues: true }, values: { size: 2 } });
      await ready(2);
      expect((await configMap()).data.color).toBe('red');
      // What is kept is no reason to release it once more.
      const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } };
      await cluster.admin.call('PATCH', at(), { body });
      await reconciler.waitFor(at(), (object) => object?.status.lastHandledReconcileAt === 'now' && isReady(object));
      await ready(2);

      await release({ values: { size: 3 } });
      await ready(3);
      expect((await configMap()).data.color).toBe('blue');
    });

    it.each<[string, Readonly<Record<string, string>>, JsonObject, JsonObject]>([
      [
        'values that the schema of the chart refuses',
        { 'values.schema.json': '{"properties":{"color":{"type":"integer"}}}' },
        {},
        { disableSchemaValidation: true },
      ],
      [
        'fields that the API does not know',
        { 'templates/odd.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: odd}\nbogus: 1\n' },
        { serverSideApply: false },
        { disableOpenAPIValidation: true },
      ],
    ])('lets %s through when told to', async (_name, files, install, lenient) => {
      await prepare(files);
      await release({ install });
      await failure('InstallFailed');

      await release({ install: { ...install, ...lenient }, upgrade: { ...lenient } });

      await reconciler.waitFor(at(), isReady);
    });

    it.each<[string, JsonObject, JsonObject]>([
      ['what never gets ready', { image: 'app:bad' }, { disableWait: true }],
      ['Jobs that never end', { jobImage: 'does-not-exist' }, { disableWaitForJobs: true }],
    ])('does not wait for %s when told so', async (_name, values, install) => {
      const job = `{{ with .Values.jobImage }}\n${jobYaml('{{ $.Release.Name }}-job', '{{ . }}')}{{ end }}\n`;
      await prepare({ ...fragileFiles, 'templates/job.yaml': job });

      await release({ values, install });

      await ready();
    });

    it.each([
      ['background', false],
      ['orphan', true],
    ])('uninstalls what objects own as it is told: %s', async (deletionPropagation, stays) => {
      await prepare(fragileFiles);
      await release({ values: { image: 'app:1' }, uninstall: { deletionPropagation } });
      await ready();
      const folder = `/apis/apps/v1/namespaces/${cluster.namespace}/replicasets`;
      const [owned] = ((await cluster.admin.call('GET', folder)).body as Live).items;
      await untilSeenByCollector(folder);

      await cluster.admin.call('DELETE', at());
      await reconciler.waitFor(at(), (object) => object === undefined, 'deletion');

      const path = `${folder}/${owned.metadata.name}`;
      await reconciler.waitFor(path, (live) => (stays ? !live.metadata.ownerReferences?.length : live === undefined));
    });

    /** The garbage collector has seen the ReplicaSets that there are once it has collected one that came later. */
    async function untilSeenByCollector(folder: string): Promise<void> {
      const uid = '00000000-0000-0000-0000-000000000000';
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid }];
      const labels = { app: 'later' };
      const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'later:1' }] } };
      const spec = { replicas: 0, selector: { matchLabels: labels }, template };
      const body = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'later', ownerReferences }, spec };
      const made = await cluster.admin.call('POST', folder, { body });
      expect(made.status, JSON.stringify(made.body)).toBe(201);
      await reconciler.waitFor(`${folder}/later`, (live) => live === undefined, 'collected');
    }

    it('leaves definitions out when told to', async () => {
      const plural = `absentees${cluster.namespace.slice(5)}`;
      const name = `${plural}.example.com`;
      const names = `{kind: Absentee, plural: ${plural}}`;
      const versions = '[{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]';
      const crd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${name}}
spec: {group: example.com, scope: Namespaced, names: ${names}, versions: ${versions}}
`;
      await prepare({ 'crds/absentee.yaml': crd });

      await release({ install: { crds: 'Skip' } });
      await ready();

      expect(await reconciler.get(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`)).toBeUndefined();
    });

    it.each([
      ['Reinstall', 1],
      ['InPlaceUpdate', 2],
    ])('takes another name of the chart as it is told: %s', async (chartNameChangeStrategy, version) => {
      const repository = await prepare();
      await release({ upgrade: { chartNameChangeStrategy } });
      await ready();

      const renamed = { 'Chart.yaml': 'apiVersion: v2\nname: settings\nversion: 1.0.0\n' };
      await repository.commit(configChart('1.0.0', renamed));

      const object = await reconciler.waitFor(
        at(),
        (live) => isReady(live) && live.status.history[0].chartName === 'settings',
      );
      expect(object.status.history[0].version).toBe(version);
    });

    it.each([
      ['combined', true, true],
      ['separate', true, true],
      ['nohooks', false, false],
    ])('post-renders hooks as it is told: %s', async (postRenderStrategy, isPatched, isMarked) => {
      await prepare(talkativeFiles);
      const patch = '- op: add\n  path: /data/patched\n  value: "yes"\n';
      const postRenderers = [{ kustomize: { patches: [{ target: { kind: 'ConfigMap' }, patch }] } }];

      await release({ postRenderStrategy, postRenderers });
      await ready();

      const hook = await configMap('web-hook');
      expect([hook.data.patched === 'yes', hook.metadata.labels?.[ORIGIN] === 'web']).toEqual([isPatched, isMarked]);
      const object = await configMap();
      expect([object.data.patched, object.metadata.labels[ORIGIN]]).toEqual(['yes', 'web']);
    });

    it('does not compare objects that are excluded from drift detection', async () => {
      const other = `apiVersion: v1
kind: ConfigMap
metadata:
  name: free
  annotations: {helm.toolkit.fluxcd.io/driftDetection: disabled}
data: {color: blue}
`;
      await prepare({ 'templates/free.yaml': other });
      await release({ driftDetection: { mode: 'enabled' } });
      await ready();
      await reconciler.quiet();

      for (const name of ['free', 'web']) {
        const body = { data: { color: 'mine' } };
        const contentType = 'application/merge-patch+json';
        await cluster.admin.call('PATCH', `${paths.configMap(cluster.namespace, name)}?fieldManager=hand`, {
          body,
          contentType,
        });
      }

      // All of a release is compared at once.
      await reconciler.waitFor(paths.configMap(cluster.namespace, 'web'), (live) => live.data.color === 'blue');
      expect((await configMap('free')).data.color).toBe('mine');
    });

    it('names the key that a Secret with values has not', async () => {
      await prepare();
      await reconciler.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'paint' },
        stringData: { other: 'x: 1' },
      });

      await release({ valuesFrom: [{ kind: 'Secret', name: 'paint' }] });

      expect(await failure('ValuesError')).toBe(
        `could not resolve Secret chart values reference '${cluster.namespace}/paint' with key 'values.yaml': key not found`,
      );
    });
  });
}
