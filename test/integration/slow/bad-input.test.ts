// Bad input that tenants may write, by its row of threats.md: bounded in time, told by name, and nobody else notices.

import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { configMapYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { condition, hasFailed, isReady, type Live, paths, until, useReconciler } from '../../support/reconciler.ts';

const plain = { 'cm.yaml': configMapYaml('cm', { a: '1' }) };
/** Ten to the power of eight evaluations, in a line. */
const ENDLESS = 'abcdefgh'.split('').reduce((inner, name) => `[0,1,2,3,4,5,6,7,8,9].all(${name}, ${inner})`, 'true');

for (const choice of clusters) {
  describe(`bad input on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster, { requeueDependencyMs: 500 });
    const path = (name = 'app') => paths.kustomization(cluster.namespace, name);

    async function apply(files: Record<string, string>, spec: object = {}, name = 'app') {
      const repository = await suite.repository(files);
      await suite.apply(gitRepository(name, repository.url));
      const common = { targetNamespace: cluster.namespace, retryInterval: '1s' };
      await suite.apply(kustomization(name, name, { ...common, ...spec } as never));
      return repository;
    }

    /** The message of a failure; waiting for the source, or its first artifact, is none. */
    async function failure(reason: string, name?: string): Promise<string> {
      const isIt = (object: Live | undefined) =>
        hasFailed(reason)(object) && !/^(Source artifact|GitRepository\.)/.test(condition(object, 'Ready').message);
      return condition(await suite.waitFor(path(name), isIt, reason), 'Ready').message;
    }

    /** Somebody else's work goes on meanwhile. */
    async function expectOthersUnharmed(): Promise<void> {
      await apply({ 'cm.yaml': configMapYaml('others', { a: '1' }) }, {}, 'others');
      await suite.waitFor(path('others'), isReady, 'Ready');
    }

    it.each([
      ['exec', { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/touch' } }, {}],
      ['auth-provider', { 'auth-provider': { name: 'gcp', config: { 'cmd-path': '/bin/touch' } } }, {}],
      ['tokenFile', { tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' }, {}],
      ['client-certificate', { 'client-certificate': '/etc/passwd', 'client-key': '/etc/passwd' }, {}],
      [
        'certificate-authority',
        {},
        { 'certificate-authority': '/etc/passwd', 'certificate-authority-data': undefined },
      ],
      ['insecure-skip-tls-verify', {}, { 'insecure-skip-tls-verify': true, 'certificate-authority-data': undefined }],
      ['proxy-url', {}, { 'proxy-url': 'http://169.254.169.254' }],
    ])('CVE-2022-24817: a kubeconfig in a Secret with %s is refused', async (field, user, target) => {
      const config = load(readFileSync(cluster.kubeconfig, 'utf8')) as {
        users: { user: object }[];
        clusters: { cluster: object }[];
      };
      for (const entry of config.users) if (Object.keys(user).length > 0) entry.user = user;
      for (const entry of config.clusters) entry.cluster = { ...entry.cluster, ...target };
      const stringData = { value: JSON.stringify(config) };
      await suite.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'remote' }, stringData });

      await apply(plain, { kubeConfig: { secretRef: { name: 'remote' } } });

      const message = await failure('ReconciliationFailed');
      expect(message).toContain(field);
      expect(message).not.toContain('root:');
    });

    it.each([
      ['a name with a shell in it (CVE-2021-41254)', '$(touch /tmp/lockstep-pwned); `id`'],
      ['a header of its own (threats row 9)', 'x\r\nImpersonate-Group: system:masters'],
      ['another account behind its name (threats row 9)', 'x:../../kube-system:admin'],
    ])('a ServiceAccount with %s gets no rights', async (_name, serviceAccountName) => {
      await apply(plain, { serviceAccountName });

      await failure('ReconciliationFailed');

      expect(await suite.get(paths.configMap(cluster.namespace, 'cm'))).toBeUndefined();
    });

    it.each([
      ['itself', { 'kustomization.yaml': 'resources: [.]\n' }],
      ['its parent', { 'a/kustomization.yaml': 'resources: [../a]\n', 'kustomization.yaml': 'resources: [a]\n' }],
      [
        'a circle of components',
        {
          'kustomization.yaml': 'components: [a]\n',
          'a/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncomponents: [../b]\n',
          'b/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncomponents: [../a]\n',
        },
      ],
    ])('CVE-2022-24878: a kustomization that includes %s ends', async (_name, files) => {
      await apply(files);

      expect(await failure('BuildFailed')).toMatch(/cycle|includes itself/i);
    });

    it.each([
      ['a resource', 'resources: [../../../../../../etc/passwd]\n'],
      ['an absolute path', 'resources: [/etc/passwd]\n'],
      ['a patch', 'resources: [cm.yaml]\npatches:\n- path: ../../../../../../etc/passwd\n'],
      ['a generator', 'resources: [cm.yaml]\nsecretGenerator:\n- name: s\n  files: [../../../../../../etc/passwd]\n'],
      ['a key of a generator', 'resources: [cm.yaml]\nconfigMapGenerator:\n- name: s\n  files: ["x=/etc/passwd"]\n'],
    ])('CVE-2022-24877: %s outside of the artifact is not read', async (_name, text) => {
      await apply({ ...plain, 'kustomization.yaml': text });

      expect(await failure('BuildFailed')).not.toContain('root:');
    });

    it.each(['../other', '/../../etc', 'a/../../etc', '..\\..\\etc', 'a\u0000b', '%2e%2e/etc'])(
      'a path of %j leads nowhere (threats row 1)',
      async (where) => {
        await apply(plain, { path: where });

        expect(await failure('ArtifactFailed')).toMatch(/^kustomization path not found: |leads out of the source/);
      },
    );

    it('keys that mean something to JavaScript are keys like others (threats row 19)', async () => {
      const keys = { constructor: 'a', toString: 'b', prototype: 'c' };
      const manifest = configMapYaml('cm', keys).replace('\ndata:\n', '\ndata:\n  __proto__: "d"\n');
      await apply(
        { 'cm.yaml': manifest },
        { commonMetadata: { labels: { constructor: 'x' } }, postBuild: { substitute: { constructor: 'y' } } },
      );
      await suite.waitFor(path(), isReady, 'Ready');

      const live = await suite.get(paths.configMap(cluster.namespace, 'cm'));
      expect(Object.entries(live.data).sort()).toEqual(Object.entries({ ...keys, ['__proto__']: 'd' }).sort());
      expect(live.metadata.labels.constructor).toBe('x');
    });

    it('an expression that never ends is given up (threats rows 5 and 12)', async () => {
      await apply(plain);
      await suite.waitFor(path(), isReady, 'Ready');
      const healthCheckExprs = [{ apiVersion: 'v1', kind: 'ConfigMap', current: ENDLESS }];
      await apply({ 'cm.yaml': configMapYaml('slow', { a: '1' }) }, { wait: true, healthCheckExprs }, 'slow');
      await apply(plain, { dependsOn: [{ name: 'app', readyExpr: ENDLESS }] }, 'asks');

      expect(await failure('DependencyNotReady', 'asks')).toMatch(
        /^dependency '\S+\/app' is not ready: .*the expression does too much/,
      );
      await suite.waitFor(path('slow'), (object) => condition(object, 'Healthy')?.status === 'Unknown', 'waiting');
      await expectOthersUnharmed();
    });

    it.each([
      ['nests without end', '${a:='.repeat(20_000)],
      ['never closes', `\${a:=${'x'.repeat(200_000)}`],
      ['doubles itself', `\${a${'//a/aa'.repeat(1)}}`.repeat(5_000)],
    ])('a substitution that %s is given up (threats row 5)', async (_name, text) => {
      const files = { 'cm.yaml': configMapYaml('cm', { a: 'x' }).replace('"x"', `'${text}'`) };
      await apply(files, { postBuild: { substitute: { a: 'a'.repeat(100_000) } } });

      await failure('BuildFailed');

      await expectOthersUnharmed();
    });

    it('those that depend on each other in a circle wait, and cost next to nothing', async () => {
      await apply(plain, { dependsOn: [{ name: 'two' }] }, 'one');
      await apply(plain, { dependsOn: [{ name: 'one' }] }, 'two');
      const passes = () => suite.metric('controller_runtime_reconcile_total', 'controller="kustomization"');
      const isTold = (list: Live) =>
        ['one', 'two'].every((name) =>
          list.items.some((item: Live) => item.reason === 'DependencyNotReady' && item.involvedObject.name === name),
        );
      for (const name of ['one', 'two']) await failure('DependencyNotReady', name);
      await suite.waitFor(`/api/v1/namespaces/${cluster.namespace}/events`, isTold, 'events of both');

      const [before, started] = [await passes(), performance.now()];
      const requests = await suite.countRequests(() =>
        until('more passes', async () => (await passes()) >= before + 8),
      );
      const halfSeconds = (performance.now() - started) / 500;

      // Each waits half a second at a time: an event for each, and no status. Those of before may come late.
      expect(requests.length).toBeLessThanOrEqual(2 * halfSeconds + 12);
      expect(requests.filter(({ path: to }) => !to.includes('/events'))).toEqual([]);
    });

    it('an interval of nothing runs once, one of ten thousand hours is told as it is (threats row 17)', async () => {
      await apply(plain, { interval: '0s' });
      await apply(plain, { interval: '10000h', namePrefix: 'long-' }, 'long');
      for (const name of ['app', 'long']) await suite.waitFor(path(name), isReady, 'Ready');
      await suite.quiet();

      const requests = await suite.countRequests(() => suite.quiet());

      expect(requests).toEqual([]);
      const isTold = (list: Live) =>
        ['next run in 10000h0m0s', 'next run in 0s'].every((words) =>
          list.items.some(({ message }: Live) => message.endsWith(words)),
        );
      await suite.waitFor(`/api/v1/namespaces/${cluster.namespace}/events`, isTold, 'both intervals told');
    });

    it.each(['-5s', '5', '', 'soon', '1d'])(
      'an interval of %j is refused at the door (CVE-2022-39272)',
      async (interval) => {
        await expect(suite.apply(kustomization('app', 'app', { interval }))).rejects.toThrow(/spec\.interval/);
      },
    );

    it('a namespace that cannot end is named', async () => {
      const name = `${cluster.namespace}-ending`;
      const call = cluster.admin.call;
      await call('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
      const held = { metadata: { name: 'held', finalizers: ['example.com/held'] } };
      await call('POST', `/api/v1/namespaces/${name}/configmaps`, { body: held });
      await call('DELETE', `/api/v1/namespaces/${name}`);
      await suite.waitFor(`/api/v1/namespaces/${name}`, (live) => live?.status.phase === 'Terminating', 'ending');

      await apply(plain, { targetNamespace: name });

      expect(await failure('ReconciliationFailed')).toMatch(
        new RegExp(`in namespace ${name} because it is being terminated`),
      );
      await call('PATCH', `/api/v1/namespaces/${name}/configmaps/held`, { body: { metadata: { finalizers: null } } });
    });
  });
}
