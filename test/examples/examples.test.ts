// Executes the fenced commands of examples/*/README.md with the real git and kubectl, on each server.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { clusters } from '../support/cluster.ts';
import { hasRegistry } from '../support/docker-registry.ts';
import { findKubectl } from '../support/kubectl.ts';
import { projectRoot } from '../support/source-files.ts';
import { type ExampleStep, isExpected, parseReadme } from './readme.ts';
import { type ExampleWorld, startExampleWorld } from './world.ts';

const folder = join(projectRoot, 'examples');
const names = readdirSync(folder);
/** How long a step's output may take to come true: a bound on hanging, as each look takes a busy machine seconds. */
const STEP_MS = 120_000;
/** Between two looks: half as much again each time, as every look starts kubectl. */
const AGAIN_MS = { first: 250, most: 1_000 };

const kubectl = await findKubectl();
const mustRun = process.env['CI'] === 'true';

/** What of the machine an example needs beside git, and has not. */
function lackOf(name: string): string | undefined {
  if (kubectl === undefined) return 'kubectl 1.27 or newer';
  return name === 'sources' && !hasRegistry ? 'docker-registry' : undefined;
}

for (const cluster of clusters) {
  // They wait for intervals more than they compute. Each has an embedded server of its own; a real one is shared.
  describe(`examples on ${cluster.name}`, { concurrent: cluster.name === 'sandbox' }, () => {
    for (const name of names) {
      const lack = lackOf(name);
      it.skipIf(lack !== undefined && !mustRun)(lack === undefined ? name : `${name} (needs ${lack})`, async () => {
        const world = await startExampleWorld(cluster, name);
        const work = mkdtempSync(join(tmpdir(), 'lockstep-example-'));
        try {
          for (const step of parseReadme(readFileSync(join(folder, name, 'README.md'), 'utf8'))) {
            await runStep(step, name, work, world);
          }
        } finally {
          await world.stop();
          rmSync(work, { recursive: true, force: true });
        }
      });
    }
  });
}

/** Runs a step once when nothing is said of its output; else until it prints that. */
async function runStep(step: ExampleStep, name: string, work: string, world: ExampleWorld): Promise<void> {
  const end = performance.now() + STEP_MS;
  for (let againMs = AGAIN_MS.first; ; againMs = Math.min(againMs * 1.5, AGAIN_MS.most)) {
    const { code, output } = await runScript(step.script, work, {
      ...world.env,
      EXAMPLE: join(folder, name),
    });
    if (code === 0 && isExpected(step, output)) return;
    if (step.output === undefined || performance.now() > end) {
      const problems = await world.describe();
      expect.fail(
        `examples/${name}/README.md:${step.line}\n${step.script}\nexit ${code}, printed:\n${output}\nwanted:\n${step.output?.join('\n')}\n${problems}`,
      );
    }
    await systemClock.sleep(againMs);
  }
}

function runScript(
  script: string,
  cwd: string,
  env: Record<string, string>,
): Promise<{ code: number; output: string }> {
  const home = join(cwd, '.home');
  mkdirSync(home, { recursive: true });
  const child = spawn('bash', ['-eo', 'pipefail', '-c', script], {
    cwd,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.com',
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'ada@example.com',
      GIT_TERMINAL_PROMPT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
