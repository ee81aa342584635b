// Owns the interface for log lines. Where they go and what is masked is runtime/telemetry.ts.

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Static messages with fields beside them. error = a bug of ours, warn = may need a look, info = state changed,
 * debug = the rest; a user's mistake is info.
 */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A log that adds `fields` to each line. */
  with(fields: LogFields): Log;
}

/** Says nothing. */
export const silentLog: Log = Object.freeze({
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  with: () => silentLog,
});
