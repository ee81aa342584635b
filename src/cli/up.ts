// The commands `up` and `sandbox`: the embedded servers, with or without the reconciler and the demo, until a signal.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { customResourceDefinitions } from '../api/crd.ts';
import { type Reconciler, startReconciler } from '../app.ts';
import { asKubeObject } from '../apply/dry-run.ts';
import type { ClusterAccess } from '../cluster/access.ts';
import { isAlreadyExists } from '../cluster/api-error.ts';
import { DynamicClient } from '../cluster/client.ts';
import { Discovery } from '../cluster/discovery.ts';
import { RestClient } from '../cluster/rest.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Log } from '../lib/log.ts';
import { isManifest, type Manifest } from '../objects/manifest.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLog } from '../runtime/telemetry.ts';
import { hasCommits, writeFirstCommit } from '../sandbox/demo-repository.ts';
import { type GitServer, startGitServer } from '../sandbox/gitserver.ts';
import { type Sandbox, startSandbox } from '../sandbox/server.ts';
import { startStages } from '../sandbox/stages/start-stages.ts';
import { demoDeployment, demoName, demoObjects, demoRepository } from './demo.ts';
import { growHeapSlowly } from './heap.ts';
import { namespaceManifest, rightsManifests } from './install-manifests.ts';
import { type CliIo, environmentProxy } from './io.ts';
import { createLiveLines } from './live-lines.ts';
import { isPortFree } from './ports.ts';
import { beforeEnd, untilEnd } from './signals.ts';
import { openStateDir, type StateDir } from './state-dir.ts';
import { version } from './version.ts';

export interface SandboxOptions {
  readonly state: string;
  readonly apiPort?: number;
  readonly gitPort?: number;
  readonly listen: string;
  readonly ephemeral: boolean;
}

export interface UpOptions extends SandboxOptions {
  readonly httpPort?: number;
  readonly internalPort?: number;
  readonly empty: boolean;
  readonly legacyRevisions: boolean;
  readonly logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug';
}

/** The embedded servers, and how to end them. */
interface Servers {
  readonly state: StateDir;
  readonly sandbox: Sandbox;
  readonly git: GitServer;
  readonly kubeconfigPath: string;
  close(): Promise<void>;
}

/** Embedded API server and Git server only. */
export async function sandbox(options: SandboxOptions, io: CliIo, ending: AbortSignal): Promise<number> {
  const log = createLog({ clock: systemClock, level: 'warn', write: (line) => io.stderr(line) });
  const servers = await startServers(options, io, log);
  io.stdout(`lockstep is up\n${addresses(servers)}`);
  await untilEnd(ending);
  await servers.close();
  return 0;
}

/** Everything in one process. */
export async function up(options: UpOptions, io: CliIo, ending: AbortSignal): Promise<number> {
  growHeapSlowly();
  const log = createLog({ clock: systemClock, level: options.logLevel, write: (line) => io.stderr(line) });
  const servers = await startServers(options, io, log);
  let reconciler: Reconciler | undefined;
  try {
    const access = accessOf(servers.sandbox);
    await beforeEnd(ending, () => installInto(access));
    const remembered = servers.state.remembered;
    reconciler = await startReconciler({
      access,
      stateDir: join(servers.state.folder, 'data'),
      clock: systemClock,
      random: Math.random,
      log,
      version,
      internalPort: options.internalPort ?? (await usable(remembered.internalPort, options.listen)),
      httpPort: options.httpPort ?? (await usable(remembered.httpPort, options.listen)),
      listen: options.listen,
      legacyRevisions: options.legacyRevisions,
      environmentProxy: environmentProxy(io.env),
      onEvent: createLiveLines((line) => io.stdout(line), timeOfDay),
    });
    servers.state.remember({ httpPort: portOf(reconciler.httpUrl), internalPort: portOf(reconciler.internalUrl) });
    if (!options.empty) await beforeEnd(ending, () => setUpDemo(servers, access));
    ending.throwIfAborted();
    io.stdout(`lockstep is up\n${addresses(servers)}${options.empty ? '' : nextSteps(servers)}`);
    await untilEnd(ending, reconciler.lost);
    return 0;
  } catch (error) {
    if (ending.aborted) return 0;
    throw error;
  } finally {
    await reconciler?.stop();
    await servers.close();
  }
}

