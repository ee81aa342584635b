// Owns the one way out over HTTP: shared connections per trust and proxy, deadlines that really end, redirects that
// carry no credential elsewhere, bounded bodies. Knows no protocol above HTTP; a status of 404 is no error here.
import { createGunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { CodedError } from '../lib/errors.ts';
import {
  type AgentPool,
  type AgentPoolOptions,
  type AgentProxy,
  type AgentTls,
  createAgentPool,
} from './internal/agents.ts';
import { describeFailure, type FailureCode, isStaleConnection } from './internal/failures.ts';
import { type Hop, nextHop } from './internal/redirects.ts';

/** Why no answer came. `RemoteConnect` covers names that do not resolve and connections that are refused. */
export type RemoteErrorCode = FailureCode | 'RemoteTooLarge' | 'RemoteRedirect' | 'RemoteUrlInvalid';

/** Facts about a failed exchange. The URL has neither credentials nor query. */
export interface RemoteErrorData {
  readonly url: string;
  /** `host:port` that refused or did not answer, when known. */
  readonly address?: string;
  readonly limit?: number;
}

/** An exchange that brought no usable answer. The message has Go's form: `Get "https://host/path": dial tcp …`. */
export class RemoteError extends CodedError<RemoteErrorCode, RemoteErrorData> {}

/** Whom to trust and as whom to appear in TLS. */
export type TlsSettings = AgentTls;

/** A proxy; `http:`, `https:` and `socks5:` addresses. */
export type ProxySettings = AgentProxy;

/** A body that can be sent again is bytes or text; a stream is sent once and makes retries and 307 impossible. */
export type HttpBody = Uint8Array | string | AsyncIterable<Uint8Array>;

/** One exchange. */
export interface HttpRequest {
  readonly url: string;
  /** @default 'GET' */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Value of `Authorization`. It is never sent to another host than that of `url`. */
  readonly authorization?: string;
  readonly body?: HttpBody;
  readonly tls?: TlsSettings;
  readonly proxy?: ProxySettings;
  readonly signal?: AbortSignal;
  /** Bound on the whole exchange, body included. @default 60000 */
  readonly timeoutMs?: number;
  /** Bound on the silence between two bytes. @default 30000 */
  readonly idleTimeoutMs?: number;
  /** Bound on the body as it is handed out (after gunzip). @default 64 MiB */
  readonly maxBodyBytes?: number;
  /** Redirects that are followed; 0 hands the redirect to the caller. @default 10 */
  readonly maxRedirects?: number;
  /** Refuses redirects to another host: what answers there may be something that only this process can reach. @default false */
  readonly sameHostOnly?: boolean;
  /** Asks for gzip and unpacks it. @default false */
  readonly gzip?: boolean;
  /** Whether sending twice does no harm; then a kept connection that turns out to be dead is replaced. @default for GET and HEAD */
  readonly idempotent?: boolean;
}

/** An answer. Its body must be read to the end, or discarded: it holds a connection. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Where the answer came from, after redirects; without credentials. */
  readonly url: string;
  /** The body, once. Errors are RemoteError. */
  readonly body: AsyncIterable<Buffer>;
  /** The whole body in one piece. */
  bytes(): Promise<Buffer>;
  text(): Promise<string>;
  /** Gives the connection up. */
  discard(): void;
}

