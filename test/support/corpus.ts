// Owns finding the corpus of recorded inputs and outputs, which lies outside this repository.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A folder of the corpus, or undefined where there is none; with CI=true it must be there. */
export function corpusFolder(name: string): string | undefined {
  const folder = join(resolve(process.env['LOCKSTEP_CORPUS'] ?? '../shared/corpus'), name);
  if (existsSync(folder)) return folder;
  if (process.env['CI'] === 'true') throw new Error(`the corpus is missing: ${folder}`);
  return undefined;
}
