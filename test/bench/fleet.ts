// Measures a fleet of applications on a real control plane: a bare client, then each reconciler, the same scenarios.
//   node test/bench/fleet.ts [--apps 100] [--objects 5] [--interval 10] [--concurrent 20] [--out FILE]
// FLUX_BIN names a folder with Flux's source-controller and kustomize-controller: they are measured in the same run.
// Prints a table as it goes and writes a JSON file; asserts nothing.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type GitServer, startGitServer } from '../../src/sandbox/gitserver.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { openApi } from '../support/api.ts';
import { createWorkTree, git, writeFiles } from '../support/git.ts';
import { install } from '../support/reconciler.ts';
import { projectRoot } from '../support/source-files.ts';
import { type Mirror, openMirror } from './fleet/mirror.ts';
import { APPS, FLEET } from './fleet/objects.ts';
import { cpuSeconds, residentMiB } from './fleet/processes.ts';
import { type EventLoopDelay, type Measured, startFlux, startLockstep } from './fleet/reconcilers.ts';
import { applyFloor, prepare, removeFloor, removeSource, scenarios, type World } from './fleet/scenarios.ts';

/** One measured scenario. Seconds, MiB, milliseconds. */
interface Row {
  readonly reconciler: string;
  readonly scenario: string;
  readonly wall: number;
  /** By process. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Requests to the API server by method. */
  readonly requests: Readonly<Record<string, number>>;
  readonly memory?: { readonly now: number; readonly peak: number };
  readonly delay?: EventLoopDelay;
}

const { values } = parseArgs({
  options: {
    apps: { type: 'string', default: '100' },
    objects: { type: 'string', default: '5' },
    interval: { type: 'string', default: '10' },
    concurrent: { type: 'string', default: '20' },
    out: { type: 'string', default: join(projectRoot, '.cache', 'bench', 'fleet.json') },
  },
});
/** Between scenarios: events of the one before are written, and the machine is quiet. */
const SETTLE_MS = 3000;
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());

const dir = mkdtempSync(join(tmpdir(), 'lockstep-fleet-'));
const plane = await startControlPlane({ say: (line) => console.error(line), signal: interrupted.signal });
const rows: Row[] = [];
/** How to close what was opened, in that order. */
const opened: (() => Promise<void>)[] = [];
try {
  const gitServer = await startGitServer({ root: join(dir, 'git') });
  opened.push(() => gitServer.close());
  const world = await openWorld(gitServer);
  await measureFloor(world);
  for (const start of reconcilers()) {
    const measured = await start();
    try {
      await measureScenarios(world, measured);
      await removeSource(world);
    } finally {
      await measured.stop();
    }
  }
  mkdirSync(dirname(values.out), { recursive: true });
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', node: process.version };
  writeFileSync(values.out, `${JSON.stringify({ machine, options: values, rows }, null, 2)}\n`);
  console.log(`written to ${values.out}`);
} finally {
  for (const close of opened.reverse()) await close();
  await plane.stop();
  rmSync(dir, { recursive: true, force: true });
}

function reconcilers(): (() => Promise<Measured>)[] {
  const place = { kubeconfig: plane.kubeconfig, dir, concurrency: Number(values.concurrent) };
  const flux = process.env['FLUX_BIN'];
  return [() => startLockstep(place), ...(flux === undefined ? [] : [() => startFlux(flux, place)])];
}

/** Definitions, namespaces, the repository with its first commit, and copies of what is waited for. */
async function openWorld(gitServer: GitServer): Promise<World> {
  const { kubeconfig } = plane;
  const { url } = await gitServer.createRepository('fleet');
  const work = join(dir, 'work');
  await createWorkTree(work);
  const api = await openApi(kubeconfig);
  opened.push(() => api.close());
  await install(api);
  const mirror = async (collection: string): Promise<Mirror> => {
    const made = await openMirror(kubeconfig, collection);
    opened.push(() => made.close());
    return made;
  };
  const kustomizations = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${FLEET}/kustomizations`;
  const world: World = {
    api,
    apps: Number(values.apps),
    count: Number(values.objects),
    intervalSeconds: Number(values.interval),
    url,
    kustomizations: await mirror(kustomizations),
    deployments: await mirror(`/apis/apps/v1/namespaces/${APPS}/deployments`),
    commit: async (files) => {
      writeFiles(work, files);
      await git(work, 'add', '-A');
      await git(work, 'commit', '--quiet', '--allow-empty', '-m', 'Change');
      await git(work, 'push', '--quiet', url, 'HEAD:main');
      return git(work, 'rev-parse', 'HEAD');
    },
  };
  await prepare(world);
  return world;
}

async function measureFloor(world: World): Promise<void> {
  const started = performance.now();
  const before = process.cpuUsage();
  await applyFloor(world, plane.kubeconfig);
  const { user, system } = process.cpuUsage(before);
  report({
    reconciler: 'bare client',
    scenario: 'floor',
    wall: (performance.now() - started) / 1000,
    cpu: { client: (user + system) / 1e6 },
    requests: { PATCH: world.apps * world.count },
  });
  await removeFloor(world);
}

async function measureScenarios(world: World, measured: Measured): Promise<void> {
  for (const scenario of scenarios) {
    interrupted.signal.throwIfAborted();
    await sleep(SETTLE_MS);
    const cpu = measured.processes.map(({ pid }) => cpuSeconds(pid));
    const requests = await measured.requests();
    await measured.delay();
    const started = performance.now();
    await scenario.run(world);
    const wall = (performance.now() - started) / 1000;
    const delay = await measured.delay();
    const memory = measured.processes.map(({ pid }) => residentMiB(pid));
    const sum = (pick: (of: { now: number; peak: number }) => number) => memory.reduce((all, of) => all + pick(of), 0);
    report({
      reconciler: measured.name,
      scenario: scenario.name,
      wall,
      cpu: Object.fromEntries(measured.processes.map(({ name, pid }, at) => [name, cpuSeconds(pid) - (cpu[at] ?? 0)])),
      requests: difference(await measured.requests(), requests),
      memory: { now: sum(({ now }) => now), peak: sum(({ peak }) => peak) },
      ...(delay === undefined ? {} : { delay }),
    });
  }
}

function difference(
  after: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  const rest = [...after].map(([method, count]) => [method, count - (before.get(method) ?? 0)] as const);
  return Object.fromEntries(rest.filter(([, count]) => count > 0));
}

function report(row: Row): void {
  rows.push(row);
  const cpu = Object.entries(row.cpu).map(([name, seconds]) => `${name} ${seconds.toFixed(2)}`);
  const requests = Object.entries(row.requests).map(([method, count]) => `${method} ${count}`);
  const cells = [
    row.reconciler.padEnd(12),
    row.scenario.padEnd(16),
    `${row.wall.toFixed(2)} s`.padStart(9),
    `${cpu.join(', ')} CPU-s`,
    requests.join(' ') || 'no requests',
    row.memory === undefined ? '' : `${row.memory.now.toFixed(0)} MiB, peak ${row.memory.peak.toFixed(0)}`,
    row.delay === undefined ? '' : `delay p99 ${row.delay.p99.toFixed(0)}, max ${row.delay.max.toFixed(0)} ms`,
  ];
  console.log(cells.filter((cell) => cell !== '').join(' | '));
}
