// Owns worker threads: started when there is work, few, gone when idle. What they run stands in tasks.ts.
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { type ResourceLimits, Worker } from 'node:worker_threads';
import { CodedError } from '../lib/errors.ts';
import { revive, type TaskAnswer } from './crossing.ts';
import type { TaskInput, TaskName, TaskOutput } from './tasks.ts';
import type { WorkerSetup } from './worker.ts';

/**
 * A task that its thread did not survive. `TaskTimeout`: it ran longer than it may · `TaskOutOfMemory`: it took more than
 * the thread may have · `TaskCrashed`: the thread ended without an answer.
 */
export class TaskError extends CodedError<
  'TaskTimeout' | 'TaskOutOfMemory' | 'TaskCrashed',
  { readonly task: string }
> {}

/** How a task is run. */
export interface TaskOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long it may run once a thread has it; no end when absent. */
  readonly timeoutMs?: number | undefined;
}

/** Runs tasks off the event loop. */
export interface WorkerPool {
  /**
   * Runs one task in a thread and waits for its answer; tasks beyond the number of threads wait their turn.
   * Aborting ends the thread that runs it, and only that one: the next task gets a new thread.
   * Throws what the task threw, the signal's reason, or TaskError.
   */
  run<Name extends TaskName>(name: Name, input: TaskInput<Name>, options?: TaskOptions): Promise<TaskOutput<Name>>;
  /** Threads that are there now. */
  threads(): number;
  /** Ends all threads; tasks under way fail. */
  close(): Promise<void>;
}

/** Options of `createWorkerPool`. */
export interface WorkerPoolOptions {
  /** Most threads at once. @default 2 */
  readonly threads?: number;
  /**
   * How long a task waits for a thread that is there before another one is started, in ms. Code that is loaded and
   * compiled once more costs CPU and memory; small tasks are done sooner than that. @default 0
   */
  readonly patienceMs?: number;
  /** How long a thread without work is kept: starting one costs about 30 ms of CPU, keeping it some MB. @default 5000 */
  readonly idleMs?: number;
  /** Bounds of each thread's heap and stack. @default Node's */
  readonly resourceLimits?: ResourceLimits;
}

/** Stack of threads that render: templates may include a thousand times inside each other, and Node's 4 MB are tight. */
export const RENDER_STACK_MB = 32;

/** A thread's first task takes so many times as long: its code is loaded and compiled. */
const LOADING_FACTOR = 5;

interface Job {
  readonly name: TaskName;
  readonly input: unknown;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  /** When it was asked for, by the monotonic clock. */
  readonly sinceMs: number;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  idleTimer: NodeJS.Timeout | undefined;
}

