// Owns running the real kustomize: where the binary comes from, and its answer in the form of our own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findTool } from '../cluster/build.ts';
import { type Outcome, withoutAddresses } from './kustomize-cases.ts';

/** The binary: LOCKSTEP_KUSTOMIZE, the tools' cache, or PATH; undefined where there is none. */
export async function findKustomize(): Promise<string | undefined> {
  const named = process.env['LOCKSTEP_KUSTOMIZE'];
  if (named !== undefined) return named;
  const cached = await findTool('kustomize');
  if (cached !== undefined) return cached;
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.map((folder) => join(folder, 'kustomize')).find((path) => existsSync(path));
}

/** Writes files below a folder. */
export function writeFiles(
  root: string,
  files: Iterable<readonly [path: string, file: string | Uint8Array | { readonly link: string }]>,
): void {
  for (const [path, file] of files) {
    const place = join(root, path);
    mkdirSync(dirname(place), { recursive: true });
    if (typeof file === 'string' || file instanceof Uint8Array) writeFileSync(place, file);
    else symlinkSync(file.link, place);
  }
}

/** Runs `work` in a temporary folder that is gone afterwards. */
export function inTemporaryFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'kustomize-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs `kustomize build`; a crash of the binary is `undefined`. Pointers in error texts read `0xADDR`. */
export function runKustomize(binary: string, target: string, flags: readonly string[] = []): Outcome | undefined {
  const run = spawnSync(binary, ['build', target, ...flags], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status === 0) return { yaml: run.stdout };
  if (run.stderr.includes('\ngoroutine ')) return undefined;
  const lines = run.stderr.split('\n').filter((line) => !/^(?:# Warning|Flag --|\d{4}\/\d\d\/\d\d )/.test(line));
  const text = lines
    .join('\n')
    .replace(/^Error: /, '')
    .replace(/\n$/, '');
  return { error: withoutAddresses(text) };
}
