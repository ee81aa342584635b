// Random charts rendered by the real Helm 3.22 and by ours: same stdout, same error, same exit code.
// HELM_SEEDS says how many seeds (default 100), HELM_FIRST_SEED where they begin; LOCKSTEP_HELM is the binary.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helmTemplate } from '../../src/cli/helm.ts';
import { toolPath } from '../cluster/build.ts';
import { recordIo } from '../support/recorded-io.ts';
import { randomChart } from './random-chart.ts';

const FIRST = Number(process.env['HELM_FIRST_SEED'] ?? 1);
const COUNT = Number(process.env['HELM_SEEDS'] ?? (process.env['CI'] === 'true' ? 1000 : 100));

let helm = '';
let folder = '';

beforeAll(async () => {
  helm = process.env['LOCKSTEP_HELM'] ?? (await toolPath('helm', (line) => console.error(line)));
  folder = mkdtempSync(join(tmpdir(), 'lockstep-helm-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('random charts', () => {
  const seeds = Array.from({ length: COUNT }, (_, index) => FIRST + index);

  it.each(seeds)('seed %i renders as Helm renders it', async (seed) => {
    const { files, flags } = randomChart(seed);
    const cwd = join(folder, String(seed));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), text);
    }
    const argv = ['rel', 'chart', ...flags];

    const want = runHelm(argv, cwd);
    const actual = await runOurs(argv, cwd);

    expect(actual).toEqual(want);
    rmSync(cwd, { recursive: true });
  });
});

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  /** From `Error: ` on; warnings come before it. */
  readonly error: string;
}

function runHelm(argv: readonly string[], cwd: string): Outcome {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, TZ: 'UTC' };
  const { status, stdout, stderr } = spawnSync(helm, ['template', ...argv], { cwd, env, encoding: 'utf8' });
  return { code: status, stdout: comparable(stdout), error: errorOf(stderr) };
}

async function runOurs(argv: readonly string[], cwd: string): Promise<Outcome> {
  const io = recordIo(cwd);
  const code = await helmTemplate(argv, io);
  const { stdout, stderr } = io.written();
  return { code, stdout: comparable(stdout), error: errorOf(stderr) };
}

function errorOf(stderr: string): string {
  const at = stderr.indexOf('Error: ');
  return at < 0 ? '' : comparable(stderr.slice(at));
}

/** Addresses of Go values differ from run to run, and bytes that are no text arrive as replacement characters. */
function comparable(text: string): string {
  return text.replace(/0x[0-9a-f]{8,}/g, '0x…').replace(/[\ufffd\udc80-\udcff]+/g, '\ufffd');
}