/** A pool without threads yet. */
export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  const most = options.threads ?? 2;
  const idleMs = options.idleMs ?? 5000;
  const patienceMs = options.patienceMs ?? 0;
  const threads = new Set<Thread>();
  const waiting: Job[] = [];
  let closed = false;
  let patience: NodeJS.Timeout | undefined;
  /** When a thread gave its first answer; undefined while all are still loading what they run. */
  let loadedMs: number | undefined;

  /** How long a task goes on waiting for the threads that are there; another one would load no faster than they do. */
  function patienceLeftMs({ sinceMs }: Job): number {
    if (threads.size === 0) return 0;
    const untilMs =
      loadedMs === undefined ? sinceMs + patienceMs * LOADING_FACTOR : Math.max(sinceMs, loadedMs) + patienceMs;
    return untilMs - performance.now();
  }

  function pump(): void {
    clearTimeout(patience);
    for (let job = waiting[0]; job !== undefined; job = waiting[0]) {
      const leftMs = patienceLeftMs(job);
      const idle = [...threads].find((thread) => thread.job === undefined);
      const thread = idle ?? (leftMs <= 0 && threads.size < most ? start() : undefined);
      if (thread === undefined) {
        if (threads.size < most) patience = setTimeout(pump, leftMs).unref();
        return;
      }
      waiting.shift();
      assign(thread, job);
    }
  }

  /** An aborted job that no thread has yet does not wait for one. */
  function leaveQueue(job: Job): void {
    const at = waiting.indexOf(job);
    if (at < 0) return;
    waiting.splice(at, 1);
    job.reject(job.signal?.reason);
  }

  function assign(thread: Thread, job: Job): void {
    clearTimeout(thread.idleTimer);
    const onAbort = () => end(thread, job.signal?.reason);
    const timer =
      job.timeoutMs === undefined
        ? undefined
        : setTimeout(() => end(thread, taskError('TaskTimeout', job.name)), job.timeoutMs);
    const settled = () => {
      clearTimeout(timer);
      job.signal?.removeEventListener('abort', onAbort);
    };
    thread.job = {
      ...job,
      resolve: (output) => {
        settled();
        job.resolve(output);
      },
      reject: (error) => {
        settled();
        job.reject(error);
      },
    };
    job.signal?.addEventListener('abort', onAbort, { once: true });
    thread.worker.ref();
    thread.worker.postMessage({ name: job.name, input: job.input });
  }

  function start(): Thread {
    // Flags of the main program are not repeated: its loaders and reporters have no business in here.
    // Node tells the folder of its own version within the one that was asked for.
    const cache = getCompileCacheDir();
    const workerData: WorkerSetup = { compileCache: cache === undefined ? undefined : dirname(cache) };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      execArgv: ['--no-warnings'],
      workerData,
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
    });
    const thread: Thread = { worker, job: undefined, idleTimer: undefined };
    threads.add(thread);
    worker.on('message', (answer: TaskAnswer) => {
      const { job } = thread;
      thread.job = undefined;
      loadedMs ??= performance.now();
      if (answer.ok) job?.resolve(answer.output);
      else job?.reject(revive(answer.error));
      rest(thread);
      pump();
    });
    worker.on('error', (error) => end(thread, threadError(error, thread.job?.name)));
    worker.on('exit', () => end(thread, taskError('TaskCrashed', thread.job?.name)));
    return thread;
  }

  function rest(thread: Thread): void {
    // An idle thread must not keep the process alive.
    thread.worker.unref();
    thread.idleTimer = setTimeout(() => end(thread, undefined), idleMs);
    thread.idleTimer.unref();
  }

  function end(thread: Thread, reason: unknown): void {
    if (!threads.delete(thread)) return;
    if (threads.size === 0) loadedMs = undefined;
    clearTimeout(thread.idleTimer);
    thread.job?.reject(reason);
    thread.job = undefined;
    // Resolves once the thread is gone; nothing waits for it.
    thread.worker.terminate().catch(() => {});
    pump();
  }

  return {
    run<Name extends TaskName>(name: Name, input: TaskInput<Name>, { signal, timeoutMs }: TaskOptions = {}) {
      return new Promise<TaskOutput<Name>>((resolve, reject) => {
        if (closed) return reject(new Error('the worker pool is closed'));
        if (signal?.aborted) return reject(signal.reason);
        const sinceMs = performance.now();
        const job: Job = { name, input, signal, timeoutMs, sinceMs, resolve: resolve as Job['resolve'], reject };
        waiting.push(job);
        signal?.addEventListener('abort', () => leaveQueue(job), { once: true });
        pump();
      });
    },
    threads: () => threads.size,
    async close() {
      closed = true;
      clearTimeout(patience);
      const all = [...threads];
      threads.clear();
      for (const job of waiting.splice(0)) job.reject(new Error('the worker pool is closed'));
      for (const thread of all) {
        clearTimeout(thread.idleTimer);
        thread.job?.reject(new Error('the worker pool is closed'));
      }
      await Promise.all(all.map(({ worker }) => worker.terminate()));
    },
  };
}

const TASK_ERRORS: Readonly<Record<TaskError['code'], string>> = {
  TaskTimeout: 'the task was not done in time',
  TaskOutOfMemory: 'the task needed more memory than its thread may have',
  TaskCrashed: 'the thread ended before the task was done',
};

function taskError(code: TaskError['code'], task = ''): TaskError {
  return new TaskError(code, TASK_ERRORS[code], { task });
}

function threadError(error: unknown, task: string | undefined): unknown {
  return (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? taskError('TaskOutOfMemory', task)
    : error;
}
