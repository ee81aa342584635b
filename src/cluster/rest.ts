// Owns HTTP to one API server: connections, identity, time limits, retries, errors. It knows paths, not kinds.
import { Agent, type Dispatcher } from 'undici';
import { orAborted } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/errors.ts';
import { type JsonValue, parseJson } from '../lib/json.ts';
import type { ClusterAccess, Impersonation } from './access.ts';
import { ApiError, apiErrorOf } from './api-error.ts';
import { AttemptLimit } from './attempt-limit.ts';

export interface RestOptions {
  readonly clock: Clock;
  /** Sent as User-Agent, e.g. `lockstep/0.1.0`. */
  readonly userAgent: string;
  /** Connections for requests; watches have their own. @default 16 */
  readonly connections?: number | undefined;
  /** Limit of one attempt, credentials and answer included; of a watch, until it has begun. @default 60_000 */
  readonly timeoutMs?: number | undefined;
  /** How often a 429, 503 or lost connection is tried again. @default 6 */
  readonly maxRetries?: number | undefined;
  /** 0 <= random() < 1, for spreading retries. */
  readonly random: () => number;
  /** Called once for every attempt that goes out. */
  readonly onRequest?: ((request: SentRequest) => void) | undefined;
  /** Called for every answer; a watch answers when it begins. */
  readonly onAnswer?: ((answer: ReceivedAnswer) => void) | undefined;
  /** Called for every Warning header; `text` is the server's words. */
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Asked before every write. */
  readonly guard?: WriteGuard | undefined;
}

/** Says whether this process may still write. */
export interface WriteGuard {
  /** Throws a CodedError when it may not. Called once more when a connection is free and the request is about to go. */
  check(): void;
  /** Aborts when it may not any more: writes that are under way are broken off. */
  readonly signal: AbortSignal;
}

export interface SentRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly watch: boolean;
  /** True from the second attempt on. */
  readonly retry: boolean;
}

export interface ReceivedAnswer {
  readonly method: string;
  /** HTTP status. */
  readonly status: number;
  /** Host and port of the server. */
  readonly host: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RestRequest {
  readonly method: Method;
  /** From the root of the server, escaped, with the query. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string | undefined;
  /** @default 'application/json' */
  readonly contentType?: string | undefined;
  /** @default 'application/json' */
  readonly accept?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  /** The same request twice ends as it does once: it may be sent again after a lost connection. */
  readonly idempotent: boolean;
}

const RETRY_BASE_MS = 100;
const MAX_RETRY_AFTER_MS = 30_000;
const LOST = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_CLOSED']);
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** The connections to one server, shared by all who act on it under whatever identity. */
class Connections {
  readonly requests: Agent;
  readonly watches: Agent;
  readonly writes: Dispatcher;

  constructor(access: ClusterAccess, connections: number, guard: WriteGuard | undefined) {
    const { ca, cert, key, serverName, insecure } = access.tls;
    const connect = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      rejectUnauthorized: insecure !== true,
      // Load balancers in clouds cut silent connections after a minute. A peer that vanished is given up after this
      // delay and ten probes, a second apart (libuv's).
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      timeout: 10_000,
    };
    // HTTP/1.1 on purpose: one lost HTTP/2 connection stalls every request on it.
    const shared = { connect, allowH2: false, pipelining: 1, keepAliveTimeout: 60_000 };
    this.requests = new Agent({ ...shared, connections, headersTimeout: 0, bodyTimeout: 0 });
    this.watches = new Agent({ ...shared, headersTimeout: 0, bodyTimeout: 0 });
    this.writes = guard === undefined ? this.requests : this.requests.compose(guardedBy(guard));
  }

  async close(): Promise<void> {
    await Promise.all([this.requests.destroy(), this.watches.destroy()]);
  }
}

/** Asks the guard in the moment in which a request leaves its queue for a connection. */
function guardedBy(guard: WriteGuard): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const begin = handler.onRequestStart?.bind(handler);
    // The handler is made for this request alone; what it throws here ends the request before a byte of it is sent.
    handler.onRequestStart = (controller, context) => {
      guard.check();
      begin?.(controller, context);
    };
    return dispatch(options, handler);
  };
}

/** HTTP to one API server under one identity. */
export class RestClient {
  readonly access: ClusterAccess;
  readonly options: RestOptions;
  readonly #connections: Connections;
  readonly #origin: string;
  readonly #host: string;
  readonly #prefix: string;
  readonly #headers: Readonly<Record<string, string | string[]>>;
  readonly #owner: boolean;

