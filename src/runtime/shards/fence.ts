// Owns until when this process may act: a deadline that each renewal of its Lease moves on. It is asked right before each
// write, so that a process that slept through it (stopped, swapped out, its machine paused) does not write after it wakes.
import type { CancelTimer, Clock } from '../../lib/clock.ts';
import { CodedError } from '../../lib/errors.ts';

/** A write that was not sent, as others may act by now. */
export class FenceError extends CodedError<'FenceClosed', { readonly why: string }> {}

/** Open until a deadline. Once closed it stays closed: the process must end. */
export class WriteFence {
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #untilMonotonic = Number.POSITIVE_INFINITY;
  #untilWall = Number.POSITIVE_INFINITY;
  #cancel: CancelTimer = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborts when it closes; the reason is a FenceError. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** A point in time to extend from: take it before the renewal is sent. */
  mark(): { readonly monotonic: number; readonly wall: number } {
    return { monotonic: this.#clock.monotonic(), wall: this.#clock.now() };
  }

  /** Open for `ms` from the mark on. Does not open what is closed. */
  extend(from: { readonly monotonic: number; readonly wall: number }, ms: number): void {
    if (!this.isOpen()) return;
    this.#untilMonotonic = from.monotonic + ms;
    this.#untilWall = from.wall + ms;
    this.#cancel();
    this.#cancel = this.#clock.setTimer(this.#untilMonotonic - this.#clock.monotonic(), () => this.isOpen());
  }

  /**
   * Whether it is open now. By two clocks, the one that is ahead: a monotonic one may stand still while the machine
   * sleeps, a wall clock may be set back.
   */
  isOpen(): boolean {
    if (this.#closed.signal.aborted) return false;
    if (this.#clock.monotonic() < this.#untilMonotonic && this.#clock.now() < this.#untilWall) return true;
    this.close('its Lease was not renewed in time');
    return false;
  }

  /** Milliseconds until it closes; negative when that is past. */
  get leftMs(): number {
    return Math.min(this.#untilMonotonic - this.#clock.monotonic(), this.#untilWall - this.#clock.now());
  }

  /** Throws FenceError when it is closed. */
  check(): void {
    if (!this.isOpen()) throw this.#closed.signal.reason;
  }

  /** Closes it for ever. */
  close(why: string): void {
    if (this.#closed.signal.aborted) return;
    this.#cancel();
    this.#closed.abort(new FenceError('FenceClosed', `this replica may not act any more: ${why}`, { why }));
  }
}
