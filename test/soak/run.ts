// Soaks a reconciler: for some minutes a fleet of applications is pushed to, drifts, is deleted and made again, while its
// API server fails now and then. The minutes are those of the rounds, once everything is deployed. After each round the
// world must equal Git; in the end memory must have stayed flat and nothing be left over of handles, sockets, watches,
// descriptors and disk.
//   npm run soak -- [--apps 1000] [--minutes 30] [--seed N] [--server real|embedded] [--log FILE]
// `--log` keeps what the reconciler logs, debug lines included. The seed chooses what is done, and in which order; what
// meets what in time is the machine's.
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readKubeconfig } from '../../src/cluster/kubeconfig.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { startGitServer } from '../../src/sandbox/gitserver.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { openApi } from '../support/api.ts';
import { startEmbedded } from '../support/cluster.ts';
import { type FaultyApi, startFaultyApi } from '../support/fault-api.ts';
import { passingFaults } from '../support/fault-points.ts';
import { install } from '../support/reconciler.ts';
import { createChoices } from '../support/seeded-choices.ts';
import { type Change, planRound } from './plan.ts';
import { type SoakedProcess, startSoaked } from './process.ts';
import { type Disk, growths, leftOver, type Measurements, measure, type Sample, sizeOf } from './samples.ts';
import { openWorld, type SoakWorld } from './world.ts';

const { values } = parseArgs({
  options: {
    apps: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    server: { type: 'string', default: 'real' },
    log: { type: 'string' },
  },
});
const apps = Number(values.apps);
const seed = Number(values.seed);
const runMs = Number(values.minutes) * 60_000;
if (!(apps > 0 && runMs > 0)) throw new Error('--apps and --minutes take numbers above 0');
if (!['real', 'embedded'].includes(values.server)) throw new Error('--server takes real or embedded');

/** The first part of the time: caches and histories fill, code is compiled. */
const WARM_UP = 1 / 3;
/**
 * Commits that are fetched one by one before the first round. A store of Git objects takes in a pack with each, and makes
 * one of them when there are too many: the disk must have been as full as it ever gets before it can be said to grow.
 */
const FIRST_PUSHES = 40;
const FIRST_TOUCHED = 0.3;
/** Revisions that a Kustomization remembers in its status: caches have their size when each has so many. */
const REVISIONS = 5;
/** A machine too slow for so many rounds gets more time: fewer samples say nothing. */
const FEWEST_WARM_UP = 3;
const FEWEST_STEADY = 5;
const MOST_TIME = 2;
/** Until the world equals Git after the last change of a round; a hung request alone takes half a minute. */
const CONVERGE_MS = 180_000;
/** Faults end by then, if they are not used up. */
const CALM_AFTER_MS = 10_000;
const LOOK_MS = 500;
/** A look at a large fleet is work for the API server: between two it is left alone for so many times as long. */
const LOOK_PAUSES = 5;
/** Between a world that equals Git and a sample: events are written, and connections of a burst close. */
const REST_MS = 1_500;
/** Until what the last round used is given back: connections are kept for some seconds, old archives for a minute. */
const GIVE_BACK_MS = 120_000;

const everyApp = Array.from({ length: apps }, (_, index) => index);
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
const { signal } = interrupted;

console.log(`soak: ${apps} applications, ${values.minutes} minutes, ${values.server} API server, --seed ${seed}`);
const failures = await soak().catch((error: unknown) => [
  error instanceof Error ? (error.stack ?? error.message) : String(error),
]);
for (const failure of failures) console.error(` FAIL  soak --seed ${seed}: ${failure}`);
console.log(failures.length === 0 ? ' Tests  1 passed (1)' : ' Tests  1 failed (1)');
process.exit(failures.length === 0 ? 0 : 1);

