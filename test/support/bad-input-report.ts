// Owns what the process of one bad input tells its parent: the outcome and what it cost.
import { existsSync, readFileSync } from 'node:fs';

/** The message. */
export interface Reported<Outcome> {
  readonly outcome: Outcome;
  readonly cost: {
    /** CPU time, start-up and the engine's own threads included. */
    readonly cpuMs: number;
    /** Most resident memory; Node itself takes 50 MiB. */
    readonly rssMib: number;
  };
}

/** Prints it. */
export function reportOutcome(outcome: unknown): void {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cost = { cpuMs: (userCPUTime + systemCPUTime) / 1000, rssMib: (highWaterKib() ?? maxRSS) / 1024 };
  process.stdout.write(JSON.stringify({ outcome, cost } satisfies Reported<unknown>));
}

/** Most memory since the program began; what `resourceUsage` says counts the parent's before that, which forked it. */
function highWaterKib(): number | undefined {
  if (!existsSync('/proc/self/status')) return undefined;
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return match === null ? undefined : Number(match[1]);
}
