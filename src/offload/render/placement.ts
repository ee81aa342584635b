// Owns the decision where a build runs: on the event loop, or in a worker thread. A thread costs 70 ms of CPU and some
// 40 MB, so that small builds stay; whatever may hold the loop longer than 20 ms goes.
import type { Reading } from './meter.ts';

/** What one build cost. */
export interface BuildCost {
  /** CPU time of the thread that built. */
  readonly ms: number;
  readonly reading: Reading;
}

/** Costs of the last builds of one key, the newest first; at most two. */
export type BuildHistory = readonly BuildCost[];

/** Where a build runs. One that is begun on the event loop may read so much; beyond that it is begun again in a worker. */
export type Place = { readonly in: 'worker' } | { readonly in: 'loop'; readonly limit: Reading };

/**
 * Most that a build on the event loop may read. Manifests cost 0.2 ms a KiB when the code is warm, half as much again
 * with patches and layers: some 8 ms. The first builds of a process take longer, wherever they run.
 */
const LOOP_LIMIT: Reading = { questions: 1000, bytes: 32 * 1024 };
/** A build that took longer twice in a row goes to a worker. Once says nothing: code that runs first is slow. */
const LOOP_MS = 10;

/** Decides by what the same key cost before, and by what is known of it when nothing is. */
export function placeBuild(history: BuildHistory, decrypts: boolean): Place {
  const worker: Place = { in: 'worker' };
  const [last, before] = history;
  // Keys cost from 1 ms (age) to 100 ms (OpenPGP), which nothing tells beforehand.
  if (last === undefined) return decrypts ? worker : { in: 'loop', limit: LOOP_LIMIT };
  if (last.reading.bytes > LOOP_LIMIT.bytes || last.reading.questions > LOOP_LIMIT.questions) return worker;
  if (last.ms > LOOP_MS && (before === undefined ? decrypts : before.ms > LOOP_MS)) return worker;
  return { in: 'loop', limit: LOOP_LIMIT };
}

/** The history after one more build. */
export function withBuild(history: BuildHistory, cost: BuildCost): BuildHistory {
  return [cost, ...history.slice(0, 1)];
}
