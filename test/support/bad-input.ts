// Owns running one bad input in a process of its own: little memory, and bounds on what it may cost in all. CPU time
// counts, start-up and the engine's own threads included: it depends little on what else the machine does, and a
// yardstick tells how fast its cores are.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Reported } from './bad-input-report.ts';

type Cost = Reported<unknown>['cost'];

const HEAP_MIB = 256;
/** Ends what hangs; the bounds are far below, but a busy machine gives a process little of a core. */
const HANG_MS = 60_000;
/** Neighbours on the same core can double the CPU time of a run: one that is within the bounds proves them. */
const ATTEMPTS = 3;
/** What the yardstick costs where the bounds on CPU time were set; on slower cores these are as much higher. */
const YARDSTICK_MS = 250;

/**
 * Runs `test/support/<script>`, which prints what came of it as JSON; fails when it crashes, and when it costs too much.
 * With BAD_INPUT_COSTS set it prints the costs.
 */
export function runBadInput<Outcome>(script: string, args: readonly string[], bounds: Cost, cwd?: string): Outcome {
  const costs: Cost[] = [];
  for (;;) {
    const { outcome, cost } = runOnce<Outcome>(script, args, cwd);
    if (process.env['BAD_INPUT_COSTS'] !== undefined) {
      console.log(`${expect.getState().currentTestName}: ${JSON.stringify(cost)}`);
    }
    costs.push(cost);
    const isWithin = cost.rssMib <= bounds.rssMib && (cost.cpuMs <= bounds.cpuMs || isOfSlowCores(cost, bounds));
    if (!isWithin && costs.length < ATTEMPTS) continue;
    expect(isWithin ? 'within' : costs, `what it cost, bounds ${JSON.stringify(bounds)}`).toBe('within');
    return outcome;
  }
}

/** Whether so much CPU time is no more than the bound is on this machine, as it is now. */
function isOfSlowCores(cost: Cost, bounds: Cost): boolean {
  const yardstick = runOnce<number>('bad-yardstick-child.ts', [], undefined).cost;
  return cost.cpuMs <= (bounds.cpuMs * yardstick.cpuMs) / YARDSTICK_MS;
}

function runOnce<Outcome>(script: string, args: readonly string[], cwd: string | undefined): Reported<Outcome> {
  const path = join(import.meta.dirname, script);
  const run = spawnSync(process.execPath, [`--max-old-space-size=${HEAP_MIB}`, path, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    encoding: 'utf8',
    timeout: HANG_MS,
    maxBuffer: 1 << 28,
  });
  const { status, signal, stderr } = run;
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  return JSON.parse(run.stdout) as Reported<Outcome>;
}
