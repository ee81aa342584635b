// Owns the end of a long-running command: a signal, at any time since it began, or the loss of leadership.

/**
 * Begins to listen. The first SIGINT or SIGTERM aborts the signal that is answered, and the command ends in order, ready
 * or not; the second ends the process at once.
 */
export function listenForSignals(): AbortSignal {
  const ending = new AbortController();
  const onSignal = (): void => {
    process.once('SIGINT', () => process.exit(130));
    process.once('SIGTERM', () => process.exit(143));
    ending.abort(new Error('a signal asked for the end'));
  };
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  return ending.signal;
}

/** Resolves when the end is asked for, or when `lost` aborts. */
export function untilEnd(ending: AbortSignal, lost?: AbortSignal): Promise<'signal' | 'leadership lost'> {
  return new Promise((resolve) => {
    if (ending.aborted) resolve('signal');
    if (lost?.aborted) resolve('leadership lost');
    ending.addEventListener('abort', () => resolve('signal'), { once: true });
    lost?.addEventListener('abort', () => resolve('leadership lost'), { once: true });
  });
}

/** What `start` makes, unless the end is asked for first: then the signal's reason is thrown. */
export async function beforeEnd<T>(ending: AbortSignal, start: () => Promise<T>): Promise<T> {
  ending.throwIfAborted();
  const made = await start();
  ending.throwIfAborted();
  return made;
}
