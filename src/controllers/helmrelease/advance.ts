// Owns going on with steps that wait in between: an action runs until it waits for something that is not there yet.
import { observeRun } from './observe.ts';
import { type HelmReleasePorts, POLL_MS } from './ports.ts';
import type { RunInSteps } from './run.ts';
import type { RunEnd } from './types.ts';
import type { WaitResult } from './wait.ts';

/** The steps came to an end, or they wait; `untilMs` is when to look again in any case. */
export type Advance = { readonly end: RunEnd } | { readonly untilMs: number };

/** Goes on with the outcome of what was waited for; undefined begins. What a step throws goes through. */
export async function advance(
  run: RunInSteps,
  outcome: WaitResult | undefined,
  ports: HelmReleasePorts,
): Promise<Advance> {
  let result: WaitResult = outcome ?? { error: undefined };
  for (;;) {
    run.wait = undefined;
    const next = await run.steps.next(result);
    if (next.done === true) return { end: next.value };
    run.wait = next.value;
    if (run.object.spec?.kubeConfig === undefined && run.wait.goal !== 'gone') {
      await ports.objects.follow(run.key, [], run.wait.targets);
    }
    const observed = await observeRun(run, ports);
    if (observed?.result === undefined) return { untilMs: lookAgainMs(run, observed?.isPolled ?? true, ports) };
    result = observed.result;
  }
}

/** When a wait is looked at in any case: at its deadline, and soon where no watch tells of a change. */
export function lookAgainMs(run: RunInSteps, isPolled: boolean, { clock }: HelmReleasePorts): number {
  const deadline = run.wait?.deadlineMs ?? 0;
  return isPolled ? Math.min(deadline, clock.now() + POLL_MS) : deadline;
}
