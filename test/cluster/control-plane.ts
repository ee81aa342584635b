// Owns a real control plane on loopback: etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok with
// three fake nodes, each with its data in one private folder. It runs no test.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Api, connect } from '../support/api.ts';
import { toolPath } from './build.ts';
import { freePorts, type Running, startProcess } from './processes.ts';
import { noteRun, sweepStale } from './stale.ts';

export interface ControlPlane {
  /** The path of an admin kubeconfig (JSON, mode 0600), in `dir`. */
  readonly kubeconfig: string;
  readonly url: string;
  /** Holds every process's data and log; removed by `stop`. */
  readonly dir: string;
  /** The processes that run, by name. */
  processes(): readonly { readonly name: string; readonly pid: number }[];
  /** Kills the API server at once, as a node that loses power does. The rest of the control plane stays. */
  killApiServer(): Promise<void>;
  /** Starts the API server again, on the same port and data; resolves when it is ready. */
  startApiServer(): Promise<void>;
  /** Ends every process and removes the data. May be called twice. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const PREFIX = 'lockstep-cluster-';
const NODES = ['node-0', 'node-1', 'node-2'];
/** Its volumes are made up by kwok.yaml. */
const STORAGE_CLASS = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'lockstep.dev/sandbox',
};
const READY_TIMEOUT_MS = 120_000;
/** How often the control plane is started when a program of it ends early. */
const ATTEMPTS = 5;
const here = dirname(fileURLToPath(import.meta.url));

type Tools = Readonly<
  Record<'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok', string>
>;

/** Starts the control plane and waits until pods can run. Builds the binaries first where they are missing. */
export async function startControlPlane(options: StartOptions = {}): Promise<ControlPlane> {
  const say = options.say ?? (() => {});
  const tools: Tools = {
    etcd: await toolPath('etcd', say),
    'kube-apiserver': await toolPath('kube-apiserver', say),
    'kube-controller-manager': await toolPath('kube-controller-manager', say),
    'kube-scheduler': await toolPath('kube-scheduler', say),
    kwok: await toolPath('kwok', say),
  };
  await sweepStale(tmpdir(), PREFIX);
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(tools, options.signal);
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof EndedEarly)) throw error;
      say(`${error.message}\nstarting everything afresh`);
    }
  }
}

/**
 * A program ended before everything ran. Chance has that done: a port that was free is taken by someone else before ours
 * binds it, and kwok 0.8.0 panicked once while it prepared its metrics. Whoever starts them may start afresh.
 */
class EndedEarly extends Error {}

