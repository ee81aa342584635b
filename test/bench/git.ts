// Owns measuring Git: this transport, isomorphic-git and the real git side by side on generated repositories.
//   node test/bench/git.ts [--files 20,1000,10000] [--branches 1,5000]
// The server runs in a process of its own, each client too, so that CPU and memory are those of the client alone.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs, promisify } from 'node:util';
import { openGitStore } from '../../src/artifact/git-store.ts';
import type { FileTree } from '../../src/lib/filetree.ts';
import { packArchive } from '../../src/offload/pack-archive.ts';
import { createWorkerPool } from '../../src/offload/pool.ts';
import { fetchCommit } from '../../src/remote/git/fetch.ts';
import { createServerMemory } from '../../src/remote/git/memory.ts';
import { openTransport } from '../../src/remote/git/open.ts';
import { resolveReference } from '../../src/remote/git/resolve.ts';
import { createHttpDoor } from '../../src/remote/http.ts';
import { startGitServer } from '../../src/sandbox/gitserver.ts';
import { gitEnv, temporaryFolder } from '../support/git.ts';

/** One line of the result. CPU and wall in ms, bytes on the wire, stall in ms, peak in MiB; undefined: not measured. */
interface Row {
  readonly client: string;
  readonly step: string;
  readonly wall: number;
  readonly cpu: number;
  readonly bytes?: number;
  readonly stall?: number;
  readonly peak?: number;
}

/** A generated repository on the server. */
interface Repository {
  readonly url: string;
  readonly bare: string;
  /** First commit, then one commit each with one file changed. */
  readonly commits: readonly string[];
  readonly folder: string;
}

const STEPS = 4;
/** Every connection of this process, for counting bytes. */
const sockets: Socket[] = [];

await run();

async function run(): Promise<void> {
  const [mode, ...rest] = process.argv.slice(2);
  if (mode === 'server') return serve(rest[0] as string);
  if (mode === 'client')
    return runClient(rest[0] as string, JSON.parse(rest[1] as string) as Repository, rest[2] as string);
  const { values } = parseArgs({
    options: { files: { type: 'string', default: '20,1000,10000' }, branches: { type: 'string', default: '1,5000' } },
  });
  const numbers = (text: string) => text.split(',').map(Number);
  await compare(numbers(values.files), numbers(values.branches));
}

async function serve(root: string): Promise<void> {
  const server = await startGitServer({ root });
  process.stdout.write(`${server.url}\n`);
}

async function compare(sizes: readonly number[], branches: readonly number[]): Promise<void> {
  const { dir, remove } = temporaryFolder('bench');
  const server = spawn(process.execPath, ['--no-warnings', import.meta.filename, 'server', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await new Promise<string>((resolve) =>
      server.stdout.once('data', (data) => resolve(String(data).trim())),
    );
    for (const files of sizes) {
      for (const count of branches) {
        const repository = generate(dir, url, files, count);
        console.log(`\n${files} files, ${count} branches`);
        for (const client of ['lockstep', 'isomorphic-git', 'git']) {
          const work = join(dir, `client-${client}-${files}-${count}`);
          const args = ['--no-warnings', import.meta.filename, 'client', client, JSON.stringify(repository), work];
          const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 24 });
          print(JSON.parse(stdout) as Row[]);
        }
      }
    }
  } finally {
    server.kill();
    remove();
  }
}

function print(rows: readonly Row[]): void {
  for (const row of rows) {
    const cell = (value: number | undefined, unit: string, width: number) =>
      (value === undefined ? '–' : `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`).padStart(width);
    const cells = [cell(row.wall, 'ms', 10), cell(row.cpu, 'ms cpu', 13), cell(row.bytes, 'B', 12)];
    cells.push(cell(row.stall, 'ms stall', 13), cell(row.peak, 'MiB', 9));
    console.log(`${row.client.padEnd(15)}${row.step.padEnd(14)}${cells.join('')}`);
  }
}

