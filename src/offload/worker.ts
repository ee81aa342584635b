// Owns the life of one worker thread: takes a task, runs it, answers, one at a time.
import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { crossing, type TaskAnswer } from './crossing.ts';
import { type TaskName, tasks } from './tasks.ts';

// Without it a thread spends 100 ms, and 15 MiB, on reading the same sources again.
enableCompileCache((workerData as WorkerSetup).compileCache);

/** What a thread is started with. */
export interface WorkerSetup {
  /** Folder of compiled code that the process uses, since a thread does not inherit it; Node's own when absent. */
  readonly compileCache: string | undefined;
}

/** A task on its way in. */
export interface TaskMessage {
  readonly name: TaskName;
  readonly input: unknown;
}

parentPort?.on('message', (message: TaskMessage) => {
  run(message)
    .then((output) => parentPort?.postMessage({ ok: true, output } satisfies TaskAnswer))
    .catch((error: unknown) => parentPort?.postMessage({ ok: false, error: crossing(error) } satisfies TaskAnswer));
});

async function run(message: TaskMessage): Promise<unknown> {
  // The types of name and input are tied together where a task is asked for (pool.ts).
  const task = (await tasks[message.name]()) as (input: unknown) => unknown;
  return task(message.input);
}
