// Owns asking Go: builds the small Go program of a differential test once, sends it batches, and takes it away again;
// and running `go` for other references.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** Whether the machine has Go. */
export const hasGo = spawnSync('go', ['version']).status === 0;

const ATTEMPTS = 3;
const PAUSE_MS = 10_000;

/** Runs `go` and answers what it printed. Modules may have to come over the network first: it may be away for a moment. */
export function runGo(args: readonly string[], cwd: string): string {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return execFileSync('go', args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

/** Sends a text to the program and answers what it wrote. Throws what it said when it fails. */
export type AskGo = (input: string) => string;

/** Builds the program in a folder below test/differential for the tests of a file. */
export function useGoOracle(folder: string): AskGo {
  const target = mkdtempSync(join(tmpdir(), 'lockstep-oracle-'));
  const binary = join(target, 'oracle');
  beforeAll(() => {
    runGo(['build', '-o', binary, '.'], join(import.meta.dirname, '../differential', folder));
  });
  afterAll(() => rmSync(target, { recursive: true, force: true }));
  return (input) => {
    const env = { ...process.env, TZ: 'UTC' };
    const run = spawnSync(binary, { input, env, maxBuffer: 1 << 30, encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`oracle failed: ${run.stderr}`);
    return run.stdout;
  };
}

/** What an oracle of texts answers: one of the two, in base64. */
export interface TextAnswer {
  readonly text?: string;
  readonly error?: string;
}

/** `text …` or `error …`, bytes one by one as characters, so that any two byte strings compare. */
export function describeAnswer({ text = '', error }: TextAnswer): string {
  const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('latin1');
  return error === undefined ? `text ${decode(text)}` : `error ${decode(error)}`;
}