/** Random manifests, a hundred to a folder; made by fast-import, which takes seconds where `git add` takes minutes. */
function generate(root: string, url: string, files: number, branches: number): Repository {
  const name = `r-${files}-${branches}`;
  const bare = join(root, `${name}.git`);
  const git = (args: string[], input?: string) =>
    execFileSync('git', args, {
      cwd: bare,
      env: gitEnv(),
      maxBuffer: 1 << 28,
      ...(input === undefined ? {} : { input }),
    });
  mkdirSync(bare, { recursive: true });
  git(['init', '--quiet', '--bare', '--initial-branch=main']);
  let seed = 1;
  const random = () => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed.toString(36);
  };
  const path = (index: number) => `apps/d${Math.floor(index / 100)}/cm-${index}.yaml`;
  const content = (index: number, tag: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm-${index}\ndata:\n  a: "${random()}${random()}"\n  b: "${random()}"\n  tag: ${tag}\n`;
  const commit = (message: string, changes: string[]) =>
    `commit refs/heads/steps\ncommitter A <a@b> 1700000000 +0000\ndata ${message.length}\n${message}\n${changes.join('')}\n`;
  const change = (index: number, tag: string) => {
    const text = content(index, tag);
    return `M 100644 inline ${path(index)}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
  };
  const steps = [
    commit(
      'first',
      Array.from({ length: files }, (_, index) => change(index, 'v0')),
    ),
  ];
  for (let step = 1; step <= STEPS; step++) steps.push(commit(`step ${step}`, [change(step % files, `v${step}`)]));
  git(['fast-import', '--quiet'], steps.join(''));
  const commits = git(['rev-list', '--reverse', 'steps']).toString().trim().split('\n');
  const refs = Array.from({ length: branches - 1 }, (_, index) => `create refs/heads/b${index} ${commits[0]}\n`).join(
    '',
  );
  git(['update-ref', '--stdin'], `create refs/heads/main ${commits[0]}\n${refs}`);
  git(['pack-refs', '--all']);
  return { url: `${url}/${name}.git`, bare, commits, folder: 'apps/d0' };
}

function move(repository: Repository, step: number): void {
  execFileSync('git', ['update-ref', 'refs/heads/main', repository.commits[step] as string], {
    cwd: repository.bare,
    env: gitEnv(),
  });
}

async function runClient(client: string, repository: Repository, work: string): Promise<void> {
  move(repository, 0);
  mkdirSync(work, { recursive: true });
  const rows =
    client === 'lockstep'
      ? await lockstep(repository, work)
      : client === 'git'
        ? realGit(repository, work)
        : await isomorphic(repository, work);
  writeFileSync(1, JSON.stringify(rows));
}

async function measured(client: string, step: string, run: () => unknown): Promise<Row> {
  const moved = () => sockets.reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, 0);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const bytes = moved();
  delay.enable();
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const wall = performance.now() - start;
  const used = process.cpuUsage(cpu);
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  return {
    client,
    step,
    wall,
    cpu: (used.user + used.system) / 1000,
    bytes: moved() - bytes,
    stall: delay.max / 1e6,
    peak: process.resourceUsage().maxRSS / 1024,
  };
}

function countSockets(): void {
  subscribe('net.client.socket', (message) => sockets.push((message as { socket: Socket }).socket));
}

