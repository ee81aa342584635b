// Owns waiting for a promise to fail with an error of one class, so that tests can look at its code and data.

/** The error that `run` fails with. Throws what else it failed with, and when it did not fail. */
export async function failureOf<E extends Error>(
  run: Promise<unknown>,
  type: abstract new (...args: never[]) => E,
): Promise<E> {
  const error = await run.then(
    () => new Error('did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof type) return error;
  throw error;
}
