// Owns running work in slices on the event loop: for what is too long for one go and too short for a thread, which
// takes 70 ms of CPU to start and runs all code cold.
import type { Steps } from '../lib/steps.ts';

// Far below the 30 ms that the event loop may stand still, leaving room for a slow step and for others' work.
const SLICE_MS = 6;

/** Hands on one item after the other, letting everything else run at least every few milliseconds. */
export async function* inSlices<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  let end = performance.now() + SLICE_MS;
  for (const item of items) {
    yield item;
    if (performance.now() < end) continue;
    await new Promise((resolve) => setImmediate(resolve));
    end = performance.now() + SLICE_MS;
  }
}

/** Runs the steps, letting everything else run at least every few milliseconds. Throws the signal's reason when aborted. */
export async function runInSlices<Result>(steps: Steps<Result>, signal?: AbortSignal): Promise<Result> {
  for (;;) {
    signal?.throwIfAborted();
    const end = performance.now() + SLICE_MS;
    do {
      const { done, value } = steps.next();
      if (done === true) return value;
    } while (performance.now() < end);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
