// Owns running the real git in tests: clean environment, fixed identity and dates. Never used by src.
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An environment in which git sees no configuration but the repository's. */
export function gitEnv(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_AUTHOR_DATE: '1700000000 +0000',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
    GIT_COMMITTER_DATE: '1700000000 +0000',
    ...extra,
  };
}

/** Runs git in a folder and returns its output without the final newline. */
export async function git(dir: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', args, { cwd: dir, env: gitEnv(), maxBuffer: 1 << 28 });
  return stdout.replace(/\n$/, '');
}

/** As `git`, waiting; output as bytes. */
export function gitSync(dir: string, args: readonly string[], input?: Uint8Array): Buffer {
  return execFileSync('git', args, { cwd: dir, env: gitEnv(), maxBuffer: 1 << 28, ...(input ? { input } : {}) });
}

/** A temporary folder and how to remove it. */
export function temporaryFolder(name: string): { dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), `lockstep-${name}-`));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Files by path; null deletes. */
export type FileChanges = Readonly<Record<string, string | Uint8Array | null>>;

/** Writes files below a folder. */
export function writeFiles(dir: string, files: FileChanges): void {
  for (const [path, content] of Object.entries(files)) {
    const target = join(dir, path);
    if (content === null) {
      rmSync(target, { force: true });
      continue;
    }
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}

/** A work tree with one branch `main`. */
export async function createWorkTree(dir: string, format: 'sha1' | 'sha256' = 'sha1'): Promise<void> {
  mkdirSync(dir, { recursive: true });
  await git(dir, 'init', '--quiet', '--initial-branch=main', `--object-format=${format}`);
  await git(dir, 'config', 'gc.auto', '0');
}

/** Commits changes in a work tree and returns the commit. */
export async function commitFiles(dir: string, files: FileChanges, message = 'change'): Promise<string> {
  writeFiles(dir, files);
  await git(dir, 'add', '--all');
  await git(dir, 'commit', '--quiet', '--allow-empty', '--message', message);
  return git(dir, 'rev-parse', 'HEAD');
}
