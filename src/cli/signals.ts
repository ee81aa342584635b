// Owns the end of a long-running command: a signal, or the loss of leadership.

/** Resolves at the first SIGINT or SIGTERM, or when `lost` aborts. A second signal ends the process at once. */
export function untilSignal(lost?: AbortSignal): Promise<'signal' | 'leadership lost'> {
  return new Promise((resolve) => {
    const onSignal = (): void => {
      process.once('SIGINT', () => process.exit(130));
      process.once('SIGTERM', () => process.exit(143));
      resolve('signal');
    };
    process.once('SIGINT', onSignal);
    process.once('SIGTERM', onSignal);
    lost?.addEventListener('abort', () => resolve('leadership lost'), { once: true });
  });
}