/** Answers what went wrong. */
async function soak(): Promise<readonly string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'lockstep-soak-'));
  /** How to close what was opened, the last one first. */
  const opened: (() => Promise<void>)[] = [];
  try {
    const cluster = values.server === 'real' ? await startControlPlane({ signal }) : await startEmbedded();
    opened.push(() => cluster.stop());
    const api = await openApi(cluster.kubeconfig);
    opened.push(() => api.close());
    await install(api);
    const git = await startGitServer({ root: join(dir, 'git') });
    opened.push(() => git.close());
    const road = await startFaultyApi(await readKubeconfig(cluster.kubeconfig, { clock: systemClock }));
    opened.push(() => road.close());
    const soaked = await startSoaked(road.access, dir, values.log === undefined ? 'error' : 'debug');
    opened.push(async () => {
      await soaked.stop();
      for (const line of errorsOf(soaked).slice(0, 5)) console.error(line);
      if (values.log !== undefined) writeFileSync(values.log, soaked.output());
    });
    const world = await openWorld({ api, road, git, dir, apps, interval: `${Math.max(10, Math.ceil(apps / 20))}s` });
    const measurements = await goOn(world, soaked, road);
    const errors = errorsOf(soaked);
    return [...judge(measurements), ...(errors.length === 0 ? [] : [`${errors.length} errors were logged`])];
  } finally {
    for (const close of opened.reverse()) await close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What is the reconciler's own fault by its own words. */
function errorsOf({ output }: SoakedProcess): readonly string[] {
  return output()
    .split('\n')
    .filter((line) => line.includes('"level":"error"'));
}

/** Round after round until the time is over. */
async function goOn(world: SoakWorld, soaked: SoakedProcess, road: FaultyApi): Promise<Measurements> {
  const begun = performance.now();
  let fullest = await fill(world, soaked);
  await deploy(world);
  // The time is that of the rounds: a slow machine takes as long to deploy as another one soaks.
  const started = performance.now();
  console.log(`deployed after ${seconds(started - begun)}`);
  const take = async (): Promise<Sample> => {
    const held = await soaked.held();
    return { atMs: performance.now() - started, ...measure(soaked.pid, soaked.stateDir, held, road.watches()) };
  };
  const warmUp: Sample[] = [];
  const steady: Sample[] = [];
  const isOver = (atMs: number) => atMs > runMs * MOST_TIME || (atMs > runMs && steady.length >= FEWEST_STEADY);
  for (let round = 1; !isOver(performance.now() - started); round += 1) {
    const choices = createChoices(seed * 1_000_003 + round);
    const changes = planRound({ apps, round, faults: passingFaults.length, deleted: world.deleted }, choices);
    for (const change of changes) {
      signal.throwIfAborted();
      await world.change(change, choices);
    }
    await converged(world, `after round ${round}: ${changes.map(describeChange).join(', ')}`);
    await sleep(REST_MS, undefined, { signal });
    const sample = await take();
    if (warmUp.length < FEWEST_WARM_UP || sample.atMs < runMs * WARM_UP) {
      warmUp.push(sample);
      fullest = fuller(fullest, sample.disk);
    } else steady.push(sample);
    console.log(describe(round, sample));
  }
  if (steady.length < FEWEST_STEADY) throw new Error(`only ${steady.length} rounds after the warm-up: no verdict`);
  return { warmUp, fullest, steady, last: await givenBack({ warmUp, fullest }, take) };
}

/** Brings the disk to where it is fullest. Nothing is deployed yet: it would only take longer. */
async function fill(world: SoakWorld, { stateDir }: SoakedProcess): Promise<Disk> {
  const touched = everyApp.slice(0, Math.ceil(apps * FIRST_TOUCHED));
  let fullest = sizeOf(stateDir);
  for (let left = FIRST_PUSHES; left > 0; left -= 1) {
    signal.throwIfAborted();
    await world.pushAndFetch(touched, `first-${left}`);
    fullest = fuller(fullest, sizeOf(stateDir));
  }
  console.log(`filled: ${describeDisk(fullest)}`);
  return fullest;
}

/** Makes all Kustomizations, and gives each of them as many revisions as it remembers. */
async function deploy(world: SoakWorld): Promise<void> {
  await world.change({ do: 'create', apps: world.deleted }, createChoices(seed));
  await converged(world, 'after the first revision');
  for (let revision = 2; revision <= REVISIONS; revision += 1) {
    await world.pushAndFetch(everyApp, `revision-${revision}`);
    await converged(world, `after revision ${revision}`);
  }
}

function fuller(one: Disk, other: Disk): Disk {
  return { bytes: Math.max(one.bytes, other.bytes), files: Math.max(one.files, other.files) };
}

/** Waits until the world equals Git. Faults end with that, or after a while. */
async function converged(world: SoakWorld, when: string): Promise<void> {
  const begin = performance.now();
  let lookMs = 0;
  for (;;) {
    signal.throwIfAborted();
    await sleep(Math.max(LOOK_MS, LOOK_PAUSES * lookMs), undefined, { signal });
    const took = performance.now() - begin;
    if (took > CALM_AFTER_MS) world.calm();
    const differences = await world.differences();
    lookMs = performance.now() - begin - took;
    if (differences.length === 0) return world.calm();
    if (took > CONVERGE_MS) {
      const shown = differences.slice(0, 5).join('\n');
      throw new Error(`${when}: ${differences.length} differences from Git after ${CONVERGE_MS} ms\n${shown}`);
    }
  }
}

/** The last sample: taken again until nothing is left over, or for long enough. */
async function givenBack(
  before: Pick<Measurements, 'warmUp' | 'fullest'>,
  take: () => Promise<Sample>,
): Promise<Sample> {
  for (const end = performance.now() + GIVE_BACK_MS; ; ) {
    const last = await take();
    if (performance.now() > end || leftOver({ ...before, last }).length === 0) return last;
    await sleep(LOOK_MS, undefined, { signal });
  }
}

function judge(measurements: Measurements): readonly string[] {
  const grown = growths(measurements);
  for (const { name, growth, bound } of grown) {
    console.log(`${name}: ${percent(growth)} over ${measurements.steady.length} samples (at most ${percent(bound)})`);
  }
  const tooMuch = grown.filter(({ growth, bound }) => !(growth <= bound));
  return [
    ...tooMuch.map(({ name, growth, bound }) => `${name} grew by ${percent(growth)}, more than ${percent(bound)}`),
    ...leftOver(measurements).map((what) => `left over: ${what}`),
  ];
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(0)} s`;
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function describeDisk({ bytes, files }: Disk): string {
  return `${files} files of ${mib(bytes)}`;
}

function describe(round: number, { atMs, heldBytes, residentBytes, disk, counts }: Sample): string {
  const counted = Object.entries(counts).map(
    ([name, count]) => `${name.replace(/^(descriptors|handles): /, '')} ${count}`,
  );
  const memory = `held ${mib(heldBytes)}, resident ${mib(residentBytes)}, ${describeDisk(disk)}`;
  return `round ${round} at ${seconds(atMs)}: ${memory}; ${counted.join(', ')}`;
}

function describeChange(change: Change): string {
  switch (change.do) {
    case 'push':
    case 'delete':
    case 'create':
      return `${change.do} ${change.apps.length}`;
    case 'drift':
      return `${change.how} of ${change.apps.length}`;
    case 'fault':
      return `${passingFaults[change.row]!.name}, ${change.hits} times`;
    case 'end watches':
      return change.expired ? 'end watches with 410' : change.do;
    case 'take back':
      return change.do;
    default:
      return change satisfies never;
  }
}
