// Measures a fleet of applications on a real control plane: a bare client, then each reconciler, the same scenarios.
//   node test/bench/fleet.ts [--apps 100] [--objects 5] [--interval 10] [--concurrent 20] [--only cold,idle] [--out FILE]
//     [--files 1000]       so many more files in the repository, of about a kilobyte, which no application reads
//     [--profile FOLDER]   writes a CPU profile of lockstep
//     [--embedded]         on the embedded API server, where the binaries of a control plane cannot be had
// FLUX_BIN names a folder with Flux's source-controller and kustomize-controller: they are measured in the same run.
// Prints a table as it goes, what of it reaches what is asked, and writes a JSON file; asserts nothing.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
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
import { cpuSeconds, residentMiB, transferredMiB } from './fleet/processes.ts';
import { type Measured, type Plane, startEmbedded, startFlux, startLockstep } from './fleet/reconcilers.ts';
import {
  applyFloor,
  prepare,
  REST_MS,
  removeFloor,
  removeSource,
  type Scenario,
  scenarios,
  type World,
} from './fleet/scenarios.ts';
import { checksOf, formatCheck, formatRow, isWholeApply, type Row } from './fleet/table.ts';

const { values } = parseArgs({
  options: {
    apps: { type: 'string', default: '100' },
    objects: { type: 'string', default: '5' },
    files: { type: 'string', default: '0' },
    interval: { type: 'string', default: '10' },
    concurrent: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    profile: { type: 'string', default: '' },
    embedded: { type: 'boolean', default: false },
    out: { type: 'string', default: join(projectRoot, '.cache', 'bench', 'fleet.json') },
  },
});
const wanted = new Set(values.only.split(',').filter((name) => name !== ''));
const interrupted = new AbortController();
const { signal } = interrupted;
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort());

const dir = mkdtempSync(join(tmpdir(), 'lockstep-fleet-'));
const rows: Row[] = [];
/** How to close what was opened, in reverse order. */
const opened: (() => Promise<void>)[] = [];
try {
  await measureAll();
} catch (error) {
  // A terminal sends Ctrl-C to the control plane too, and its end may be seen first.
  await sleep(100);
  if (!signal.aborted) throw error;
  console.error('stopped');
  process.exitCode = 130;
} finally {
  for (const close of opened.reverse()) await close();
  rmSync(dir, { recursive: true, force: true });
}

async function measureAll(): Promise<void> {
  const say = (line: string) => console.error(line);
  const plane = values.embedded ? await startEmbedded(dir) : await startControlPlane({ say, signal });
  opened.push(() => plane.stop());
  const gitServer = await startGitServer({ root: join(dir, 'git') });
  opened.push(() => gitServer.close());
  const world = await openWorld(gitServer, plane.kubeconfig);
  const floor = await measureFloor(world, plane);
  for (const start of reconcilers(plane.kubeconfig)) {
    const measured = await start();
    try {
      for (const scenario of scenarios.filter(isWanted))
        await measureScenario(scenario, world, measured, { plane, floor });
      await removeSource(world);
    } finally {
      await measured.stop();
    }
  }
  const fleet = { apps: world.apps, objects: world.count };
  const checks = checksOf(
    rows.filter(({ reconciler }) => reconciler === 'lockstep'),
    floor,
    fleet,
  );
  for (const check of checks) console.log(formatCheck(check));
  mkdirSync(dirname(values.out), { recursive: true });
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', node: process.version, load: loadavg() };
  writeFileSync(values.out, `${JSON.stringify({ machine, options: values, rows, checks }, null, 2)}\n`);
  console.log(`written to ${values.out}`);
}

/** What is to be removed has to be there: the first and the last scenario are always run. */
function isWanted({ name }: Scenario): boolean {
  return wanted.size === 0 || wanted.has(name) || name === 'cold' || name === 'delete-all';
}

function reconcilers(kubeconfig: string): (() => Promise<Measured>)[] {
  const place = { kubeconfig, dir, concurrency: Number(values.concurrent), profile: values.profile };
  const flux = process.env['FLUX_BIN'];
  return [() => startLockstep(place), ...(flux === undefined ? [] : [() => startFlux(flux, place)])];
}

