// Owns the interface to time. The real clock is runtime/clock.ts; tests move their own (test/support/clock.ts).

/** Undoes a timer. Harmless when it has already fired. */
export type CancelTimer = () => void;

/** Time as a value. */
export interface Clock {
  /** Milliseconds since 1970 in UTC, as wall clocks show it: may jump. */
  now(): number;
  /** Milliseconds that never go back, from an arbitrary start: for measuring and for delays. */
  monotonic(): number;
  /** Resolves after `ms`. Rejects with the reason of the signal as soon as it aborts. Keeps the process alive. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `ms`, unless cancelled. Does not keep the process alive. */
  setTimer(ms: number, run: () => void): CancelTimer;
}
