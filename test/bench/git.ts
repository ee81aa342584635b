// Owns measuring Git: this transport, isomorphic-git and the real git side by side on generated repositories; then the
// figures that were asked for, each beside the worst of several runs.
//   node test/bench/git.ts [--files 20,1000] [--branches 1,5000] [--history 5000] [--runs 5] [--megabytes 1024] [--polled 500]
// The server runs in a process of its own, each client too, so that CPU and memory are those of the client alone.
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { startGitServer } from '../../src/sandbox/gitserver.ts';
import { temporaryFolder } from '../support/git.ts';
import { clients } from './git/clients.ts';
import type { Row } from './git/measure.ts';
import { measurePolls, measurePushes } from './git/product.ts';
import { generateLarge, generateManifests, moveMain, type Repository, type Shape } from './git/repositories.ts';

const FILES = 10_000;
const STEPS = 4;
let processes = 0;

await run();

async function run(): Promise<void> {
  const [mode, ...rest] = process.argv.slice(2);
  if (mode === 'server') return serve(rest[0] as string);
  if (mode === 'client') {
    return runClient(rest[0] as string, JSON.parse(rest[1] as string) as Repository, rest[2] as string);
  }
  const { values } = parseArgs({
    options: {
      files: { type: 'string', default: '20,1000,10000,100000' },
      branches: { type: 'string', default: '1,5000' },
      history: { type: 'string', default: '5000' },
      runs: { type: 'string', default: '5' },
      megabytes: { type: 'string', default: '1024' },
      polled: { type: 'string', default: '500' },
    },
  });
  const numbers = (text: string) =>
    text
      .split(',')
      .filter((part) => part !== '')
      .map(Number);
  const folder = temporaryFolder('bench');
  const server = await startServer(folder.dir);
  try {
    for (const files of numbers(values.files)) {
      for (const branches of numbers(values.branches)) await compare(folder.dir, server.url, { files, branches });
    }
    for (const history of numbers(values.history)) {
      await compare(folder.dir, server.url, { files: 1000, branches: 1, history });
    }
    await judge(folder.dir, server.url, { runs: Number(values.runs), megabytes: Number(values.megabytes) });
    await judgeProduct(folder.dir, Number(values.polled));
  } finally {
    server.stop();
    folder.remove();
  }
}

async function serve(root: string): Promise<void> {
  const server = await startGitServer({ root });
  process.stdout.write(`${server.url}\n`);
}

async function startServer(root: string): Promise<{ url: string; stop(): void }> {
  const child = spawn(process.execPath, ['--no-warnings', import.meta.filename, 'server', root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data).trim())));
  return { url, stop: () => void child.kill() };
}

async function compare(dir: string, url: string, shape: Omit<Shape, 'steps'>): Promise<void> {
  const repository = generateManifests(dir, url, { ...shape, steps: STEPS });
  console.log(`\n${shape.files} files, ${shape.branches} branches, ${shape.history ?? 0} commits before`);
  for (const client of ['lockstep', 'isomorphic-git', 'git']) {
    for (const row of await inProcess(dir, client, repository)) print(row);
  }
}

/** The steps of one client in a process of its own, with the flags of the product. */
async function inProcess(dir: string, client: string, repository: Repository): Promise<Row[]> {
  const work = join(dir, `client-${processes++}`);
  const flags = ['--no-warnings', '--max-semi-space-size=4'];
  const args = [...flags, import.meta.filename, 'client', client, JSON.stringify(repository), work];
  const env = { ...process.env, NODE_COMPILE_CACHE: join(dir, 'compiled') };
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 24, env });
  return JSON.parse(stdout) as Row[];
}

async function runClient(client: string, repository: Repository, work: string): Promise<void> {
  if (repository.commits.length > 1) moveMain(repository, 0);
  mkdirSync(work, { recursive: true });
  writeFileSync(1, JSON.stringify(await clients[client]!(repository, work)));
}