/** Definitions, namespaces, the repository with its first commit, and copies of what is waited for. */
async function openWorld(gitServer: GitServer, kubeconfig: string): Promise<World> {
  const { url } = await gitServer.createRepository('fleet');
  const work = join(dir, 'work');
  await createWorkTree(work);
  const api = await openApi(kubeconfig);
  opened.push(() => api.close());
  await install(api);
  const mirror = async (collection: string): Promise<Mirror> => {
    const made = await openMirror(kubeconfig, collection, signal);
    opened.push(() => made.close());
    return made;
  };
  const kustomizations = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${FLEET}/kustomizations`;
  const world: World = {
    api,
    apps: Number(values.apps),
    count: Number(values.objects),
    files: Number(values.files),
    intervalSeconds: Number(values.interval),
    url,
    kustomizations: await mirror(kustomizations),
    signal,
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

/** Answers the floor in seconds. */
async function measureFloor(world: World, plane: Plane): Promise<number> {
  console.error('floor');
  const endSpan = startSpan(plane);
  const before = process.cpuUsage();
  await applyFloor(world, plane.kubeconfig);
  const { user, system } = process.cpuUsage(before);
  const measured = endSpan();
  report({
    reconciler: 'bare client',
    scenario: 'floor',
    ...measured,
    cpu: { client: (user + system) / 1e6 },
    requests: { PATCH: world.apps * world.count },
  });
  await removeFloor(world);
  return measured.wall;
}

/** Begins to measure time and what the control plane uses; the answer ends that. */
function startSpan(plane: Plane): () => Pick<Row, 'wall' | 'span' | 'plane'> {
  const cpuOf = () => plane.processes().map(({ name, pid }) => [name, cpuSeconds(pid)] as const);
  const before = new Map(cpuOf());
  const started = process.hrtime.bigint();
  return () => {
    const ended = process.hrtime.bigint();
    return {
      wall: Number(ended - started) / 1e9,
      span: [Number(started / 1000n), Number(ended / 1000n)],
      plane: Object.fromEntries(cpuOf().map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)])),
    };
  };
}

async function measureScenario(
  scenario: Scenario,
  world: World,
  measured: Measured,
  { plane, floor }: { readonly plane: Plane; readonly floor: number },
): Promise<void> {
  if (!scenario.isSequel) await sleep(REST_MS, undefined, { signal });
  console.error(`${measured.name}: ${scenario.name}`);
  const prepared = (await scenario.prepare?.(world)) ?? '';
  const requests = await measured.requests();
  const endDelay = scenario.isIdle ? undefined : measured.measureDelay();
  const before = resourcesOf(measured);
  const endSpan = startSpan(plane);
  await scenario.run(world, prepared);
  const { wall, ...spent } = endSpan();
  const after = resourcesOf(measured);
  const delay = await endDelay?.();
  report({
    reconciler: measured.name,
    scenario: scenario.name,
    wall,
    ...spent,
    ...(isWholeApply(scenario.name) ? { ofFloor: wall / floor } : {}),
    cpu: Object.fromEntries(after.map(({ name, cpu }, at) => [name, cpu - before[at]!.cpu])),
    requests: difference(await measured.requests(), requests),
    bytes: {
      read: sum(after, ({ read }) => read) - sum(before, ({ read }) => read),
      written: sum(after, ({ written }) => written) - sum(before, ({ written }) => written),
    },
    memory: { now: sum(after, ({ now }) => now), peak: sum(after, ({ peak }) => peak) },
    ...(delay === undefined ? {} : { delay }),
  });
}

function resourcesOf({ processes }: Measured) {
  return processes.map(({ name, pid }) => ({
    name,
    cpu: cpuSeconds(pid),
    ...residentMiB(pid),
    ...transferredMiB(pid),
  }));
}

function sum<T>(items: readonly T[], pick: (item: T) => number): number {
  return items.reduce((all, item) => all + pick(item), 0);
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
  console.log(formatRow(row));
}
