// Owns how errors cross between threads: a cloned error loses its class and its code.
import { GitError, type GitErrorCode } from '../engines/git/errors.ts';
import { HelmError, type HelmErrorCode } from '../engines/helm/errors.ts';
import { CodedError } from '../lib/errors.ts';

/** An answer. An error crosses as data, since a cloned error loses its code. */
export type TaskAnswer =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: CrossedError };

/** An error as data. What caused it stays behind: it may hold what must not leave, and nobody reads it here. */
export interface CrossedError {
  readonly family: 'git' | 'helm' | 'coded' | 'other';
  /** Of a coded error: its class, which logs show. */
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly data: object;
  readonly stack: string;
}

/** What was thrown, as data. */
export function crossing(error: unknown): CrossedError {
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const name = error instanceof Error ? error.name : 'Error';
  if (error instanceof CodedError)
    return { family: familyOf(error), name, code: error.code, message, data: error.data, stack };
  const code = (error as { code?: unknown } | null)?.code;
  return { family: 'other', name, code: typeof code === 'string' ? code : '', message, data: {}, stack };
}

function familyOf(error: CodedError): CrossedError['family'] {
  if (error instanceof GitError) return 'git';
  return error instanceof HelmError ? 'helm' : 'coded';
}

/** The error that was thrown in the thread, made again on this side. */
export function revive({ family, name, code, message, data, stack }: CrossedError): Error {
  const cause = { stack };
  switch (family) {
    case 'git':
      return new GitError(code as GitErrorCode, message, data, { cause });
    case 'helm':
      return new HelmError(code as HelmErrorCode, message, data, { cause });
    case 'coded':
      return Object.assign(new CodedError(code, message, data as Record<string, unknown>, { cause }), { name });
    case 'other':
      return Object.assign(new Error(message, { cause }), code === '' ? {} : { code });
    default:
      return family satisfies never;
  }
}