async function startOnce(tools: Tools, signal: AbortSignal | undefined): Promise<ControlPlane> {
  const dir = await mkdtemp(join(tmpdir(), PREFIX));
  const running: Running[] = [];
  const stop = async () => {
    for (const process of running.reverse()) await process.stop();
    await rm(dir, { recursive: true, force: true });
  };
  const start = async (name: keyof Tools, args: readonly string[]) => {
    const started = startProcess(name, tools[name], args, join(dir, `${name}.log`));
    running.push(started);
    await noteRun(
      dir,
      running.map(({ pid }) => pid),
    );
    return started;
  };
  try {
    const [etcdPort = 0, peerPort = 0, apiPort = 0, kubeletPort = 0] = await freePorts(4);
    const token = await writeCredentials(dir);
    await start('etcd', etcdFlags(dir, etcdPort, peerPort));
    const startApiServer = () => start('kube-apiserver', apiServerFlags(dir, etcdPort, apiPort));
    let apiServer = await startApiServer();
    const url = `https://127.0.0.1:${apiPort}`;
    const until = waiter(running, signal);
    const certificate = join(dir, 'apiserver.crt');
    const ca = await until('the API server has a certificate', () => readFile(certificate, 'utf8').catch(() => ''));
    const kubeconfig = join(dir, 'kubeconfig');
    await writeFile(kubeconfig, formatKubeconfig(url, ca, token), { mode: 0o600 });
    const api = connect(url, { ca, token });
    await until('the API server is ready', () => answersWith(200, api, '/readyz'));
    await start('kube-controller-manager', controllerManagerFlags(dir, kubeconfig));
    await start('kube-scheduler', schedulerFlags(kubeconfig));
    await start('kwok', kwokFlags(dir, kubeconfig, kubeletPort));
    for (const name of NODES) await api.call('POST', '/api/v1/nodes', { body: fakeNode(name) });
    for (const name of NODES) await until(`${name} is ready`, () => admitPods(api, name));
    await api.call('POST', '/apis/storage.k8s.io/v1/storageclasses', { body: STORAGE_CLASS });
    const account = '/api/v1/namespaces/default/serviceaccounts/default';
    await until('the default service account exists', () => answersWith(200, api, account));
    await api.close();
    return {
      kubeconfig,
      url,
      dir,
      processes: () => running.map(({ name, pid }) => ({ name, pid })),
      killApiServer: async () => {
        await apiServer.kill();
        running.splice(running.indexOf(apiServer), 1);
      },
      startApiServer: async () => {
        apiServer = await startApiServer();
        const again = connect(url, { ca, token });
        await waiter(running, signal)('the API server is ready again', () => answersWith(200, again, '/readyz'));
        await again.close();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function etcdFlags(dir: string, port: number, peerPort: number): string[] {
  return [
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${port}`,
    `--advertise-client-urls=http://127.0.0.1:${port}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    '--initial-cluster=default=http://127.0.0.1:' + peerPort,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
    // The data is thrown away at the end, so nothing needs to survive a power cut.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiServerFlags(dir: string, etcdPort: number, port: number): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${dir}`,
    // A /24 runs out at 256 Services.
    '--service-cluster-ip-range=10.96.0.0/16',
    '--endpoint-reconciler-type=none',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${join(dir, 'service-account.pub')}`,
    `--service-account-signing-key-file=${join(dir, 'service-account.key')}`,
    `--token-auth-file=${join(dir, 'tokens.csv')}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    '--kubelet-preferred-address-types=InternalIP',
  ];
}

function controllerManagerFlags(dir: string, kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--service-account-private-key-file=${join(dir, 'service-account.key')}`,
    `--root-ca-file=${join(dir, 'apiserver.crt')}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    // Fake nodes are never ill; a machine under load must not make them look so.
    '--controllers=*,-node-lifecycle-controller,-node-ipam-controller',
  ];
}

function schedulerFlags(kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
  ];
}

function kwokFlags(dir: string, kubeconfig: string, kubeletPort: number): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--config=${join(here, 'kwok.yaml')}`,
    '--manage-all-nodes=true',
    '--cidr=10.244.0.0/16',
    '--node-ip=127.0.0.1',
    `--node-port=${kubeletPort}`,
    `--server-address=127.0.0.1:${kubeletPort}`,
    `--tls-cert-file=${join(dir, 'apiserver.crt')}`,
    `--tls-private-key-file=${join(dir, 'apiserver.key')}`,
  ];
}

/** Writes the keys that sign service account tokens, and the file of static tokens. Returns the admin's. */
async function writeCredentials(dir: string): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  await writeFile(join(dir, 'service-account.pub'), publicKey, { mode: 0o600 });
  await writeFile(join(dir, 'service-account.key'), privateKey, { mode: 0o600 });
  const token = randomBytes(24).toString('hex');
  await writeFile(join(dir, 'tokens.csv'), `${token},kubernetes-admin,admin,"system:masters"\n`, { mode: 0o600 });
  return token;
}

function formatKubeconfig(server: string, ca: string, token: string): string {
  const name = 'lockstep-test';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}

/** False, too, while nobody listens yet. */
async function answersWith(status: number, api: Api, path: string): Promise<boolean> {
  return await api.call('GET', path).then(
    (answer) => answer.status === status,
    () => false,
  );
}

function fakeNode(name: string): object {
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } };
}

/** A new node is tainted by admission until something calls it ready; with no node lifecycle controller, this does. */
async function admitPods(api: Api, name: string): Promise<boolean> {
  const node = (await api.call('GET', `/api/v1/nodes/${name}`)).body as {
    status?: { conditions?: { type: string; status: string }[] };
  };
  if (!node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) return false;
  return (await api.call('PATCH', `/api/v1/nodes/${name}`, { body: { spec: { taints: null } } })).status === 200;
}

/** Polls until a value is truthy; fails with the log of whichever process ended meanwhile. */
function waiter(running: readonly Running[], signal: AbortSignal | undefined) {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  return async <T>(what: string, look: () => Promise<T>): Promise<T> => {
    for (;;) {
      signal?.throwIfAborted();
      for (const process of running) {
        const end = process.ended();
        if (end === undefined) continue;
        throw new EndedEarly(`${process.name} ended (${end}) before ${what}:\n${process.tail()}`);
      }
      const value = await look();
      if (value) return value;
      if (Date.now() > deadline) {
        const tails = running.map(({ name, tail }) => `--- ${name}\n${tail()}`).join('\n');
        throw new Error(`gave up waiting until ${what}\n${tails}`);
      }
      await sleep(50, undefined, signal === undefined ? {} : { signal });
    }
  };
}
