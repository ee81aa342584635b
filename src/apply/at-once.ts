// Owns doing the same with many objects, a few at once. What is done with each is apply.ts and prune.ts.

export interface AtOnceOptions {
  /** So many are under way at once. @default 4 */
  readonly concurrency?: number | undefined;
  /** Nothing more begins when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does something with each item, a few at once. Results and failures stand in the place of their item. `endsAtFailure`:
 * nothing more begins after one, and undefined stands for what did not. Throws the signal's reason.
 */
export async function atOnce<Item, Result>(
  items: readonly Item[],
  { concurrency = 4, signal }: AtOnceOptions,
  act: (item: Item) => Promise<Result>,
  endsAtFailure: boolean,
): Promise<readonly (Result | Error | undefined)[]> {
  const results = new Array<Result | Error | undefined>(items.length).fill(undefined);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      signal?.throwIfAborted();
      try {
        results[index] = await act(items[index]!);
      } catch (error) {
        results[index] = error instanceof Error ? error : new Error(String(error));
        if (endsAtFailure) next = items.length;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  signal?.throwIfAborted();
  return results;
}
