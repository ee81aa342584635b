// Owns asking Go: builds the oracle once and sends it a batch of requests.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Op = 'tree' | 'emit' | 'value' | 'json' | 'strict' | 'stream' | 'yaml' | 'marshal';

export interface OracleRequest {
  readonly op: Op;
  readonly text: string;
  readonly indent?: number;
  readonly wide?: boolean;
}

export interface OracleAnswer {
  readonly out: string;
  readonly nodes?: readonly unknown[];
  readonly error?: string;
}

export interface Oracle {
  ask(requests: readonly OracleRequest[]): OracleAnswer[];
  close(): void;
}

/** Builds the oracle with the `go` of the machine. */
export function buildOracle(): Oracle {
  const folder = mkdtempSync(join(tmpdir(), 'goyaml-oracle-'));
  const binary = join(folder, 'oracle');
  execFileSync('go', ['build', '-o', binary, '.'], { cwd: join(import.meta.dirname, 'oracle') });
  return {
    ask(requests) {
      const input = requests.map((request) => JSON.stringify(request)).join('\n');
      const run = spawnSync(binary, { input, maxBuffer: 2 ** 30, encoding: 'utf8' });
      if (run.status !== 0) throw new Error(`oracle failed: ${run.stderr}`);
      return run.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as OracleAnswer);
    },
    close() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
