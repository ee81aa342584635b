// Owns the error that a reconcile ends with: what the user is told and when it is tried again. Turning domain errors
// into it is stage(); the table from code to retry class is classify.ts.
import { CodedError, errorMessage } from '../lib/errors.ts';
import { classify } from './classify.ts';

/**
 * When a failed reconcile runs again (style.md §7).
 * - transient: with back-off, or after the kind's own retry interval
 * - waiting: after a fixed delay, not counted as a failure
 * - stalled: not before the object or a watched input changes
 * - superseded: at once, newer work has arrived
 */
export type Retry = 'transient' | 'waiting' | 'stalled' | 'superseded';

export interface ReconcileErrorOptions {
  readonly retry?: Retry | undefined;
  /** Condition that fails beside Ready. @default 'Ready' */
  readonly condition?: string | undefined;
  /** Overrides the delay of the retry class. */
  readonly retryAfterMs?: number | undefined;
  /** No event for this one: it is expected and would only repeat. */
  readonly silent?: boolean | undefined;
  readonly cause?: unknown;
}

/** Ends a pass. Only ring 4 makes these. */
export class ReconcileError extends Error {
  readonly reason: string;
  readonly retry: Retry;
  readonly condition: string;
  readonly retryAfterMs: number | undefined;
  readonly silent: boolean;

  constructor(reason: string, message: string, options: ReconcileErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ReconcileError';
    this.reason = reason;
    this.retry = options.retry ?? 'transient';
    this.condition = options.condition ?? 'Ready';
    this.retryAfterMs = options.retryAfterMs;
    this.silent = options.silent ?? false;
  }

  /** True when the cause is no domain error: then it is a bug of ours, and is logged with its stack. */
  get isBug(): boolean {
    return this.cause !== undefined && !(this.cause instanceof CodedError) && !isSystemError(this.cause);
  }
}

export interface StageOptions {
  readonly condition?: string;
  /** Put before the message of what was thrown: `failed to download archive: `. */
  readonly prefix?: string;
  /** Instead of the class that the table gives. */
  readonly retry?: Retry;
}

/**
 * Runs one stage of a pass; what is thrown inside becomes a `ReconcileError` with the stage's reason. A
 * `ReconcileError` from inside stays as it is.
 */
export async function stage<T>(reason: string, run: () => T | Promise<T>, options: StageOptions = {}): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toReconcileError(error, reason, options);
  }
}

/** The same for a value that was caught. An aborted signal's `ReconcileError` is found through its cause. */
export function toReconcileError(error: unknown, reason: string, options: StageOptions = {}): ReconcileError {
  if (error instanceof ReconcileError) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  if (isAbort(error) && cause instanceof ReconcileError) return cause;
  return new ReconcileError(reason, (options.prefix ?? '') + errorMessage(error), {
    retry: options.retry ?? classify(error),
    condition: options.condition,
    cause: error,
  });
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