/** The door. One per process; `close` ends all connections. */
export interface HttpDoor {
  request(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

/** Options of `createHttpDoor`. */
export interface HttpDoorOptions extends AgentPoolOptions {
  /** @default 'lockstep' */
  readonly userAgent?: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_IDLE_MS = 30_000;
const DEFAULT_BODY_BYTES = 64 * 1024 * 1024;
const DEFAULT_REDIRECTS = 10;

/** Opens the door. Connections are made when first needed and shared by all requests with equal TLS and proxy. */
export function createHttpDoor(options: HttpDoorOptions = {}): HttpDoor {
  const agents = createAgentPool(options);
  const userAgent = options.userAgent ?? 'lockstep';
  return {
    request: (request) => exchange(agents, userAgent, request),
    close: () => agents.close(),
  };
}

async function exchange(agents: AgentPool, userAgent: string, request: HttpRequest): Promise<HttpResponse> {
  const deadline = startDeadline(request);
  let hop: Hop = { url: parseUrl(request.url), method: request.method ?? 'GET', credentials: true, body: request.body };
  try {
    for (let count = 0; ; count++) {
      const answer = await send(agents, userAgent, request, hop, deadline);
      const location = answer.headers['location'];
      const maxRedirects = request.maxRedirects ?? DEFAULT_REDIRECTS;
      const redirected = [301, 302, 303, 307, 308].includes(answer.statusCode) && location !== undefined;
      if (!redirected || maxRedirects === 0) return toResponse(answer, hop.url, request, deadline);
      if (count >= maxRedirects) {
        answer.body.on('error', () => {}).destroy();
        throw failure('RemoteRedirect', hop, `stopped after ${maxRedirects} redirects`);
      }
      await answer.body.dump();
      const next = nextHop(hop, answer.statusCode, String(location));
      if ('refused' in next) throw failure('RemoteRedirect', hop, next.refused);
      if (request.sameHostOnly === true && next.url.hostname !== hop.url.hostname) {
        throw failure('RemoteRedirect', hop, `redirect to another host, ${next.url.hostname}`);
      }
      hop = next;
    }
  } catch (error) {
    deadline.stop();
    throw toRemoteError(error, hop.method, hop.url, deadline.signal);
  }
}

async function send(
  agents: AgentPool,
  userAgent: string,
  request: HttpRequest,
  hop: Hop,
  deadline: Deadline,
): Promise<Dispatcher.ResponseData> {
  // Another host gets neither the password nor the client certificate.
  const { cert: _cert, key: _key, serverName: _name, ...trustOnly } = request.tls ?? {};
  const agent = agents.get(hop.credentials ? request.tls : trustOnly, request.proxy, hop.url);
  const attempt = () =>
    agent.request({
      origin: hop.url.origin,
      path: hop.url.pathname + hop.url.search,
      method: hop.method as Dispatcher.HttpMethod,
      headers: requestHeaders(request, hop.credentials, userAgent),
      body: (hop.body ?? null) as string | null,
      signal: deadline.signal,
      headersTimeout: request.idleTimeoutMs ?? DEFAULT_IDLE_MS,
      bodyTimeout: request.idleTimeoutMs ?? DEFAULT_IDLE_MS,
    });
  const replayable = hop.body === undefined || typeof hop.body === 'string' || hop.body instanceof Uint8Array;
  const idempotent = request.idempotent ?? (hop.method === 'GET' || hop.method === 'HEAD');
  try {
    return await attempt();
  } catch (error) {
    // The server closed a kept connection at the moment we used it. It saw nothing of the request, or may see it again.
    if (!idempotent || !replayable || !isStaleConnection(error) || deadline.signal.aborted) throw error;
    return await attempt();
  }
}

const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'private-token', 'x-auth-token']);

function requestHeaders(request: HttpRequest, credentials: boolean, userAgent: string): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': userAgent, accept: '*/*' };
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    const key = name.toLowerCase();
    if (credentials || !CREDENTIAL_HEADERS.has(key)) headers[key] = value;
  }
  if (request.gzip === true) headers['accept-encoding'] = 'gzip';
  if (credentials && request.authorization !== undefined) headers['authorization'] = request.authorization;
  return headers;
}

function toResponse(answer: Dispatcher.ResponseData, url: URL, request: HttpRequest, deadline: Deadline): HttpResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const body = readBody(answer, headers, url, request, deadline);
  const bytes = async () => {
    const parts: Buffer[] = [];
    for await (const part of body) parts.push(part);
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  };
  return {
    status: answer.statusCode,
    headers,
    url: `${url.origin}${url.pathname}${url.search}`,
    body,
    bytes,
    text: async () => (await bytes()).toString('utf8'),
    discard() {
      deadline.stop();
      answer.body.on('error', () => {}).destroy();
    },
  };
}

async function* readBody(
  answer: Dispatcher.ResponseData,
  headers: Readonly<Record<string, string>>,
  url: URL,
  request: HttpRequest,
  deadline: Deadline,
): AsyncGenerator<Buffer> {
  const limit = request.maxBodyBytes ?? DEFAULT_BODY_BYTES;
  const method = request.method ?? 'GET';
  const zipped = request.gzip === true && headers['content-encoding']?.toLowerCase() === 'gzip';
  let stream: AsyncIterable<Buffer> = answer.body;
  if (zipped) {
    const gunzip = createGunzip();
    answer.body.on('error', (error) => gunzip.destroy(error));
    stream = answer.body.pipe(gunzip);
  }
  let total = 0;
  try {
    for await (const chunk of stream) {
      total += chunk.length;
      if (total > limit) {
        throw new RemoteError(
          'RemoteTooLarge',
          `${goVerb(method)} "${withoutCredentials(url)}": answer exceeds the limit of ${limit} bytes`,
          { url: bareUrl(url), limit },
        );
      }
      yield chunk;
    }
  } catch (error) {
    throw toRemoteError(error, method, url, deadline.signal);
  } finally {
    deadline.stop();
    answer.body.on('error', () => {}).destroy();
  }
}

interface Deadline {
  readonly signal: AbortSignal;
  stop(): void;
}

function startDeadline(request: HttpRequest): Deadline {
  const controller = new AbortController();
  const onAbort = () => controller.abort(request.signal?.reason);
  if (request.signal?.aborted) onAbort();
  request.signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => {
    controller.abort(new DOMException('context deadline exceeded', 'TimeoutError'));
  }, request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  timer.unref();
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
    },
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const shown = url === undefined ? 'not a URL' : `unsupported protocol scheme "${url.protocol.slice(0, -1)}"`;
    throw new RemoteError('RemoteUrlInvalid', shown, { url: url === undefined ? '' : bareUrl(url) });
  }
  return url;
}

/** The RemoteError for anything that an exchange threw. */
function toRemoteError(error: unknown, method: string, url: URL, signal: AbortSignal): RemoteError {
  if (error instanceof RemoteError) return error;
  const { code, text, address } = describeFailure(error, signal);
  return new RemoteError(
    code,
    `${goVerb(method)} "${withoutCredentials(url)}": ${text}`,
    { url: bareUrl(url), ...(address === undefined ? {} : { address }) },
    { cause: error },
  );
}

function failure(code: RemoteErrorCode, hop: { url: URL; method: string }, message: string): RemoteError {
  const text = `${goVerb(hop.method)} "${withoutCredentials(hop.url)}": ${message}`;
  return new RemoteError(code, text, { url: bareUrl(hop.url) });
}

// The method as Go writes it at the head of an error: `Get`, `Post`.
function goVerb(method: string): string {
  return method.charAt(0) + method.slice(1).toLowerCase();
}

// The URL for texts. A signed query (`?sig=`, `?token=`, `X-Amz-…`) is a credential too; Git's own parameter is not, and
// Go's texts show it (`…/info/refs?service=git-upload-pack`).
function withoutCredentials(url: URL): string {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  if (copy.search !== '' && !/^\?service=git-(?:upload|receive)-pack$/.test(copy.search)) copy.search = '';
  return copy.href;
}

// The URL for data: without user info, query and fragment.
function bareUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
