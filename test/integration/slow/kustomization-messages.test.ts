// What a failing Kustomization says, in Flux's words (flux.md §4.1, §4.4, §4.5, §4.8, §4.11, §4.13, §4.14).
import { describe, expect, it } from 'vitest';
import { accountWithRights, configMapYaml, deploymentYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { createFastClock, FAR_LIMIT_MS } from '../../support/fast-clock.ts';
import { condition, hasFailed, isReady, type Live, paths, until, useReconciler } from '../../support/reconciler.ts';

for (const choice of clusters) {
  describe(`messages on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const clock = createFastClock(1);
    const suite = useReconciler(cluster, { clock, requeueDependencyMs: 1_000 });

    const path = (name = 'app') => paths.kustomization(cluster.namespace, name);
    const define = (spec: object = {}) =>
      suite.apply(
        kustomization('app', 'app', {
          targetNamespace: cluster.namespace,
          retryInterval: '1s',
          timeout: `${FAR_LIMIT_MS}ms`,
          ...spec,
        } as never),
      );

    async function apply(files: Record<string, string>, spec: object = {}) {
      const repository = await suite.repository(files);
      await suite.apply(gitRepository('app', repository.url, { interval: '1s' }));
      await define(spec);
      return repository;
    }

    async function failure(reason: string, words = ''): Promise<{ object: Live; message: string }> {
      const isIt = (object: Live | undefined) =>
        hasFailed(reason)(object) && condition(object, 'Ready').message.includes(words);
      const object = await suite.waitFor(path(), isIt, `${reason} ${words}`);
      return { object, message: condition(object, 'Ready').message };
    }

    const said = (words: string): Promise<Live> =>
      suite
        .waitFor(
          `/api/v1/namespaces/${cluster.namespace}/events`,
          (list) => list?.items.some(({ message }: Live) => message.includes(words)),
          `an event: ${words}`,
        )
        .then((list) => list.items.find(({ message }: Live) => message.includes(words)));

    /** A ServiceAccount of the namespace that may do some things with ConfigMaps there. */
    async function allow(verbs: readonly string[]): Promise<void> {
      const rule = { apiGroups: [''], resources: ['configmaps'], verbs: [...verbs] };
      for (const object of accountWithRights('tenant', cluster.namespace, rule)) await suite.apply(object);
    }
    const MAKE = ['get', 'list', 'watch', 'create', 'patch', 'update'];

    it.each([
      [
        'a YAML file that is no manifest',
        { 'deep/values.yaml': 'a: 1\n' },
        {},
        'BuildFailed',
        /^failed to decode Kubernetes YAML from .*deep\/values\.yaml: .*missing Resource metadata/,
      ],
      [
        'a component from elsewhere',
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { components: ['https://example.com/component'] },
        'BuildFailed',
        /component path 'https:\/\/example\.com\/component' must be local and relative/,
      ],
      [
        'an object without a namespace',
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { targetNamespace: undefined },
        'ReconciliationFailed',
        /^ConfigMap\/cm namespace not specified: the server could not find the requested resource/,
      ],
      [
        'a namespace that is not there',
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { targetNamespace: 'there-is-none' },
        'ReconciliationFailed',
        /^ConfigMap\/there-is-none\/cm not found: namespaces "there-is-none" not found/,
      ],
      [
        'a number where a text is wanted (flux.md §4.7)',
        { 'cm.yaml': configMapYaml('cm', { a: 'x' }).replace('"x"', '${x}') },
        { postBuild: { substitute: { x: '42' } } },
        'ReconciliationFailed',
        /ConfigMap\/\S+\/cm dry-run failed.*\.data\.a: expected string, got/,
      ],
      [
        'a kubeconfig that is not there',
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { kubeConfig: { secretRef: { name: 'remote' } } },
        'ReconciliationFailed',
        /^unable to read KubeConfig secret '\S+\/remote' error: secrets "remote" not found/,
      ],
      [
        'a description of a cluster that is not there',
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { kubeConfig: { configMapRef: { name: 'remote' } } },
        'ReconciliationFailed',
        /^failed to get configmap \S+\/remote: configmaps "remote" not found/,
      ],
      [
        'keys to decrypt with that are not there',
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { decryption: { provider: 'sops', secretRef: { name: 'keys' } } },
        'BuildFailed',
        /^cannot get decryption Secret '\S+\/keys': secrets "keys" not found/,
      ],
    ])('names %s', async (_name, files, spec, reason, words) => {
      await apply(files as Record<string, string>, spec);

      const { message, object } = await failure(reason);

      expect(message).toMatch(words);
      expect(condition(object, 'Reconciling')).toMatchObject({ status: 'True', reason: 'ProgressingWithRetry' });
      expect(await said(message.slice(0, 60))).toMatchObject({ type: 'Warning', reason });
    });

    it('names the key that a kubeconfig Secret lacks', async () => {
      await suite.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'remote' }, stringData: { other: 'x' } });
      await apply({ 'cm.yaml': configMapYaml('cm', { a: '1' }) }, { kubeConfig: { secretRef: { name: 'remote' } } });

      const { message } = await failure('ReconciliationFailed');

      expect(message).toMatch(/^KubeConfig secret '\S+\/remote' does not contain a 'value' or 'value\.yaml' key/);
    });

    it('says what it waits for: a dependency that is not there, not ready, or says no itself', async () => {
      const { namespace } = cluster;
      await apply({ 'cm.yaml': configMapYaml('cm', { a: '1' }) }, { dependsOn: [{ name: 'first' }] });
      const absent = await failure('DependencyNotReady');
      expect(absent.message).toBe(
        `dependency '${namespace}/first' not found: kustomizations.kustomize.toolkit.fluxcd.io "first" not found`,
      );
      const event = await said('Dependencies do not meet ready condition, retrying in 1s');
      expect(event).toMatchObject({ type: 'Normal', reason: 'DependencyNotReady' });

      await suite.apply(kustomization('first', 'app', { path: './nowhere', suspend: true }));
      expect((await failure('DependencyNotReady', 'is not ready')).message).toBe(
        `dependency '${namespace}/first' is not ready`,
      );

      await define({ dependsOn: [{ name: 'first', readyExpr: 'dep.spec.suspend == false' }] });
      expect((await failure('DependencyNotReady', 'readyExpr')).message).toBe(
        `dependency '${namespace}/first' is not ready according to readyExpr eval`,
      );
    });

    it('says what it could not delete, and keeps it in the inventory', async () => {
      const { namespace } = cluster;
      await allow(MAKE);
      const files = { 'one.yaml': configMapYaml('one', { a: '1' }), 'two.yaml': configMapYaml('two', { a: '1' }) };
      const repository = await apply(files, { serviceAccountName: 'tenant' });
      await suite.waitFor(path(), isReady, 'Ready');

      await repository.commit({ 'two.yaml': null });
      const { message, object } = await failure('PruneFailed');
      expect(message).toMatch(
        new RegExp(`^delete failed, errors: ConfigMap/${namespace}/two delete failed: configmaps "two" is forbidden: `),
      );
      expect(object.status.inventory.entries.map(({ id }: Live) => id.split('_')[1])).toEqual(['one', 'two']);
      expect(object.status.history[0].lastReconciledStatus).toBe('PruneFailed');

      await cluster.admin.call('DELETE', path());
      const event = await said('pruning for deleted resource failed');
      expect(event).toMatchObject({ type: 'Warning', reason: 'PruneFailed' });
      expect(event.message).toContain(`ConfigMap/${namespace}/one delete failed: configmaps "one" is forbidden`);

      await allow(['*']);
      await suite.waitFor(path(), (live) => live === undefined, 'gone');
      expect(await suite.get(paths.configMap(namespace, 'one'))).toBeUndefined();
    });

    it('says that it could not make way for a forced change', async () => {
      const { namespace } = cluster;
      await allow(MAKE);
      const sealed = (a: string) => `${configMapYaml('cm', { a })}immutable: true\n`;
      const repository = await apply({ 'cm.yaml': sealed('1') }, { serviceAccountName: 'tenant', force: true });
      await suite.waitFor(path(), isReady, 'Ready');

      await repository.commit({ 'cm.yaml': sealed('2') });

      const { message } = await failure('ReconciliationFailed');
      expect(message).toContain(
        `ConfigMap/${namespace}/cm immutable field detected, failed to delete object: configmaps "cm" is forbidden`,
      );
    });

    it('says that a kind went away while it was in use (threats.md §3)', async () => {
      const { namespace } = cluster;
      const group = `${namespace}.example.com`;
      const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
      const definition = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `widgets.${group}` },
        spec: {
          group,
          names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
          scope: 'Namespaced',
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
        },
      };
      await cluster.admin.call('POST', definitions, { body: definition });
      const widget = `apiVersion: ${group}/v1\nkind: Widget\nmetadata:\n  name: w\n`;
      const repository = await apply({ 'w.yaml': widget, 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      await suite.waitFor(path(), isReady, 'Ready');

      await cluster.admin.call('DELETE', `${definitions}/widgets.${group}`);
      await suite.waitFor(`${definitions}/widgets.${group}`, (live) => live === undefined, 'no definition');
      // A server goes on serving for a moment what it has no definition of any more.
      await suite.waitFor(`/apis/${group}/v1`, (live) => live === undefined, 'nothing served');
      await repository.commit({ 'w.yaml': null });

      const { message } = await failure('PruneFailed');
      expect(message).toBe(
        `delete failed, errors: Widget/${namespace}/w query failed: no matches for kind "Widget" in version "${group}/v1"`,
      );
      expect(await suite.get(paths.configMap(namespace, 'cm'))).toMatchObject({ data: { a: '1' } });

      await cluster.admin.call('POST', definitions, { body: definition });
      await suite.waitFor(path(), isReady, 'Ready once the kind is back');
      await cluster.admin.call('DELETE', `${definitions}/widgets.${group}`);
    });

    it('does not wait for ever for what does not go', async () => {
      const { namespace } = cluster;
      const held = configMapYaml('cm', { a: '1' }).replace(
        'metadata:\n',
        'metadata:\n  finalizers: [example.com/held]\n',
      );
      await apply({ 'cm.yaml': held }, { deletionPolicy: 'WaitForTermination' });
      await suite.waitFor(path(), isReady, 'Ready');

      const cm = paths.configMap(namespace, 'cm');
      await cluster.admin.call('DELETE', path());
      const looks = () => suite.requests.filter(({ method, path: at }) => method === 'GET' && at === cm).length;
      await until('it to look again whether the object has gone', () => looks() > 1);

      clock.skip(FAR_LIMIT_MS);

      const event = await said('failed to wait for resources termination');
      expect(event).toMatchObject({ type: 'Warning', reason: 'ReconciliationFailed' });
      await suite.waitFor(path(), (live) => live === undefined, 'gone');
      await cluster.admin.call('PATCH', cm, { body: { metadata: { finalizers: null } } });
      await suite.waitFor(cm, (live) => live === undefined, 'gone');
    });

    it('says that newer work ended a wait for health', async () => {
      const { namespace } = cluster;
      const repository = await apply(
        { 'web.yaml': deploymentYaml('web', 'nginx:broken') },
        { wait: true, timeout: '1h' },
      );
      await suite.waitFor(path(), (object) => condition(object, 'Healthy')?.status === 'Unknown', 'waiting');

      await repository.commit({ 'web.yaml': deploymentYaml('web', 'nginx:1') });

      const words = `Health checks canceled due to new reconciliation triggered by GitRepository/${namespace}/app`;
      expect(await said(words)).toMatchObject({ type: 'Normal', reason: 'HealthCheckCanceled' });
      await suite.waitFor(path(), isReady, 'Ready');
    });
  });
}
