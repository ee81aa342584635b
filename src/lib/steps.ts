// Owns work that can pause: a generator that yields between steps and returns the result. Who pauses it, and for how
// long, is the caller's business.

/** Work in steps. */
export type Steps<Result> = Generator<void, Result, void>;

/** Runs all steps at once. */
export function runSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
