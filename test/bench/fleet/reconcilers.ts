// Owns the reconcilers that the fleet benchmark measures, as child processes: lockstep, and Flux's source-controller and
// kustomize-controller where FLUX_BIN names a folder that holds them.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Dispatcher, request } from 'undici';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { freePorts } from '../../cluster/processes.ts';
import { projectRoot } from '../../support/source-files.ts';

export interface EventLoopDelay {
  /** Milliseconds. */
  readonly p99: number;
  readonly max: number;
}

/** A reconciler that runs. */
export interface Measured {
  readonly name: string;
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
  /** Requests to the API server so far, watches included, by HTTP method. */
  requests(): Promise<ReadonlyMap<string, number>>;
  /** Begins to measure the event-loop delay; the answer ends that. Undefined for programs that have no event loop. */
  measureDelay(): () => Promise<EventLoopDelay | undefined>;
  stop(): Promise<void>;
}

interface Place {
  readonly kubeconfig: string;
  /** A folder for state and logs. */
  readonly dir: string;
  readonly concurrency: number;
  /** A folder for a CPU profile of lockstep; '' for none. */
  readonly profile?: string;
}

const MONITOR = fileURLToPath(new URL('delay-monitor.mjs', import.meta.url));

export async function startLockstep({ kubeconfig, dir, concurrency, profile = '' }: Place): Promise<Measured> {
  const [port = 0] = await freePorts(1);
  const flags = ['--kubeconfig', kubeconfig, '--state', join(dir, 'lockstep'), '--internal-port', String(port)];
  const profiled = profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const node = [...profiled, '--max-semi-space-size=4', '--import', MONITOR, join(projectRoot, 'src', 'bin.mjs')];
  const child = launch(
    process.execPath,
    [...node, 'run', ...flags, '--concurrent', String(concurrency), '--log-level', 'error'],
    join(dir, 'lockstep.log'),
  );
  await answers(`http://127.0.0.1:${port}/readyz`, child, join(dir, 'lockstep.log'));
  return {
    name: 'lockstep',
    processes: [{ name: 'lockstep', pid: child.pid ?? 0 }],
    requests: () => countRequests([port]),
    measureDelay: () => {
      child.send('start');
      return () =>
        new Promise((resolve) => {
          child.once('message', (message) => resolve(message as EventLoopDelay));
          child.send('stop');
        });
    },
    stop: () => end(child),
  };
}

/** What reconcilers are measured on. */
export type Plane = Pick<ControlPlane, 'kubeconfig' | 'processes' | 'stop'>;

/** The embedded API server, for machines without the binaries of a control plane. */
export async function startEmbedded(dir: string): Promise<Plane> {
  const log = join(dir, 'sandbox.log');
  const state = join(dir, 'sandbox');
  const bin = join(projectRoot, 'src', 'bin.mjs');
  const child = launch(process.execPath, ['--max-semi-space-size=4', bin, 'sandbox', '--state', state], log);
  await until(() => readFileSync(log, 'utf8').startsWith('lockstep is up'), child, log);
  const processes = [{ name: 'sandbox', pid: child.pid ?? 0 }];
  return { kubeconfig: join(state, 'kubeconfig'), processes: () => processes, stop: () => end(child) };
}

/** @param bin a folder with `source-controller` and `kustomize-controller`; their definitions are installed already */
export async function startFlux(bin: string, { kubeconfig, dir, concurrency }: Place): Promise<Measured> {
  const [sourceMetrics = 0, sourceHealth = 0, storage = 0, metrics = 0, health = 0] = await freePorts(5);
  const env = { KUBECONFIG: kubeconfig, RUNTIME_NAMESPACE: 'flux-system' };
  const common = ['--watch-all-namespaces', '--log-level=error', `--concurrent=${concurrency}`];
  const start = (name: string, flags: readonly string[]) =>
    launch(join(bin, name), [...common, ...flags], join(dir, `${name}.log`), env);
  const source = start('source-controller', [
    `--metrics-addr=127.0.0.1:${sourceMetrics}`,
    `--health-addr=127.0.0.1:${sourceHealth}`,
    `--storage-path=${dir}`,
    `--storage-addr=127.0.0.1:${storage}`,
    `--storage-adv-addr=127.0.0.1:${storage}`,
  ]);
  await answers(`http://127.0.0.1:${sourceHealth}/readyz`, source, join(dir, 'source-controller.log'));
  const kustomize = start('kustomize-controller', [
    `--metrics-addr=127.0.0.1:${metrics}`,
    `--health-addr=127.0.0.1:${health}`,
  ]);
  await answers(`http://127.0.0.1:${health}/readyz`, kustomize, join(dir, 'kustomize-controller.log'));
  return {
    name: 'flux',
    processes: [
      { name: 'source-controller', pid: source.pid ?? 0 },
      { name: 'kustomize-controller', pid: kustomize.pid ?? 0 },
    ],
    requests: () => countRequests([sourceMetrics, metrics]),
    measureDelay: () => async () => undefined,
    stop: async () => {
      await Promise.all([end(source), end(kustomize)]);
    },
  };
}

function launch(program: string, args: readonly string[], logFile: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(program, args, { stdio: ['ignore', log, log, 'ipc'], env: { ...process.env, ...env } });
  closeSync(log);
  return child;
}

async function answers(url: string, child: ChildProcess, log: string): Promise<void> {
  const isOk = async ({ statusCode, body }: Dispatcher.ResponseData): Promise<boolean> => {
    await body.dump();
    return statusCode === 200;
  };
  await until(() => request(url).then(isOk, () => false), child, log);
}

async function until(isReady: () => boolean | Promise<boolean>, child: ChildProcess, log: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (child.exitCode !== null) break;
    if (await isReady()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`${child.spawnfile} does not get ready: see ${log}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}

/** client-go and lockstep count alike: `rest_client_requests_total{code,host,method}`. */
async function countRequests(ports: readonly number[]): Promise<ReadonlyMap<string, number>> {
  const total = new Map<string, number>();
  for (const port of ports) {
    const { body } = await request(`http://127.0.0.1:${port}/metrics`);
    for (const line of (await body.text()).split('\n')) {
      const [, method, value] = /^rest_client_requests_total\{.*method="([A-Z]+)".*\} (\d+)/.exec(line) ?? [];
      if (method !== undefined) total.set(method, (total.get(method) ?? 0) + Number(value));
    }
  }
  return total;
}
