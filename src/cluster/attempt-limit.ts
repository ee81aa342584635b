// Owns what may end one attempt at a request: its time, and those who have a say.
import type { CancelTimer, Clock } from '../lib/clock.ts';

/** Ends an attempt by its `signal`. Call `end` when the attempt is over. */
export class AttemptLimit {
  readonly #abort = new AbortController();
  readonly #cancelTimer: CancelTimer;
  readonly #enders: readonly AbortSignal[];
  readonly #onAbort: (this: AbortSignal) => void;
  #timedOut = false;

  /** @param enders end the attempt when one of them aborts, with its reason */
  constructor(clock: Clock, ms: number, enders: readonly AbortSignal[]) {
    const abort = this.#abort;
    this.#enders = enders;
    this.#onAbort = function () {
      abort.abort(this.reason);
    };
    for (const ender of enders) {
      if (ender.aborted) abort.abort(ender.reason);
      else ender.addEventListener('abort', this.#onAbort, { once: true });
    }
    this.#cancelTimer = clock.setTimer(ms, () => {
      this.#timedOut = true;
      abort.abort();
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get timedOut(): boolean {
    return this.#timedOut;
  }

  /** From now on it may take any time; those who have a say still have it. */
  endTime(): void {
    this.#cancelTimer();
  }

  end(): void {
    this.#cancelTimer();
    for (const ender of this.#enders) ender.removeEventListener('abort', this.#onAbort);
  }
}
