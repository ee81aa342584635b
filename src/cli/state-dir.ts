// Owns the state directory of `up` and `sandbox`: its lock, and the ports of the first start.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '../lib/errors.ts';

/** Code `StateLocked`: another process works on the same folder. */
export class StateError extends CodedError<'StateLocked', { readonly folder: string; readonly pid: number }> {}

/** What is remembered between starts. */
export interface RememberedState {
  readonly apiPort?: number;
  readonly gitPort?: number;
  readonly httpPort?: number;
  readonly internalPort?: number;
  /** True once the demo was set up: what the user deletes of it stays deleted. */
  readonly demo?: boolean;
}

/** A locked state directory. */
export interface StateDir {
  readonly folder: string;
  readonly remembered: RememberedState;
  remember(state: RememberedState): void;
  release(): void;
}

/** Makes and locks the folder. Throws `StateError` while another living process has it. */
export function openStateDir(folder: string): StateDir {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lockFile = join(folder, 'lock');
  takeLock(lockFile, folder);
  const file = join(folder, 'state.json');
  let remembered = readState(file);
  return {
    folder,
    get remembered() {
      return remembered;
    },
    remember: (state) => {
      remembered = { ...remembered, ...state };
      writeFileSync(`${file}.tmp`, `${JSON.stringify(remembered, null, 2)}\n`);
      renameSync(`${file}.tmp`, file);
    },
    release: () => rmSync(lockFile, { force: true }),
  };
}

/** The lock holds pid and start time of its process, so that a pid that was given anew does not count. */
function takeLock(lockFile: string, folder: string): void {
  for (let attempt = 0; ; attempt += 1) {
    try {
      writeFileSync(lockFile, `${process.pid} ${startTime(process.pid) ?? ''}\n`, { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 3) throw error;
    }
    const [pid = '', started = ''] = readLock(lockFile).split(' ');
    if (isAlive(Number(pid), started)) {
      throw new StateError('StateLocked', `${folder} is in use by process ${pid}: stop it or name another --state`, {
        folder,
        pid: Number(pid),
      });
    }
    rmSync(lockFile, { force: true });
  }
}

function readLock(lockFile: string): string {
  try {
    return readFileSync(lockFile, 'utf8').trim();
  } catch {
    return '';
  }
}

function isAlive(pid: number, started: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startTime(pid);
  return started === '' || now === undefined || now === started;
}

/** Start time of a process in clock ticks, where /proc tells it. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function readState(file: string): RememberedState {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RememberedState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return {};
    throw error;
  }
}
