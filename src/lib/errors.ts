// Owns the shape of every domain error (rings 1-3). Knows nothing of conditions, retries or Kubernetes.

/**
 * An error with a stable `code` and plain `data` for programs, and a message for people.
 * Test and classify by `code`, never by text. `data` never carries credentials: URLs come without user info and query.
 */
export class CodedError<Code extends string = string, Data extends object = Record<string, unknown>> extends Error {
  readonly code: Code;
  readonly data: Data;

  constructor(code: Code, message: string, data: Data, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.data = data;
  }
}

/** Says in one line what went wrong, for a value of unknown origin in a catch clause. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of a `CodedError` or of a Node system error (`ECONNREFUSED`), else undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : undefined;
}

/** True when the error, or one of those that caused it, has the code. */
export function isCausedBy(error: unknown, code: string): boolean {
  for (let found = error; found instanceof Error; found = found.cause) if (errorCode(found) === code) return true;
  return false;
}
