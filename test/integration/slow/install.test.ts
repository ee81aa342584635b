// Installing as a user does: `lockstep install` through kubectl, and `lockstep run` with the token of a ServiceAccount
// that has the rights of `--rbac tenant` and no others.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, loadAll } from 'js-yaml';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kinds } from '../../../src/api/kinds.ts';
import { runCli } from '../../../src/cli/program.ts';
import { readKubeconfig } from '../../../src/cluster/kubeconfig.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { configMapYaml, deploymentYaml, gitRepository, kustomization } from '../../support/build.ts';
import { startCertificateFront } from '../../support/certificate-front.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { temporaryFolder } from '../../support/git.ts';
import { createKubectl, findKubectl, type Kubectl } from '../../support/kubectl.ts';
import { condition, hasFailed, isReady, type Live, paths, until, useReconciler } from '../../support/reconciler.ts';
import { projectRoot } from '../../support/source-files.ts';

const isMissing = (await findKubectl()) === undefined && process.env['CI'] !== 'true';

for (const choice of clusters) {
  describe.skipIf(isMissing)(
    `install on ${choice.name}${isMissing ? ' (skipped: no kubectl of 1.27 or newer)' : ''}`,
    () => {
      const cluster = useCluster(choice);
      // The manifests name their namespaces: kubectl must not be given another.
      let kubectl: Kubectl;
      beforeEach(async () => {
        kubectl = await createKubectl(cluster.kubeconfig);
      });
      afterEach(() => kubectl.close());

      it('gives definitions that kubectl applies at the first try, and that are established', async () => {
        const text = await printed('--crds');

        const applied = await kubectl.run(['apply', '--server-side', '-f', '-'], { stdin: text });

        expect({ code: applied.code, stderr: applied.stderr }).toEqual({ code: 0, stderr: '' });
        const names = loadAll(text).map((object) => `crd/${(object as Live).metadata.name}`);
        await kubectl.ok(['wait', '--for=condition=established', '--timeout=60s', ...names]);
        expect(names).toHaveLength(kinds.length);
      });

      it.each([
        ['by default', []],
        ['for tenants, with a volume', ['--rbac', 'tenant', '--persistent']],
      ])('is accepted whole and without a warning %s, where pods are restricted', async (_name, flags) => {
        const text = await printed(...flags);
        const namespace = loadAll(text).find((object) => (object as Live).kind === 'Namespace') as Live;
        expect(namespace.metadata.labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
        await kubectl.ok(['apply', '--server-side', '-f', '-'], { stdin: JSON.stringify(namespace) });

        const dry = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '-f', '-'];
        const { code, stderr, stdout } = await kubectl.run(dry, { stdin: text });

        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(stdout.trim().split('\n')).toHaveLength(loadAll(text).length);
      });

      it('is the same as the kustomize base', async () => {
        const base = await kubectl.ok(['kustomize', join(projectRoot, 'manifests')]);
        const byName = (text: string) =>
          Object.fromEntries(loadAll(text).map((object) => [nameOf(object as Live), object] as const));

        expect(byName(base)).toEqual(byName(await printed()));
        const dry = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '-k'];
        const { code, stderr } = await kubectl.run([...dry, join(projectRoot, 'manifests')]);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      });

      it('ends with an available Deployment, as the first lesson waits for it', async () => {
        const stdin = await printed();
        await kubectl.ok(['apply', '--server-side', '--force-conflicts', '-f', '-'], { stdin });
        const wait = [
          'wait',
          '--for=condition=available',
          '--timeout=300s',
          '--all',
          'deployments',
          '-n',
          'flux-system',
        ];

        const said = await kubectl.ok(wait);

        expect(said).toBe('deployment.apps/lockstep condition met\n');
        await kubectl.ok(['delete', 'deployment', 'lockstep', '-n', 'flux-system']);
      });
    },
  );

  describe(`lockstep run with the rights of a tenant install on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    // It reconciles nothing of these tests: it brings the definitions, and the Git server.
    const suite = useReconciler(cluster, { watchLabelSelector: 'lockstep.dev/suite=nothing' });
    const folder = temporaryFolder('install');
    afterAll(() => folder.remove());
    const started: Run[] = [];
    let shard = '';
    let token = '';

    beforeEach(async () => {
      shard = `lockstep.dev/install=${randomBytes(4).toString('hex')}`;
      token = await tenantToken(cluster.namespace);
    });
    afterEach(async () => {
      for (const run of started.splice(0)) await run.stop();
      const roles = '/apis/rbac.authorization.k8s.io/v1';
      for (const plural of ['clusterroles', 'clusterrolebindings']) {
        await cluster.admin.call('DELETE', `${roles}/${plural}/${cluster.namespace}`);
      }
    });

    async function create(object: Live, namespace = cluster.namespace): Promise<void> {
      const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
      const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
      const place = object.kind.startsWith('Cluster') ? '' : `/namespaces/${namespace}`;
      const plural = object.kind === 'GitRepository' ? 'gitrepositories' : `${object.kind.toLowerCase()}s`;
      const answer = await cluster.admin.call('POST', `${root}${place}/${plural}`, { body: object });
      if (answer.status !== 201) throw new Error(`${object.kind}: ${JSON.stringify(answer.body)}`);
    }

    /** An object of ours, in the share of this test's processes. */
    function mine(object: Live): Live {
      const [key = '', value = ''] = shard.split('=');
      return { ...object, metadata: { ...object.metadata, labels: { [key]: value } } };
    }

    /** A token of a ServiceAccount that is bound to what `lockstep install --rbac tenant` binds its own to. */
    async function tenantToken(namespace: string): Promise<string> {
      const objects = loadAll(await printed('--rbac', 'tenant')) as Live[];
      const ofKind = (...kinds: string[]) => objects.filter(({ kind }) => kinds.includes(kind));
      const bindings = ofKind('ClusterRoleBinding', 'RoleBinding');
      expect(bindings.map(({ roleRef }) => roleRef.name)).toEqual(['lockstep-controller', 'lockstep-leader-election']);
      await create(account('lockstep'));
      for (const role of ofKind('ClusterRole', 'Role').filter(({ metadata }) =>
        metadata.name.startsWith('lockstep-'),
      )) {
        await create({ ...role, metadata: { name: inTest(role.kind, role.metadata.name) } });
      }
      for (const { kind, roleRef, metadata, ...binding } of bindings) {
        await create({
          ...binding,
          kind,
          metadata: { name: inTest(kind, metadata.name) },
          roleRef: { ...roleRef, name: inTest(roleRef.kind, roleRef.name) },
          subjects: [{ kind: 'ServiceAccount', name: 'lockstep', namespace }],
        });
      }
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/lockstep/token`;
      const answer = await cluster.admin.call('POST', path, {
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      });
      return (answer.body as Live).status.token;
    }

    /** What is of the whole cluster has the name of the test's namespace. */
    function inTest(kind: string, name: string): string {
      return kind.startsWith('Cluster') ? cluster.namespace : name;
    }

    /** Where the API server is, and its authority in PEM. */
    async function addressOfCluster(): Promise<{ server: string; ca: string }> {
      const { server, tls } = await readKubeconfig(cluster.kubeconfig, { clock: systemClock });
      return { server, ca: tls.ca ?? '' };
    }

    /** A kubeconfig of a user, in JSON. */
    async function kubeconfigOf(user: object): Promise<string> {
      const { server, ca } = await addressOfCluster();
      const name = 'test';
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': name,
        clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
        users: [{ name, user }],
        contexts: [{ name, context: { cluster: name, user: name } }],
      };
      const path = join(folder.dir, `${randomBytes(4).toString('hex')}.json`);
      writeFileSync(path, JSON.stringify(config));
      return path;
    }

    async function start(...flags: string[]): Promise<Run> {
      const state = join(folder.dir, randomBytes(4).toString('hex'));
      const kubeconfig = await kubeconfigOf({ token });
      const run = await startRun([
        '--kubeconfig',
        kubeconfig,
        '--state',
        state,
        '--watch-label-selector',
        shard,
        ...flags,
      ]);
      started.push(run);
      return run;
    }

    /** A repository (with one ConfigMap), its source, and a ServiceAccount `deployer` that may write what is in it. */
    async function prepare(files?: Record<string, string>): Promise<void> {
      const { namespace } = cluster;
      const settings = configMapYaml('settings', { mode: '${mode:=calm}' }, namespace);
      const repository = await suite.repository(files ?? { 'settings.yaml': settings });
      await create(mine(gitRepository('app', repository.url)));
      await create(account('deployer'));
      await create({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'deployer' },
        rules: [
          { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'patch', 'delete'] },
          { apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'] },
        ],
      });
      await create({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'deployer' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'deployer' },
        subjects: [{ kind: 'ServiceAccount', name: 'deployer', namespace }],
      });
    }

    it('applies as the ServiceAccount of a Kustomization, puts drift back each interval, and prunes', async () => {
      const { namespace } = cluster;
      await prepare();
      const run = await start();
      await create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'values' }, data: { mode: 'quiet' } });
      const postBuild = { substituteFrom: [{ kind: 'ConfigMap', name: 'values' }] };
      await create(mine(kustomization('app', 'app', { interval: '2s', serviceAccountName: 'deployer', postBuild })));
      const path = paths.kustomization(namespace, 'app');
      await suite.waitFor(path, isReady, 'Ready');
      expect(await run.probe()).toEqual([200, 'ok']);
      const settings = paths.configMap(namespace, 'settings');
      expect((await suite.get(settings)).data).toEqual({ mode: 'quiet' });

      await cluster.admin.call('PATCH', `${settings}?fieldManager=kubectl-edit`, { body: { data: { mode: 'wild' } } });
      await suite.waitFor(settings, (object) => object?.data.mode === 'quiet', 'the drift to be put back');
      await cluster.admin.call('DELETE', settings);
      await suite.waitFor(settings, (object) => object?.data.mode === 'quiet', 'the object to come back');

      const values = paths.configMap(namespace, 'values');
      await cluster.admin.call('PATCH', values, { body: { data: { mode: 'loud' } } });
      await suite.waitFor(settings, (object) => object?.data.mode === 'loud', 'the new value');

      await cluster.admin.call('DELETE', path);
      await suite.waitFor(path, (object) => object === undefined, 'the Kustomization to be gone');
      expect(await suite.get(settings)).toBeUndefined();
    });

    // Health is read with the controller's own rights, and a wait looks again only when a watch wakes it.
    it('waits for the health of what it may not watch', async () => {
      const { namespace } = cluster;
      await prepare({ 'web.yaml': deploymentYaml('web', 'nginx:1') });
      await start();

      const spec = { interval: '10s', serviceAccountName: 'deployer', wait: true, targetNamespace: namespace };
      await create(mine(kustomization('app', 'app', spec)));

      const path = paths.kustomization(namespace, 'app');
      const ready = await suite.waitFor(path, isReady, 'Ready');
      expect(condition(ready, 'Healthy')).toMatchObject({ status: 'True', reason: 'Succeeded' });
      const live = await suite.get(paths.deployment(namespace, 'web'));
      expect(live.status.availableReplicas).toBe(1);
      await cluster.admin.call('DELETE', path);
      await suite.waitFor(path, (object) => object === undefined, 'the Kustomization to be gone');
      await suite.waitFor(
        paths.deployment(namespace, 'web'),
        (object) => object === undefined,
        'the Deployment to be gone',
      );
    });

    it('says in the words of the API what a ServiceAccount may not', async () => {
      const { namespace } = cluster;
      await prepare();
      await create(account('nobody'));
      await start();

      await create(mine(kustomization('app', 'app', { serviceAccountName: 'nobody' })));
      await create(mine(kustomization('own', 'app', {})));

      for (const [name, user, verb] of [
        ['app', `system:serviceaccount:${namespace}:nobody`, 'get'],
        ['own', `system:serviceaccount:${namespace}:lockstep`, 'patch'],
      ] as const) {
        const path = paths.kustomization(namespace, name);
        const failed = await suite.waitFor(path, hasFailed('ReconciliationFailed'), 'failed');
        expect(condition(failed, 'Ready').message).toContain(
          `configmaps "settings" is forbidden: User "${user}" cannot ${verb} resource "configmaps" in API group "" in the namespace "${namespace}"`,
        );
      }
      expect(await suite.get(paths.configMap(namespace, 'settings'))).toBeUndefined();
    });

    it('lets one of two processes act, and the other once the first has gone', async () => {
      const { namespace } = cluster;
      const flags = ['--enable-leader-election', '--namespace', namespace];
      const first = await start(...flags);
      await until('the first to lead', async () => (await first.probe())[0] === 200);
      const second = await start(...flags);
      await until('the second to wait', async () => /lease \S+ is held by/.test((await second.probe())[1]));
      expect((await second.probe())[0]).toBe(503);
      await prepare();
      await suite.waitFor(paths.git(namespace, 'app'), isReady, 'Ready');
      expect(second.output()).not.toContain('"controller":"gitrepository"');

      expect(await first.stop()).toBe(0);

      await until('the second to lead', async () => (await second.probe())[0] === 200);
    });

    it('waits for the leases of Flux, and says who holds them', async () => {
      const { namespace } = cluster;
      const name = `kustomize-controller-leader-election-${createHash('sha256').update(shard).digest('hex').slice(0, 8)}`;
      const now = `${new Date().toISOString().slice(0, -1)}000Z`;
      await create({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name },
        spec: {
          holderIdentity: 'flux_1',
          leaseDurationSeconds: 35,
          acquireTime: now,
          renewTime: now,
          leaseTransitions: 0,
        },
      });
      const run = await start('--enable-leader-election', '--namespace', namespace);

      await until('words about the lease', async () => {
        const [status, text] = await run.probe();
        return status === 503 && text.includes(`lease ${namespace}/${name} is held by flux_1`);
      });

      await cluster.admin.call('DELETE', `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`);
      await until('the lease to be taken', async () => (await run.probe())[0] === 200);
    });

    it.each(['json', 'yaml'])('takes a kubeconfig with a client certificate, as %s', async (form) => {
      const { server, ca } = await addressOfCluster();
      const front = await startCertificateFront(server, ca, token);
      try {
        const path = join(folder.dir, `certificate.${form}`);
        writeFileSync(path, form === 'json' ? JSON.stringify(front.kubeconfig) : dump(front.kubeconfig));

        const run = await startRun([
          '--kubeconfig',
          path,
          '--state',
          join(folder.dir, form),
          '--watch-label-selector',
          shard,
        ]);

        started.push(run);
        await until('a passing probe', async () => (await run.probe())[0] === 200);
        expect(front.refused()).toBe(0);
        await run.stop();
      } finally {
        await front.close();
      }
    });
  });
}