async function startServers(options: SandboxOptions, io: CliIo, log: Log): Promise<Servers> {
  const folder = options.ephemeral ? mkdtempSync(join(tmpdir(), 'lockstep-')) : resolve(io.cwd, options.state);
  const state = openStateDir(folder);
  const end: (() => Promise<void> | void)[] = [
    () => state.release(),
    () => {
      if (options.ephemeral) rmSync(folder, { recursive: true, force: true });
    },
  ];
  const close = async (): Promise<void> => {
    for (const step of end.splice(0)) await step();
  };
  try {
    const { apiPort, gitPort } = state.remembered;
    const api = await startSandbox({
      stateDir: join(folder, 'api'),
      port: options.apiPort ?? (await usable(apiPort, options.listen)),
      listen: options.listen,
      clock: systemClock,
      onBug: (error) => log.error('bug in the embedded API server', { error }),
    });
    end.unshift(() => api.close());
    const stages = startStages(api.store, { clock: systemClock, log });
    end.unshift(() => stages.close());
    const git = await startGitServer({
      root: join(folder, 'git'),
      port: options.gitPort ?? (await usable(gitPort, options.listen)),
      listen: options.listen,
    });
    end.unshift(() => git.close());
    state.remember({ apiPort: portOf(api.url), gitPort: git.port });
    const kubeconfigPath = join(folder, 'kubeconfig');
    writeFileSync(kubeconfigPath, api.kubeconfig(), { mode: 0o600 });
    return { state, sandbox: api, git, kubeconfigPath, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The port of the first start, when nobody else has taken it since; else a free one. */
async function usable(port: number | undefined, listen: string): Promise<number> {
  return port !== undefined && (await isPortFree(port, listen)) ? port : 0;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function accessOf(api: Sandbox): ClusterAccess {
  return { server: api.url, tls: { ca: api.caPem }, authorization: () => `Bearer ${api.token}` };
}

async function withClient<T>(access: ClusterAccess, run: (client: DynamicClient) => Promise<T>): Promise<T> {
  const rest = new RestClient(access, { clock: systemClock, random: Math.random, userAgent: `lockstep/${version}` });
  try {
    return await run(new DynamicClient(rest, new Discovery(rest, { clock: systemClock })));
  } finally {
    await rest.close();
  }
}

/** Applies the CRDs, the ServiceAccount and its rights, as on a real cluster. */
async function installInto(access: ClusterAccess): Promise<void> {
  const objects = [...customResourceDefinitions(), namespaceManifest(), ...rightsManifests('cluster-admin')];
  await withClient(access, async (client) => {
    for (const object of objects) {
      await client.apply(asKubeObject(toManifest(object)), { fieldManager: 'lockstep-install', force: true });
    }
  });
}

/** The lesson's repository and objects, once: what the user deletes of them stays deleted. */
async function setUpDemo(servers: Servers, access: ClusterAccess): Promise<void> {
  if (servers.state.remembered.demo === true) return;
  const repository = await servers.git.createRepository(demoRepository);
  if (!(await hasCommits(repository.dir))) {
    await writeFirstCommit(repository.dir, {
      message: 'Add the deployment\n',
      files: { 'deployment.yaml': demoDeployment },
      seconds: Math.floor(systemClock.now() / 1000),
    });
  }
  await withClient(access, async (client) => {
    for (const object of demoObjects(repository.url)) {
      try {
        await client.create(asKubeObject(toManifest(object)), { fieldManager: 'lockstep-demo' });
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
    }
  });
  servers.state.remember({ demo: true });
}

function toManifest(object: JsonObject): Manifest {
  if (!isManifest(object)) throw new Error('an object of our own is no manifest');
  return object;
}

function addresses(servers: Servers): string {
  return [
    '',
    `  export KUBECONFIG=${servers.kubeconfigPath}`,
    `  API server   ${servers.sandbox.url}`,
    `  Git server   ${servers.git.url}/NAME.git`,
    '',
  ].join('\n');
}

function nextSteps(servers: Servers): string {
  const clone = `${servers.git.url}/${demoRepository}.git`;
  return [
    '',
    `The demo deploys ${clone}. In another terminal:`,
    '',
    `  export KUBECONFIG=${servers.kubeconfigPath}`,
    '  kubectl get gitrepository,kustomization,deployment',
    `  git clone ${clone} && cd ${demoRepository}`,
    "  sed -i 's/:latest/:v1/' deployment.yaml && git commit -am 'Deploy v1' && git push",
    `  kubectl get deployment ${demoName} -w`,
    '',
    'A line follows for each reconcile that does something. Ctrl-C stops everything; the state is kept.',
    '',
    '',
  ].join('\n');
}

function timeOfDay(): string {
  return new Date(systemClock.now()).toISOString().slice(11, 19);
}
