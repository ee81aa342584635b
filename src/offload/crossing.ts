// Owns how errors cross between threads: a cloned error loses its class and its code.
import { GitError, type GitErrorCode } from '../engines/git/errors.ts';
import { CodedError } from '../lib/errors.ts';

/** An answer. An error crosses as data, since a cloned error loses its code. */
export type TaskAnswer =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: CrossedError };

/** An error as data. */
export interface CrossedError {
  readonly family: 'git' | 'coded' | 'other';
  readonly code: string;
  readonly message: string;
  readonly data: object;
  readonly stack: string;
}

/** What was thrown, as data. */
export function crossing(error: unknown): CrossedError {
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  if (error instanceof CodedError) {
    return { family: error instanceof GitError ? 'git' : 'coded', code: error.code, message, data: error.data, stack };
  }
  const code = (error as { code?: unknown } | null)?.code;
  return { family: 'other', code: typeof code === 'string' ? code : '', message, data: {}, stack };
}

/** The error that was thrown in the thread, made again on this side. */
export function revive(crossed: CrossedError): Error {
  const cause = { stack: crossed.stack };
  if (crossed.family === 'git') {
    return new GitError(crossed.code as GitErrorCode, crossed.message, crossed.data, { cause });
  }
  if (crossed.family === 'coded') {
    return new CodedError(crossed.code, crossed.message, crossed.data as Record<string, unknown>, { cause });
  }
  return Object.assign(new Error(crossed.message, { cause }), crossed.code === '' ? {} : { code: crossed.code });
}