interface Run {
  /** Status and text of /readyz. */
  probe(): Promise<readonly [number, string]>;
  output(): string;
  stop(): Promise<number | null>;
}

/** Starts `lockstep run` and waits until its servers answer. */
async function startRun(flags: readonly string[]): Promise<Run> {
  const args = [join(projectRoot, 'src/main.ts'), 'run', '--requeue-dependency', '500ms', ...flags];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const address = (): string | undefined => /, internal (http:\S+)/.exec(output)?.[1];
  await until(`lockstep run to start: ${flags.join(' ')}`, async () => {
    if (child.exitCode !== null) throw new Error(`lockstep run ended:\n${output}`);
    return address() !== undefined;
  });
  return {
    probe: async () => {
      const answer = await fetch(`${address()}/readyz`);
      return [answer.status, await answer.text()];
    },
    output: () => output,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** What `lockstep install` prints. */
async function printed(...flags: string[]): Promise<string> {
  let text = '';
  const io = {
    stdout: (more: string) => {
      text += more;
    },
    stderr: (more: string) => {
      throw new Error(more);
    },
    cwd: projectRoot,
    env: {},
  };
  expect(await runCli(['install', ...flags], io)).toBe(0);
  return text;
}

function account(name: string): Live {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
}

function nameOf({ kind, metadata }: Live): string {
  return `${kind} ${metadata.namespace ?? ''} ${metadata.name}`;
}