async function lockstep(repository: Repository, work: string): Promise<Row[]> {
  countSockets();
  const http = createHttpDoor();
  const memory = createServerMemory();
  const workers = createWorkerPool();
  const transport = openTransport(repository.url, {}, { http, memory });
  const store = await openGitStore(join(work, 'store'), { workers });
  const rows: Row[] = [];
  const step = async (name: string, run: () => unknown) => void rows.push(await measured('lockstep', name, run));
  const poll = () => resolveReference(transport, { branch: 'main' });
  const first = repository.commits[0] as string;
  await step('first poll', poll);
  for (let round = 0; round < 20; round++) await poll();
  await step('poll', poll);
  await step('first fetch', () => fetchCommit(transport, store, first));
  await step('read folder', () => readFolder(store.openTree(first), repository.folder));
  await step('read all', () => readAll(store.openTree(first), ''));
  for (let index = 1; index <= STEPS; index++) {
    move(repository, index);
    await step('incremental', async () => {
      const { commit } = await poll();
      await fetchCommit(transport, store, commit);
      readFolder(store.openTree(commit), repository.folder);
    });
  }
  const last = repository.commits[STEPS] as string;
  const input = {
    content: { source: store.source(last) },
    path: join(work, 'archive.tar.gz'),
    maxObjectBytes: 1 << 28,
  };
  await step('archive', () => workers.run('packArchive', input));
  await step('archive inline', () => packArchive({ ...input, path: join(work, 'inline.tar.gz') }));
  await workers.close();
  await http.close();
  return rows;
}

function readFolder(tree: FileTree, folder: string): void {
  for (const entry of tree.list(folder) ?? []) tree.read(`${folder}/${entry.name}`);
}

function readAll(tree: FileTree, path: string): void {
  for (const entry of tree.list(path) ?? []) {
    const whole = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.kind === 'dir') readAll(tree, whole);
    else tree.read(whole);
  }
}

async function isomorphic(repository: Repository, work: string): Promise<Row[]> {
  countSockets();
  const git = await import('isomorphic-git');
  const { default: http } = await import('isomorphic-git/http/node');
  const fs = await import('node:fs');
  const common = { fs, http, dir: work, gitdir: join(work, '.git'), url: repository.url };
  await git.init({ fs, dir: work });
  await git.addRemote({ fs, dir: work, remote: 'origin', url: repository.url });
  const rows: Row[] = [];
  const step = async (name: string, run: () => unknown) => void rows.push(await measured('isomorphic-git', name, run));
  const poll = () => git.listServerRefs({ http, url: repository.url, protocolVersion: 2, prefix: 'refs/heads/main' });
  const fetch = () => git.fetch({ ...common, ref: 'main', singleBranch: true, depth: 1, tags: false });
  await step('first poll', poll);
  await step('poll', poll);
  await step('first fetch', fetch);
  const cache = {};
  const oid = repository.commits[0] as string;
  await step('read folder', async () => {
    const { tree } = await git.readTree({ ...common, oid, filepath: repository.folder, cache });
    for (const entry of tree) await git.readBlob({ ...common, oid: entry.oid, cache });
  });
  for (let index = 1; index <= 2; index++) {
    move(repository, index);
    await step('incremental', async () => {
      await poll();
      await fetch();
    });
  }
  return rows;
}

function realGit(repository: Repository, work: string): Row[] {
  execFileSync('git', ['init', '--quiet', '--bare', '.'], { cwd: work, env: gitEnv() });
  const fetch = ['fetch', '--quiet', '--depth', '1', '--force', repository.url, 'main:main'];
  const rows = [timedGit(work, 'poll', ['ls-remote', repository.url, 'refs/heads/main'])];
  rows.push(timedGit(work, 'first fetch', fetch));
  for (let index = 1; index <= 2; index++) {
    move(repository, index);
    rows.push(timedGit(work, 'incremental', fetch));
  }
  return rows;
}

// The shell's own clock is the only portable way to the CPU of a child and its children.
function timedGit(work: string, step: string, args: readonly string[]): Row {
  const script = `TIMEFORMAT='%R %U %S'; { time git "$@" >/dev/null 2>/dev/null; } 2>&1`;
  const options = { cwd: work, env: gitEnv({ LC_ALL: 'C' }) };
  const text = execFileSync('bash', ['-c', script, 'bash', ...args], options).toString();
  const [real = 0, user = 0, system = 0] = text.trim().split(/\s+/).map(Number);
  return { client: 'git', step, wall: real * 1000, cpu: (user + system) * 1000 };
}
