// Fields of a Kustomization beyond the main road: substitution, expressions, ignored fields, another cluster, remote
// bases, impersonation, common metadata, patches (flux.md §4).
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import {
  accountWithRights,
  configMapYaml,
  deploymentYaml,
  gitRepository,
  jobYaml,
  kustomization,
} from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

for (const choice of clusters) {
  describe(`fields on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster, { requeueDependencyMs: 500 });

    async function apply(files: Record<string, string>, spec: object): Promise<{ namespace: string; path: string }> {
      const { namespace } = cluster;
      const repository = await suite.repository(files);
      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(
        kustomization('app', 'app', { targetNamespace: namespace, retryInterval: '1s', ...spec } as never),
      );
      return { namespace, path: paths.kustomization(namespace, 'app') };
    }

    const failure = async (path: string, reason: string): Promise<string> =>
      condition(await suite.waitFor(path, hasFailed(reason), reason), 'Ready').message;

    it('substitutes variables, follows their sources and keeps Secrets out of messages', async () => {
      const { namespace } = cluster;
      const config = (region: string) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'vars' },
        data: { region },
      });
      await suite.apply(config('eu'));
      await suite.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'vars' },
        stringData: { token: 'canary-7431' },
      });
      const substituteFrom = [
        { kind: 'ConfigMap', name: 'vars' },
        { kind: 'Secret', name: 'vars' },
        { kind: 'Secret', name: 'absent', optional: true },
      ];

      const { path } = await apply(
        { 'cm.yaml': configMapYaml('cm', { a: '${region}-${size:=small}', b: '${token}' }) },
        { postBuild: { substitute: { size: 'large' }, substituteFrom } },
      );
      await suite.waitFor(path, isReady, 'Ready');
      expect((await suite.get(paths.configMap(namespace, 'cm'))).data).toEqual({ a: 'eu-large', b: 'canary-7431' });

      await suite.apply(config('us'));
      await suite.waitFor(paths.configMap(namespace, 'cm'), (live) => live?.data.a === 'us-large', 'the new variable');

      await suite.apply(
        kustomization('app', 'app', {
          targetNamespace: namespace,
          postBuild: { substituteFrom: [{ kind: 'Secret', name: 'vars' }] },
        }),
      );
      const message = await failure(path, 'BuildFailed');
      expect(message).toContain('variable not set (strict mode): "region"');
      expect(JSON.stringify(await suite.get(path))).not.toContain('canary-7431');
    });

    it('names a variable source that is not there', async () => {
      const { path } = await apply(
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'nowhere' }] } },
      );

      expect(await failure(path, 'BuildFailed')).toContain("substitute from 'ConfigMap/nowhere' error");
    });

    it('refuses a SOPS-encrypted Secret without keys', async () => {
      const secret =
        'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  a: ENC[AES256_GCM,data:x]\nsops:\n  mac: x\n';
      const { path, namespace } = await apply({ 's.yaml': secret }, {});

      expect(await failure(path, 'ReconciliationFailed')).toBe(
        `Secret/${namespace}/s is SOPS encrypted, configuring decryption is required for this secret to be reconciled`,
      );
    });

    it('leaves ignored fields to whoever set them', async () => {
      const { path, namespace } = await apply(
        { 'web.yaml': deploymentYaml('web', 'nginx:1', 1) },
        { ignore: [{ paths: ['/spec/replicas'], target: { kind: 'Deployment' } }] },
      );
      await suite.waitFor(path, isReady, 'Ready');
      const deployment = paths.deployment(namespace, 'web');

      await cluster.admin.call('PATCH', `${deployment}?fieldManager=hpa`, { body: { spec: { replicas: 3 } } });
      await suite.quiet();
      await suite.quiet();

      expect((await suite.get(deployment)).spec.replicas).toBe(3);
    });

    it('stalls at an expression that does not compile', async () => {
      const { path } = await apply(
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { wait: true, healthCheckExprs: [{ apiVersion: 'v1', kind: 'ConfigMap', current: 'data.a ==' }] },
      );

      expect(await failure(path, 'InvalidCELExpression')).toMatch(
        /^Reconciliation failed terminally due to configuration error: /,
      );
      expect(condition(await suite.get(path), 'Stalled')).toMatchObject({
        status: 'True',
        reason: 'InvalidCELExpression',
      });
    });

    it('judges health by expressions', async () => {
      const expressions = [
        { apiVersion: 'v1', kind: 'ConfigMap', current: "data.done == 'yes'", inProgress: "data.done != 'yes'" },
      ];
      const { path, namespace } = await apply(
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { wait: true, healthCheckExprs: expressions },
      );
      await suite.waitFor(path, (object) => condition(object, 'Healthy')?.status === 'Unknown', 'waiting');

      await cluster.admin.call('PATCH', `${paths.configMap(namespace, 'cm')}?fieldManager=operator`, {
        body: { data: { done: 'yes' } },
      });

      await suite.waitFor(path, isReady, 'Ready');
    });

    it('asks a dependency its own question', async () => {
      const { namespace } = cluster;
      await apply({ 'cm.yaml': configMapYaml('cm', { a: '1' }) }, {});
      const question = "dep.metadata.labels['go'] == 'yes'";
      await suite.apply(
        kustomization('second', 'app', {
          path: './',
          targetNamespace: namespace,
          namePrefix: 'second-',
          dependsOn: [{ name: 'app', readyExpr: question }],
        }),
      );
      const path = paths.kustomization(namespace, 'second');
      await suite.waitFor(path, hasFailed('DependencyNotReady'), 'waiting');

      await cluster.admin.call('PATCH', paths.kustomization(namespace, 'app'), {
        body: { metadata: { labels: { go: 'yes' } } },
      });

      await suite.waitFor(path, isReady, 'Ready');
    });

    it('applies to the cluster of a kubeconfig, and refuses one that runs programs', async () => {
      const kubeconfig = readFileSync(cluster.kubeconfig, 'utf8');
      const secret = (value: string) => ({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'remote' },
        stringData: { value },
      });
      const config = load(kubeconfig) as { users: { user: object }[] };
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/touch' };
      for (const user of config.users) user.user = { exec };
      await suite.apply(secret(JSON.stringify(config)));
      const { path, namespace } = await apply(
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { kubeConfig: { secretRef: { name: 'remote' } }, interval: '1s' },
      );
      expect(await failure(path, 'ReconciliationFailed')).toContain('exec');

      await suite.apply(secret(kubeconfig));
      await suite.waitFor(path, isReady, 'Ready');
      await cluster.admin.call('DELETE', paths.configMap(namespace, 'cm'));

      await suite.waitFor(
        paths.configMap(namespace, 'cm'),
        (live) => live !== undefined,
        'made again within the interval',
      );
    });

    it('fetches remote bases over Git', async () => {
      const base = await suite.repository({
        'base/kustomization.yaml': 'resources: [cm.yaml]\n',
        'base/cm.yaml': configMapYaml('cm', { a: 'remote' }),
      });
      const { path, namespace } = await apply(
        { 'kustomization.yaml': `resources: ["${base.url}//base?ref=main"]\nnamePrefix: my-\n` },
        {},
      );

      await suite.waitFor(path, isReady, 'Ready');
      expect((await suite.get(paths.configMap(namespace, 'my-cm'))).data).toEqual({ a: 'remote' });
    });

    it('leaves out fields that the API server does not know, of kinds that are its own', async () => {
      const typo = deploymentYaml('web', 'nginx:1')
        .replace('spec:\n  replicas: 1', 'spec:\n  replicas: 1\n  replicaz: 2')
        .replace('image: nginx:1', 'image: nginx:1\n        imagePullPolice: Always');
      const { path, namespace } = await apply({ 'web.yaml': typo }, { interval: '1s' });

      await suite.waitFor(path, isReady, 'Ready');

      const { uid } = (await suite.get(paths.deployment(namespace, 'web'))).metadata;
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, force: true }));
      await suite.waitFor(path, (object) => isReady(object) && object.metadata.generation === 2, 'a forced pass');
      expect((await suite.get(paths.deployment(namespace, 'web'))).metadata.uid).toBe(uid);
    });

    it('both API versions read the same status, and the old one its own fields', async () => {
      const { namespace } = cluster;
      const repository = await suite.repository({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      const old = (object: Live, group: string) => ({ ...object, apiVersion: `${group}.toolkit.fluxcd.io/v1beta2` });
      await suite.apply(old(gitRepository('app', repository.url, { gitImplementation: 'libgit2' }), 'source'));
      const patchesStrategicMerge = [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' }, data: { merged: 'yes' } },
      ];
      const patchesJson6902 = [
        {
          target: { version: 'v1', kind: 'ConfigMap', name: 'cm' },
          patch: [{ op: 'add', path: '/data/added', value: 'yes' }],
        },
      ];
      const spec = { targetNamespace: namespace, validation: 'client', patchesStrategicMerge, patchesJson6902 };

      await suite.apply(old(kustomization('app', 'app', spec as never), 'kustomize'));

      const v1 = await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
      const beta = await suite.get(paths.kustomization(namespace, 'app').replace('/v1/', '/v1beta2/'));
      expect(beta.status.lastAppliedRevision).toBe(v1.status.lastAppliedRevision);
      expect((await suite.get(paths.configMap(namespace, 'cm'))).data).toEqual({ a: '1', merged: 'yes', added: 'yes' });
    });

    it('acts with the rights of the ServiceAccount that it names', async () => {
      const { namespace } = cluster;
      const rule = { apiGroups: [''], resources: ['configmaps'], verbs: ['*'] };
      const [account, ...rights] = accountWithRights('tenant', namespace, rule);
      await suite.apply(account!);
      const { path } = await apply({ 'cm.yaml': configMapYaml('cm', { a: '1' }) }, { serviceAccountName: 'tenant' });

      const message = await failure(path, 'ReconciliationFailed');
      expect(message).toContain(`User "system:serviceaccount:${namespace}:tenant" cannot`);

      for (const object of rights) await suite.apply(object);
      await suite.waitFor(path, isReady, 'Ready with rights');
    });

    it('recreates on a change of an immutable field only when forced, and never for a plain mistake', async () => {
      const { namespace } = cluster;
      const repository = await suite.repository({ 'job.yaml': jobYaml('job', 'one:1') });
      const path = paths.kustomization(namespace, 'app');
      const jobPath = `/apis/batch/v1/namespaces/${namespace}/jobs/job`;
      await suite.apply(gitRepository('app', repository.url, { interval: '1s' }));
      const spec = { targetNamespace: namespace, retryInterval: '1s' };
      await suite.apply(kustomization('app', 'app', spec));
      await suite.waitFor(path, isReady, 'Ready');
      const { uid } = (await suite.get(jobPath)).metadata;

      await repository.commit({ 'job.yaml': jobYaml('job', 'two:1') });
      expect(await failure(path, 'ReconciliationFailed')).toContain('field is immutable');
      await suite.apply(kustomization('app', 'app', { ...spec, force: true }));
      const recreated = await suite.waitFor(
        jobPath,
        (live: Live) => live !== undefined && live.metadata.uid !== uid,
        'recreated',
      );

      await repository.commit({ 'job.yaml': jobYaml('job', 'two:1').replace('Never', 'Sometimes') });
      // The Job is there before its pass ends: until then the status tells of the failure before, whole Pod and all.
      const refusal = 'spec.template.spec.restartPolicy: Unsupported value: "Sometimes"';
      await suite.waitFor(path, hasFailed('ReconciliationFailed', refusal), 'a refused restartPolicy');
      expect((await suite.get(jobPath)).metadata.uid).toBe(recreated.metadata.uid);
    });
  });
}
