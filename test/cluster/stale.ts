// Owns what a run leaves behind when it is killed outright: the next one finds its folder by name, ends the processes
// that are written there if they still are what they were, and removes it. Folders of living runs are left alone.
import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'run.json';

interface Run {
  /** The process that is to clean up. */
  readonly owner: number;
  readonly pids: readonly number[];
}

/** Notes in the folder of a run who owns it and what it has started so far. */
export async function noteRun(dir: string, pids: readonly number[]): Promise<void> {
  await writeFile(join(dir, FILE), JSON.stringify({ owner: process.pid, pids } satisfies Run), { mode: 0o600 });
}

/** Cleans up after runs in `parent` whose owner is gone. `prefix` is how their folders' names start. */
export async function sweepStale(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const dir = join(parent, name);
    const run = await readFile(join(dir, FILE), 'utf8').then(
      (text) => JSON.parse(text) as Run,
      () => undefined,
    );
    if (run === undefined || isAlive(run.owner)) continue;
    for (const pid of run.pids) {
      // A process id may be another's by now: only one that works in the folder is ours.
      if (commandOf(pid).includes(dir)) process.kill(pid, 'SIGKILL');
    }
    await rm(dir, { recursive: true, force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function commandOf(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}
