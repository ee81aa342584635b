// Owns log lines: pino behind the Log interface, with secrets masked. Metrics are metrics.ts.
import { type Logger, pino } from 'pino';
import type { Clock } from '../lib/clock.ts';
import type { Log, LogFields } from '../lib/log.ts';

export interface LogOptions {
  readonly clock: Clock;
  /** @default 'info' */
  readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent' | undefined;
  /** JSON lines, or lines for people: time, level, message, fields. @default 'json' */
  readonly encoding?: 'json' | 'console' | undefined;
  /** Takes each line with its end. */
  readonly write: (line: string) => void;
}

/** Fields that carry credentials, by name, down to three levels. */
const SECRET_FIELDS = [
  'password',
  'token',
  'bearerToken',
  'authorization',
  'Authorization',
  'data',
  'stringData',
  'identity',
  'key',
];
const REDACTED_PATHS = ['', '*.', '*.*.'].flatMap((prefix) => SECRET_FIELDS.map((field) => prefix + field));
/** User info and query of URLs in any text: both may hold credentials. */
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/?#"']*@/gi;
const QUERY = /(\bhttps?:\/\/[^\s?#"']*)\?[^\s"']*/gi;

/** A log of lines with level, ts, msg and the fields. Errors become message, code and, for bugs, the stack. */
export function createLog(options: LogOptions): Log {
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"ts":"${new Date(options.clock.now()).toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
      redact: { paths: REDACTED_PATHS, censor: '*****' },
      serializers: { error: serializeError },
    },
    { write: options.encoding === 'console' ? (line) => options.write(toConsoleLine(line)) : options.write },
  );
  return wrap(logger, {});
}

/** `2026-01-01T00:00:00.000Z	INFO	reconciled	{"name":"app"}`, as zap writes it for people. */
function toConsoleLine(line: string): string {
  const { level, ts, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.keys(fields).length === 0 ? '' : `\t${JSON.stringify(fields)}`;
  return `${ts}\t${String(level).toUpperCase()}\t${msg}${rest}\n`;
}

/**
 * A log whose lines begin with the bound fields. They are joined, cleaned and redacted when a line is written: each pass
 * has a log of its own, and most say nothing at the level that is on. A child logger of pino redacts when it is made,
 * which was half of what a pass without news allocated.
 */
function wrap(logger: Logger, bound: LogFields): Log {
  const say = (level: 'error' | 'warn' | 'info' | 'debug') => (message: string, fields?: LogFields) => {
    if (logger.isLevelEnabled(level)) logger[level](clean({ ...bound, ...fields }), message);
  };
  return {
    error: say('error'),
    warn: say('warn'),
    info: say('info'),
    debug: say('debug'),
    with: (fields) => wrap(logger, { ...bound, ...fields }),
  };
}

function clean(fields: LogFields): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    cleaned[name] = typeof value === 'string' ? maskUrls(value) : value;
  }
  return cleaned;
}

function maskUrls(text: string): string {
  if (!text.includes('://')) return text;
  return text.replace(USER_INFO, '$1').replace(QUERY, '$1');
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? maskUrls(error) : error;
  const { code } = error as { code?: unknown };
  return {
    message: maskUrls(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof code === 'string' || error.stack === undefined ? {} : { stack: maskUrls(error.stack) }),
  };
}
