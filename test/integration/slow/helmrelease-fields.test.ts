// Fields of a HelmRelease, one by one (helm.md §21.1), and inputs that cannot be released, on every server.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { definitionYaml } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { configChart, fragileFiles, helmRelease, talkativeFiles } from '../../support/helm-charts.ts';
import { type Live, useReconciler } from '../../support/reconciler.ts';
import { useRelease } from '../../support/releases.ts';

for (const choice of clusters) {
  describe(choice.name, () => {
    const cluster = useCluster(choice);
    const reconciler = useReconciler(cluster);

    const { at, configMap, prepare, release, ready, failure } = useRelease(cluster, reconciler);
    const secrets = async (): Promise<string[]> => {
      const path = `/api/v1/namespaces/${cluster.namespace}/secrets?labelSelector=owner%3Dhelm`;
      return ((await cluster.admin.call('GET', path)).body as Live).items.map(
        (item: Live) => `${item.metadata.labels.version} ${item.metadata.labels.status}`,
      );
    };

    it('post-renders with kustomize and common metadata, and upgrades when they change', async () => {
      await prepare();
      const patch = '- op: add\n  path: /data/patched\n  value: "yes"\n';
      await release({
        commonMetadata: { labels: { team: 'a' }, annotations: { note: 'b' } },
        postRenderers: [{ kustomize: { patches: [{ target: { kind: 'ConfigMap' }, patch }] } }],
      });
      await ready();
      const first = await configMap();
      expect(first.data).toEqual({ color: 'blue', chart: '1.0.0', patched: 'yes' });
      expect(first.metadata.labels).toMatchObject({ team: 'a' });
      expect(first.metadata.annotations).toMatchObject({ note: 'b' });

      await release({ commonMetadata: { labels: { team: 'c' } } });
      await ready(2);

      const second = await configMap();
      expect(second.data).toEqual({ color: 'blue', chart: '1.0.0' });
      expect(second.metadata.labels).toMatchObject({ team: 'c' });
      expect(second.metadata.annotations).not.toHaveProperty('note');
    });

    it('writes no object when an upgrade changes nothing of it', async () => {
      await prepare();
      await release();
      await ready();
      const before = (await configMap()).metadata.resourceVersion;

      await release({ values: { unused: true } });
      await ready(2);

      expect((await configMap()).metadata.resourceVersion).toBe(before);
    });

    it('installs definitions before what is made of them, and replaces them only when told to', async () => {
      const kind = `Gadget${cluster.namespace.slice(5)}`;
      const plural = `${kind.toLowerCase()}s`;
      const definition = (description: string) => definitionYaml('example.com', kind, description);
      const gadget = `apiVersion: example.com/v1\nkind: ${kind}\nmetadata:\n  name: g\n`;
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.example.com`;
      const description = async () => (await reconciler.get(path)).spec.versions[0].schema.openAPIV3Schema.description;
      const repository = await prepare({ 'crds/gadget.yaml': definition('one'), 'templates/gadget.yaml': gadget });
      await release();
      const installed = await ready();
      expect(installed.status.inventory.entries.map((entry: Live) => entry.id)).toEqual([
        `_${plural}.example.com_apiextensions.k8s.io_CustomResourceDefinition`,
        `${cluster.namespace}_web__ConfigMap`,
        `${cluster.namespace}_g_example.com_${kind}`,
      ]);

      const files = { 'crds/gadget.yaml': definition('two'), 'templates/gadget.yaml': gadget };
      await repository.commit(configChart('1.1.0', files));
      await ready(2);
      expect(await description()).toBe('one');

      await release({ upgrade: { crds: 'CreateReplace' }, values: { color: 'red' } });
      await ready(3);
      expect(await description()).toBe('two');
      await cluster.admin.call('DELETE', path);
    });

    it('leaves objects of others alone when it is told not to take them over', async () => {
      await prepare();
      const path = `/api/v1/namespaces/${cluster.namespace}/configmaps`;
      await cluster.admin.call('POST', path, {
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { mine: 'yes' } },
      });

      await release({ install: { disableTakeOwnership: true } });
      expect(await failure('InstallFailed')).toContain(
        `Unable to continue with install: ConfigMap "web" in namespace "${cluster.namespace}" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"`,
      );
      expect((await configMap()).data).toEqual({ mine: 'yes' });

      await release({ interval: '2h' });
      await ready();
      expect((await configMap()).data).toMatchObject({ color: 'blue', mine: 'yes' });
    });

    it('acts as the ServiceAccount that it names', async () => {
      await prepare();
      await release({ serviceAccountName: 'weak' });
      expect(await failure('StateError')).toContain(
        `User "system:serviceaccount:${cluster.namespace}:weak" cannot list resource "secrets"`,
      );

      await cluster.kubectl.ok(['create', 'serviceaccount', 'weak']);
      await cluster.kubectl.ok(['create', 'role', 'r', '--verb=*', '--resource=secrets,configmaps']);
      await cluster.kubectl.ok([
        'create',
        'rolebinding',
        'r',
        '--role=r',
        `--serviceaccount=${cluster.namespace}:weak`,
      ]);

      await ready();
    });

    it('keeps the history of an uninstalled release when told to', async () => {
      await prepare(talkativeFiles);
      await release({ uninstall: { keepHistory: true } });
      await ready();

      await cluster.admin.call('DELETE', at());
      await reconciler.waitFor(at(), (object) => object === undefined, 'deletion');

      expect(await secrets()).toEqual(['1 uninstalled']);
      expect(await configMap()).toBeUndefined();
      expect(await configMap('web-hook')).toMatchObject({ metadata: { name: 'web-hook' } });
    });

    it('keeps as many revisions as it is told', async () => {
      await prepare();
      for (const version of [1, 2, 3, 4]) {
        await release({ maxHistory: 2, values: { round: version } });
        await ready(version);
      }

      expect(await secrets()).toEqual(['3 superseded', '4 deployed']);
    });

    it('refers to a HelmChart that is there, and says when it is not', async () => {
      await prepare();
      const { chart: _chart, ...spec } = (helmRelease('web', 'charts') as Live).spec;
      const object = {
        ...helmRelease('web', 'charts'),
        spec: { ...spec, chartRef: { kind: 'HelmChart', name: 'own' } },
      };
      await reconciler.apply(object);
      expect(await failure('ArtifactFailed')).toBe(
        'could not get Source object: helmcharts.source.toolkit.fluxcd.io "own" not found',
      );

      await reconciler.apply({
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'HelmChart',
        metadata: { name: 'own' },
        spec: { chart: './chart', interval: '1h', sourceRef: { kind: 'GitRepository', name: 'charts' } },
      });

      const installed = await ready();
      expect(installed.status.helmChart).toBeUndefined();
    });

    it('takes the older versions of the kind', async () => {
      await prepare();
      await reconciler.apply({ ...helmRelease('web', 'charts'), apiVersion: 'helm.toolkit.fluxcd.io/v2beta1' });

      await ready();
    });

    it.each<[string, Readonly<Record<string, string>>, JsonObject, string, string]>([
      [
        'values that the schema of the chart refuses',
        { 'values.schema.json': '{"properties":{"replicas":{"type":"integer"}}}' },
        { values: { replicas: 'many' } },
        'InstallFailed',
        `at '/replicas': got string, want integer`,
      ],
      [
        'a template that is none',
        { 'templates/bad.yaml': 'a: {{ if }}\n' },
        {},
        'InstallFailed',
        'config/templates/bad.yaml:1',
      ],
      ['output that is no YAML', { 'templates/bad.yaml': 'a: [\n' }, {}, 'InstallFailed', 'templates/bad.yaml'],
      [
        'an object that the API refuses',
        fragileFiles,
        { values: { breaks: 'api' } },
        'InstallFailed',
        'server-side apply failed for object ',
      ],
      [
        'an expression that does not compile',
        {},
        { healthCheckExprs: [{ apiVersion: 'v1', kind: 'ConfigMap', current: 'data.' }] },
        'InvalidCELExpression',
        'Reconciliation failed terminally due to configuration error: ',
      ],
    ])('says what is wrong with %s', async (_, files, spec, reason, text) => {
      await prepare(files);

      await release(spec);

      expect(await failure(reason)).toContain(text);
    });

    it('shows no value of a Secret, whatever a template does with it', async () => {
      await prepare({ 'templates/tell.yaml': '{{ fail (printf "token is %s" .Values.token) }}\n' });
      await reconciler.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'token' },
        stringData: { 'values.yaml': 'token: s3cret-canary' },
      });

      await release({ valuesFrom: [{ kind: 'Secret', name: 'token' }] });

      expect(await failure('InstallFailed')).toContain('token is *****');
      await reconciler.quiet();
      const said = await cluster.kubectl.ok(['get', 'events,helmreleases', '-o', 'yaml']);
      expect(said).toContain('token is *****');
      expect(said).not.toContain('s3cret-canary');
    });

    it('does not release a chart whose archive was changed on disk', async () => {
      await prepare();
      await release({ suspend: true });
      await release();
      await ready();
      const folder = join(reconciler.stateDir, 'artifacts', 'helmchart', cluster.namespace, `${cluster.namespace}-web`);
      for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'something else');

      await release({ values: { color: 'red' } });

      expect(await failure('ArtifactFailed')).toContain('Could not load chart: ');
      expect((await configMap()).data.color).toBe('blue');
    });
  });
}