  constructor(access: ClusterAccess, options: RestOptions, shared?: RestClient) {
    const url = new URL(access.server);
    this.access = access;
    this.options = options;
    this.#origin = url.origin;
    this.#host = url.host;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#headers = { 'user-agent': options.userAgent, ...impersonationHeaders(access.impersonate) };
    this.#owner = shared === undefined;
    this.#connections =
      shared === undefined ? new Connections(access, options.connections ?? 16, options.guard) : shared.#connections;
  }

  /** The same server and connections under another identity. */
  as(impersonate: Impersonation): RestClient {
    return new RestClient({ ...this.access, impersonate }, this.options, this);
  }

  /** Sends a request and returns the parsed answer; null when its body is empty. Throws `ApiError`. */
  async json(request: RestRequest): Promise<JsonValue> {
    const text = await this.text(request);
    return text === '' ? null : parseJson(text);
  }

  /** Sends a request and returns the body of the answer. Throws `ApiError`. */
  async text(request: RestRequest): Promise<string> {
    const maxRetries = this.options.maxRetries ?? 6;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(request, attempt > 0);
      } catch (error) {
        const delay = attempt < maxRetries ? this.#retryDelay(error, request, attempt) : undefined;
        if (delay === undefined) throw error;
        await this.options.clock.sleep(delay, request.signal);
      }
    }
  }

  async #attempt(request: RestRequest, retry: boolean): Promise<string> {
    const limitMs = request.timeoutMs ?? this.#timeoutMs;
    const guard = request.method === 'GET' ? undefined : this.options.guard;
    request.signal?.throwIfAborted();
    guard?.check();
    const enders = [request.signal, guard?.signal].filter((signal) => signal !== undefined);
    const limit = new AttemptLimit(this.options.clock, limitMs, enders);
    try {
      const headers = await orAborted(this.#headersFor(request), limit.signal);
      this.options.onRequest?.({ method: request.method, path: request.path, watch: false, retry });
      const { requests, writes } = this.#connections;
      const answer = await (guard === undefined ? requests : writes).request({
        origin: this.#origin,
        path: this.#prefix + request.path,
        method: request.method,
        headers,
        body: request.body ?? null,
        signal: limit.signal,
      });
      this.#answered(request, answer.statusCode);
      this.#collectWarnings(answer.headers['warning']);
      const body = await answer.body.text();
      if (answer.statusCode < 400) return body;
      throw apiErrorOf(answer.statusCode, body, describe(request), single(answer.headers['retry-after']));
    } catch (error) {
      if (error instanceof CodedError) throw error;
      request.signal?.throwIfAborted();
      guard?.check();
      throw limit.timedOut ? this.#timeoutError(request, limitMs) : this.#unreachable(request, error);
    } finally {
      limit.end();
    }
  }

  /**
   * Opens a stream for a watch. Resolves when the headers are there; the caller reads the body to its end or aborts.
   * `timeoutMs` limits the silence within the stream. Throws `ApiError`.
   */
  async stream(request: RestRequest & { readonly signal: AbortSignal }): Promise<Dispatcher.ResponseData['body']> {
    const limit = new AttemptLimit(this.options.clock, this.#timeoutMs, [request.signal]);
    try {
      const headers = await orAborted(this.#headersFor(request), limit.signal);
      this.options.onRequest?.({ method: request.method, path: request.path, watch: true, retry: false });
      const answer = await this.#connections.watches.request({
        origin: this.#origin,
        path: this.#prefix + request.path,
        method: request.method,
        headers,
        signal: limit.signal,
        bodyTimeout: request.timeoutMs ?? 0,
      });
      this.#answered(request, answer.statusCode);
      if (answer.statusCode < 400) {
        limit.endTime();
        answer.body.once('close', () => limit.end());
        return answer.body;
      }
      const body = await answer.body.text();
      throw apiErrorOf(answer.statusCode, body, describe(request), single(answer.headers['retry-after']));
    } catch (error) {
      limit.end();
      if (error instanceof CodedError) throw error;
      request.signal.throwIfAborted();
      throw limit.timedOut ? this.#timeoutError(request, this.#timeoutMs) : this.#unreachable(request, error);
    }
  }

  /** Closes all connections; only on the client that opened them, not on those made by `as`. */
  async close(): Promise<void> {
    if (this.#owner) await this.#connections.close();
  }

  get #timeoutMs(): number {
    return this.options.timeoutMs ?? 60_000;
  }

  async #headersFor(request: RestRequest): Promise<Record<string, string | string[]>> {
    const headers: Record<string, string | string[]> = {
      ...this.#headers,
      accept: request.accept ?? 'application/json',
    };
    if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
    const authorization = this.access.authorization?.();
    const value = typeof authorization === 'object' ? await authorization : authorization;
    if (value !== undefined) headers['authorization'] = value;
    return headers;
  }

  #retryDelay(error: unknown, request: RestRequest, attempt: number): number | undefined {
    if (!(error instanceof ApiError)) return undefined;
    const { status, retryAfterSeconds } = error.data;
    const backoff = RETRY_BASE_MS * 2 ** attempt * (0.5 + this.options.random());
    // The server says itself that it did not do it: safe for every verb.
    if (status === 429 || (status === 503 && retryAfterSeconds !== undefined)) {
      const wait = retryAfterSeconds === undefined ? backoff : Math.max(retryAfterSeconds * 1000, backoff);
      return wait > MAX_RETRY_AFTER_MS ? undefined : wait;
    }
    if (status !== 0 || error.code === 'ApiTimeout') return undefined;
    const cause = systemCode(error.cause);
    // Two quick ones cover a restart of the server's process; longer outages are the caller's back-off.
    if (cause !== undefined && LOST.has(cause) && request.idempotent && attempt < 2) return backoff;
    return undefined;
  }

  #unreachable(request: RestRequest, cause: unknown): ApiError {
    const code = systemCode(cause);
    const why = describeCause(code, cause);
    return new ApiError(
      'ApiUnreachable',
      `${request.method} ${this.#origin}${this.#prefix}${pathOnly(request.path)}: ${why.replace('<host>', this.#host)}`,
      { status: 0, reason: '', causes: [], request: describe(request) },
      { cause },
    );
  }

  #timeoutError(request: RestRequest, limit: number): ApiError {
    return new ApiError('ApiTimeout', `${describe(request)}: no answer within ${limit / 1000}s`, {
      status: 0,
      reason: '',
      causes: [],
      request: describe(request),
    });
  }

  #answered(request: RestRequest, status: number): void {
    this.options.onAnswer?.({ method: request.method, status, host: this.#host });
  }

  #collectWarnings(header: string | string[] | undefined): void {
    const { onWarning } = this.options;
    if (header === undefined || onWarning === undefined) return;
    for (const line of Array.isArray(header) ? header : [header]) {
      for (const text of parseWarnings(line)) onWarning(text);
    }
  }
}

