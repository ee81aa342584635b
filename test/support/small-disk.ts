// Owns a file system of a limited size for tests, to be filled or made read-only: a tmpfs, for which one must be root.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** Why there is no small disk here; undefined when there can be one. */
export const noSmallDisk: string | undefined =
  process.platform === 'linux' && process.getuid?.() === 0 ? undefined : 'mounting a tmpfs takes root on Linux';

export interface SmallDisk {
  readonly dir: string;
  /** Leaves so many bytes, rounded to pages. */
  fill(leftBytes: number): void;
  /** Makes room again. */
  clear(): void;
  setReadOnly(readOnly: boolean): void;
}

const PAGE = 4096;

/** Mounts a disk for the suite around it. Call it before what uses the disk. */
export function useSmallDisk(bytes: number): SmallDisk {
  const dir = mkdtempSync(join(tmpdir(), 'lockstep-disk-'));
  const filler = join(dir, 'filler');
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: 'pipe' });
  beforeAll(() => {
    run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir);
  });
  afterAll(() => {
    run('umount', dir);
    rmSync(dir, { recursive: true });
  });
  return {
    dir,
    fill: (leftBytes) => {
      const { bavail, bsize } = statfsSync(dir);
      const size = bavail * bsize - Math.ceil(leftBytes / PAGE) * PAGE;
      writeFileSync(filler, Buffer.alloc(Math.max(size, 0)));
    },
    clear: () => rmSync(filler, { force: true }),
    setReadOnly: (readOnly) => {
      run('mount', '-o', `remount,${readOnly ? 'ro' : 'rw'}`, dir);
    },
  };
}
