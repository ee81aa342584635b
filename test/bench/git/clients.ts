// Owns the three clients that are compared on one repository: this transport, isomorphic-git, and the real git.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { openGitStore } from '../../../src/artifact/git-store.ts';
import type { FileTree } from '../../../src/lib/filetree.ts';
import { createWorkerPool } from '../../../src/offload/pool.ts';
import { fetchContent } from '../../../src/remote/git/content.ts';
import { createServerMemory } from '../../../src/remote/git/memory.ts';
import { openTransport } from '../../../src/remote/git/open.ts';
import { type ResolvedReference, resolveReference } from '../../../src/remote/git/resolve.ts';
import { fetchSparse } from '../../../src/remote/git/sparse.ts';
import { createHttpDoor } from '../../../src/remote/http.ts';
import { gitEnv } from '../../support/git.ts';
import { countSockets, measured, type Row } from './measure.ts';
import { moveMain, type Repository } from './repositories.ts';

export const clients: Readonly<Record<string, (repository: Repository, work: string) => Promise<Row[]>>> = {
  lockstep: runLockstep,
  'isomorphic-git': runIsomorphic,
  git: runGit,
  sparse: runSparse,
};

/** The parts of this product that Git needs, against one repository. */
async function openLockstep(repository: Repository, work: string) {
  countSockets();
  const http = createHttpDoor();
  const workers = createWorkerPool();
  const transport = openTransport(repository.url, {}, { http, memory: createServerMemory() });
  const store = await openGitStore(join(work, 'store'), { workers });
  const rows: Row[] = [];
  return {
    rows,
    transport,
    store,
    step: async (name: string, run: () => unknown, times = 1) =>
      void rows.push(await measured('lockstep', name, run, times)),
    archive: (commit: string, sparse: readonly string[]) =>
      workers.run('packArchive', {
        content: { source: store.source(commit), sparse },
        path: join(work, 'archive.tar.gz'),
        maxObjectBytes: 1 << 28,
      }),
    async close() {
      await workers.close();
      await http.close();
    },
  };
}

async function runLockstep(repository: Repository, work: string): Promise<Row[]> {
  const { rows, transport, store, step, archive, close } = await openLockstep(repository, work);
  const poll = () => resolveReference(transport, { branch: 'main' });
  // As the controller fetches: submodules are looked for, too.
  const fetch = (resolved: ResolvedReference) => fetchContent(transport, store, resolved);
  const first = repository.commits[0] as string;
  await step('first poll', poll);
  // Warm, as a process is that polls all day; one alone is too short for a clock, and garbage collection would be all that is seen.
  for (let round = 0; round < 40; round++) await poll();
  await step('poll', poll, 20);
  const resolved = await poll();
  await step('first fetch', () => fetch(resolved));
  await step('read folder', () => readFolder(store.openTree(first), repository.folder));
  await step('read all', () => readAll(store.openTree(first), ''));
  for (let index = 1; index < repository.commits.length; index++) {
    moveMain(repository, index);
    await step('incremental', async () => {
      const found = await poll();
      await fetch(found);
      readFolder(store.openTree(found.commit), repository.folder);
    });
  }
  await step('archive', () => archive(repository.commits.at(-1) as string, []));
  await close();
  return rows;
}

/** One folder of a repository that is much larger. */
async function runSparse(repository: Repository, work: string): Promise<Row[]> {
  const { rows, transport, store, step, archive, close } = await openLockstep(repository, work);
  const commit = repository.commits[0] as string;
  await step('sparse fetch', () => fetchSparse(transport, store, commit, [repository.folder]));
  await step('sparse archive', () => archive(commit, [repository.folder]));
  await close();
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

async function runIsomorphic(repository: Repository, work: string): Promise<Row[]> {
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
  for (const index of [1, 2]) {
    moveMain(repository, index);
    await step('incremental', async () => {
      await poll();
      await fetch();
    });
  }
  return rows;
}

async function runGit(repository: Repository, work: string): Promise<Row[]> {
  execFileSync('git', ['init', '--quiet', '--bare', '.'], { cwd: work, env: gitEnv() });
  const fetch = ['fetch', '--quiet', '--depth', '1', '--force', repository.url, 'main:main'];
  const rows = [timedGit(work, 'poll', ['ls-remote', repository.url, 'refs/heads/main'])];
  rows.push(timedGit(work, 'first fetch', fetch));
  for (const index of [1, 2]) {
    moveMain(repository, index);
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