/** Texts of a Warning header: `299 - "text", 299 - "text"`. */
function parseWarnings(line: string): string[] {
  return [...line.matchAll(/\b\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]!.replace(/\\(.)/g, '$1'));
}

function impersonationHeaders(as: Impersonation | undefined): Record<string, string | string[]> {
  if (as === undefined) return {};
  const headers: Record<string, string | string[]> = { 'impersonate-user': as.user };
  if (as.groups !== undefined && as.groups.length > 0) headers['impersonate-group'] = [...as.groups];
  if (as.uid !== undefined) headers['impersonate-uid'] = as.uid;
  for (const [key, values] of Object.entries(as.extra ?? {})) {
    headers[`impersonate-extra-${encodeURIComponent(key)}`] = [...values];
  }
  return headers;
}

function describe(request: RestRequest): string {
  return `${request.method} ${pathOnly(request.path)}`;
}

function pathOnly(path: string): string {
  const query = path.indexOf('?');
  return query < 0 ? path : path.slice(0, query);
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, errors } = error as { code?: unknown; errors?: readonly unknown[] };
  if (typeof code === 'string') return code;
  return Array.isArray(errors) && errors.length > 0 ? systemCode(errors[0]) : undefined;
}

function describeCause(code: string | undefined, cause: unknown): string {
  if (code === 'ECONNREFUSED') return 'connection refused by <host>';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'no such host <host>';
  if (code !== undefined && NEVER_SENT.has(code)) return `cannot reach <host> (${code})`;
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'no connection to <host> within 10s';
  if (code !== undefined && LOST.has(code)) return 'connection to <host> lost';
  return cause instanceof Error ? cause.message : String(cause);
}