function print(row: Row): void {
  const cell = (value: number | undefined, unit: string, width: number) =>
    (value === undefined ? '–' : `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`).padStart(width);
  const cells = [cell(row.wall, 'ms', 10), cell(row.cpu, 'ms cpu', 13), cell(row.bytes, 'B', 12)];
  cells.push(cell(row.stall, 'ms stall', 13), cell(row.turn, 'ms turn', 12), cell(row.peak, 'MiB', 9));
  console.log(`${row.client.padEnd(15)}${row.step.padEnd(14)}${cells.join('')}`);
}

/** The figures of issue 6 that one client process shows. The first run fills the cache of compiled code. */
async function judge(dir: string, url: string, options: { runs: number; megabytes: number }): Promise<void> {
  const repository = generateManifests(dir, url, { files: FILES, branches: 1, steps: STEPS });
  await inProcess(dir, 'lockstep', repository);
  const ours: Row[] = [];
  const theirs: Row[] = [];
  for (let round = 0; round < options.runs; round++) {
    ours.push(...(await inProcess(dir, 'lockstep', repository)));
    theirs.push(...(await inProcess(dir, 'git', repository)));
  }
  const of = (rows: readonly Row[], step: string, field: 'wall' | 'cpu' | 'bytes' | 'stall' | 'turn' | 'peak') =>
    rows.filter((row) => step === '' || row.step === step).map((row) => row[field] ?? 0);
  console.log(`\n${FILES} files, worst of ${options.runs} runs (median)`);
  tell('poll, CPU', of(ours, 'poll', 'cpu'), 'ms', '≤ 2 ms');
  // Beside git in the same round: both feel what else the machine does.
  const git = of(theirs, 'first fetch', 'cpu');
  const ratios = of(ours, 'first fetch', 'cpu').map((cpu, round) => cpu / (git[round] ?? Number.NaN));
  tell('first fetch, CPU beside that of git', ratios, '×', '≤ 3 ×');
  tell('incremental, ls-refs to objects read', of(ours, 'incremental', 'wall'), 'ms', '≤ 100 ms');
  tell('incremental, on the wire', of(ours, 'incremental', 'bytes'), 'B', '≤ 10,000 B');
  tell('a folder of 100 files, first read', of(ours, 'read folder', 'wall'), 'ms', '≤ 5 ms');
  tell('event-loop stall, by the clock', of(ours, 'first fetch', 'stall'), 'ms', '≤ 30 ms');
  tell('event-loop stall, own CPU', of(ours, 'first fetch', 'turn'), 'ms', '≤ 30 ms');
  tell('peak memory, archive included', of(ours, 'archive', 'peak'), 'MiB', '≤ 200 MiB');

  const large = generateLarge(dir, url, options.megabytes);
  const sparse = await inProcess(dir, 'sparse', large);
  tell(`a folder of ${options.megabytes} MB, peak memory`, of(sparse, '', 'peak').slice(-1), 'MiB', '≤ 400 MiB');
  tell(
    `a folder of ${options.megabytes} MB, on the wire`,
    [of(sparse, '', 'bytes').reduce((sum, value) => sum + value, 0)],
    'B',
    '',
  );
}

async function judgeProduct(dir: string, polled: number): Promise<void> {
  const pushes = await measurePushes(join(dir, 'pushed'), FILES, 8);
  tell('push to new status.artifact', pushes.times, 'ms', '≤ 1,000 ms');
  tell('the same, peak of the whole product', [pushes.peak], 'MiB', '');
  const polls = await measurePolls(join(dir, 'polled'), polled, 5);
  tell(`${polled} repositories each 5 s, of one core`, [polls.share * 100], '%', '≤ 30 %');
  console.log(
    `   ${polls.polls} polls where ${Math.round(polls.expected)} were due, peak ${polls.peak.toFixed(0)} MiB`,
  );
}

function tell(what: string, values: readonly number[], unit: string, asked: string): void {
  const sorted = values.toSorted((a, b) => a - b);
  const text = (value: number | undefined) =>
    value === undefined ? '–' : value < 100 ? value.toFixed(1) : value.toFixed(0);
  const worst = `${text(sorted.at(-1))} ${unit}`;
  const median = sorted.length > 1 ? ` (${text(sorted[Math.floor((sorted.length - 1) / 2)])})` : '';
  console.log(`${what.padEnd(42)} ${(worst + median).padEnd(24)} ${asked === '' ? '' : `asked: ${asked}`}`);
}
