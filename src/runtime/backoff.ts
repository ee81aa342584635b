// Owns exponential back-off per key: how long the next try of a failing key waits.

export interface BackoffOptions {
  /** @default 750 */
  readonly minMs?: number;
  /** @default 15 minutes */
  readonly maxMs?: number;
}

/** Failures in a row per key: `min × 2^n`, capped (flux.md §6.1). */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #failures = new Map<string, number>();

  constructor(options: BackoffOptions = {}) {
    this.#minMs = options.minMs ?? 750;
    this.#maxMs = options.maxMs ?? 15 * 60_000;
  }

  /** Counts a failure and returns how long to wait, in ms. */
  next(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    // The exponent is bounded so that 2^n stays a number for keys that fail for months.
    return Math.min(this.#minMs * 2 ** Math.min(failures, 40), this.#maxMs);
  }

  /** Failures in a row so far. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The key came through, or is gone. */
  forget(key: string): void {
    this.#failures.delete(key);
  }
}
