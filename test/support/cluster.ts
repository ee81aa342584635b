// Owns the clusters that suites run on: the embedded API server always, a real kube-apiserver under `npm run
// test:cluster`, and a user's own by TEST_KUBECONFIG (never the current context). One list of named skips.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { silentLog } from '../../src/lib/log.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { startSandbox } from '../../src/sandbox/server.ts';
import { startStages } from '../../src/sandbox/stages/start-stages.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { type Api, openApi } from './api.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';

export type ClusterName = 'sandbox' | 'kube-apiserver' | 'existing';

/** A cluster that a suite may start. */
export interface ClusterChoice {
  readonly name: ClusterName;
  start(): Promise<RunningCluster>;
}

export interface RunningCluster {
  readonly name: ClusterName;
  /** The path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

/** Tests that cannot run on a cluster, each with the reason. It should shrink. */
const skips: readonly { readonly cluster: ClusterName; readonly test: RegExp; readonly reason: string }[] = [
  {
    cluster: 'existing',
    test: /\.session$/,
    reason: 'the sessions look at fake pods: images that are made up run, fail or cannot be pulled by their name',
  },
  {
    cluster: 'existing',
    test: /^ends with an available Deployment/,
    reason: 'the image is not published, and an installation that is there already must not be replaced',
  },
];

/** The clusters of this run: `for (const cluster of clusters) describe(cluster.name, …)`. */
export const clusters: readonly ClusterChoice[] = [
  // LOCKSTEP_ONLY_REAL: the embedded server has had its turn in `npm test`.
  ...(process.env['LOCKSTEP_ONLY_REAL'] ? [] : [{ name: 'sandbox' as const, start: startEmbedded }]),
  ...realClusters(process.env),
];

function realClusters(env: NodeJS.ProcessEnv): ClusterChoice[] {
  const running = env['LOCKSTEP_TEST_CLUSTER'];
  const own = env['TEST_KUBECONFIG'];
  const given = (name: ClusterName, kubeconfig: string): ClusterChoice => {
    return { name, start: async () => ({ name, kubeconfig, stop: async () => {} }) };
  };
  if (own) return [given('existing', own)];
  if (running) return [given('kube-apiserver', running)];
  return env['KUBEBUILDER_ASSETS'] ? [{ name: 'kube-apiserver', start: startReal }] : [];
}

/** Starts an embedded API server with its workload stages. */
export async function startEmbedded(): Promise<RunningCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'lockstep-sandbox-'));
  const sandbox = await startSandbox({
    onBug: (error) => {
      throw error;
    },
  });
  const stages = startStages(sandbox.store, { clock: systemClock, log: silentLog });
  const kubeconfig = join(dir, 'kubeconfig');
  await writeFile(kubeconfig, sandbox.kubeconfig(), { mode: 0o600 });
  return {
    name: 'sandbox',
    kubeconfig,
    async stop() {
      stages.close();
      await sandbox.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function startReal(): Promise<RunningCluster> {
  const { kubeconfig, stop } = await startControlPlane();
  return { name: 'kube-apiserver', kubeconfig, stop };
}

/** What a test of a suite sees of its cluster. Everything but `namespace` and `kubectl` is shared by the file. */
export interface ClusterUse {
  readonly name: ClusterName;
  readonly kubeconfig: string;
  /** Plain HTTP as an administrator. */
  readonly admin: Api;
  /** The namespace of this test, made before it and deleted after it. */
  readonly namespace: string;
  /** kubectl as an administrator in this test's namespace. Running it throws where there is none that is new enough. */
  readonly kubectl: Kubectl;
}

/** Starts the cluster for the suite around it, and gives each test a namespace of its own. Read it inside tests only. */
export function useCluster(choice: ClusterChoice): ClusterUse {
  let cluster: RunningCluster | undefined;
  let admin: Api | undefined;
  let namespace: string | undefined;
  let kubectl: Kubectl | undefined;

  beforeAll(async () => {
    cluster = await choice.start();
    admin = await openApi(cluster.kubeconfig);
  });
  afterAll(async () => {
    await admin?.close();
    await cluster?.stop();
  });
  beforeEach(async (context) => {
    const skip = skips.find(({ cluster: on, test }) => on === choice.name && test.test(context.task.name));
    if (skip !== undefined) context.skip(`not on ${skip.cluster}: ${skip.reason}`);
    namespace = `test-${randomBytes(5).toString('hex')}`;
    await makeNamespace(need(admin), { name: namespace, labels: { 'lockstep.dev/test': '' } });
    kubectl = await createKubectl(need(cluster).kubeconfig, namespace);
  });
  afterEach(async () => {
    await kubectl?.close();
    if (namespace !== undefined) await admin?.call('DELETE', `/api/v1/namespaces/${namespace}`);
    namespace = undefined;
    kubectl = undefined;
  });

  return {
    name: choice.name,
    get kubeconfig() {
      return need(cluster).kubeconfig;
    },
    get admin() {
      return need(admin);
    },
    get namespace() {
      return need(namespace);
    },
    get kubectl() {
      return need(kubectl);
    },
  };
}

/** What the controllers give to every namespace: pods are refused without the account, lists show the ConfigMap. */
const GIVEN = ['serviceaccounts/default', 'configmaps/kube-root-ca.crt'];
const GIVEN_DEADLINE_MS = 60_000;
const GIVEN_LOOK_MS = 20;

/** Makes a namespace, and waits until it has what every one is given. */
export async function makeNamespace(admin: Api, metadata: { readonly name: string; readonly labels?: object }) {
  const path = '/api/v1/namespaces';
  const made = await admin.call('POST', path, { body: { apiVersion: 'v1', kind: 'Namespace', metadata } });
  if (made.status !== 201) throw new Error(`namespace ${metadata.name}: ${JSON.stringify(made.body)}`);
  const end = performance.now() + GIVEN_DEADLINE_MS;
  for (const given of GIVEN) {
    while ((await admin.call('GET', `${path}/${metadata.name}/${given}`)).status !== 200) {
      if (performance.now() > end) throw new Error(`namespace ${metadata.name}: no ${given} yet`);
      await systemClock.sleep(GIVEN_LOOK_MS);
    }
  }
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a cluster is there only while a test runs');
  return value;
}
