// Owns the life of one worker thread: takes a task, runs it, answers, one at a time.
import { parentPort } from 'node:worker_threads';
import { crossing, type TaskAnswer } from './crossing.ts';
import { type TaskName, tasks } from './tasks.ts';

/** A task on its way in. */
export interface TaskMessage {
  readonly name: TaskName;
  readonly input: unknown;
}

parentPort?.on('message', (message: TaskMessage) => {
  // The task's own type ties name and input together where it is called (pool.ts).
  const task = tasks[message.name] as (input: unknown) => unknown;
  Promise.resolve()
    .then(() => task(message.input))
    .then((output) => parentPort?.postMessage({ ok: true, output } satisfies TaskAnswer))
    .catch((error: unknown) => parentPort?.postMessage({ ok: false, error: crossing(error) } satisfies TaskAnswer));
});
