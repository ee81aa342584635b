// Owns a proxy for tests that stands between a client and a Kubernetes API server and breaks requests on purpose, and
// the end of a process as the server sees it: from one request on, nothing more arrives. What is broken when is the
// test's rule.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { ClusterAccess } from '../../src/cluster/access.ts';
import { bindFreePort } from '../cluster/processes.ts';

/** A request as rules see it. */
export interface ApiRequest {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  readonly body: string;
  readonly watch: boolean;
  /** Changes something on the server. */
  readonly write: boolean;
}

export type ApiFault =
  /** Answered by the proxy; the server never sees it. `message` goes into a Status object. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly reason: string;
      readonly message?: string;
      readonly retryAfterSeconds?: number;
    }
  /** The server sees the request when the promise has resolved. */
  | { readonly kind: 'wait'; readonly until: Promise<unknown> }
  /** The connection is closed at once; the server sees the request when the promise has resolved. */
  | { readonly kind: 'late'; readonly until: Promise<unknown> }
  /** No answer ever, and the server never sees it. */
  | { readonly kind: 'hang' }
  /** The connection is closed before the server sees the request. */
  | { readonly kind: 'reset' }
  /** The server handles the request, then the connection is closed without an answer. */
  | { readonly kind: 'lost answer' }
  /** The client dies before (or after) the server has handled this request: nothing else is let through. */
  | { readonly kind: 'death'; readonly when: 'before' | 'after' };

/**
 * LOCKSTEP_LAG_MS: how much later answers come by way of any proxy, and what watches tell: up to eight times as much,
 * each watch its own, so that news of two kinds come in another order than they happened in. A suite must hold all the
 * same: a busy server is no other.
 */
export const answerLagMs = Number(process.env['LOCKSTEP_LAG_MS'] ?? 0);
/** The longest lag of a watch, in lags of an answer. */
const WATCH_LAGS = 8;

/** Told of each write that the server has answered. */
export type SeenAnswer = (request: ApiRequest, status: number, body: string) => void;

/** Decides on each request; undefined lets it through. */
export type FaultRule = (request: ApiRequest) => ApiFault | undefined;

/** The rule for watches and for requests about one namespace: objects of the test before may still be on their way out. */
export function inNamespace(namespace: string, rule: FaultRule): FaultRule {
  const place = `/namespaces/${namespace}/`;
  return (request) => (request.watch || request.url.includes(place) ? rule(request) : undefined);
}

/** A running proxy: the road of one process to its API server. */
export interface FaultyApi {
  /** The same access by way of the proxy, over plain HTTP. */
  readonly access: ClusterAccess;
  /** The rule from now on; none when undefined. */
  inject(rule: FaultRule | undefined): void;
  /** Resolves when a rule has let the client die. */
  readonly died: Promise<void>;
  /** How many watches are open. */
  watches(): number;
  /** Ends all open watches, as a server or load balancer does now and then; with 410 inside the stream if `expired`. */
  closeWatches(expired?: boolean): void;
  /** Nobody listens on the port any more. */
  down(): Promise<void>;
  /** The port answers again. */
  up(): Promise<void>;
  close(): Promise<void>;
}

interface ProxyState {
  readonly target: ClusterAccess;
  readonly agent: Agent;
  readonly watches: Set<ServerResponse>;
  readonly onAnswer: SeenAnswer | undefined;
  rule: FaultRule | undefined;
  die(): void;
}

/** Starts a proxy before the API server of `target`. */
export async function startFaultyApi(target: ClusterAccess, onAnswer?: SeenAnswer): Promise<FaultyApi> {
  const died = Promise.withResolvers<void>();
  let isDead = false;
  const state: ProxyState = {
    target,
    agent: new Agent({ keepAlive: true }),
    watches: new Set(),
    onAnswer,
    rule: undefined,
    die: () => {
      isDead = true;
      server.closeAllConnections();
      died.resolve();
    },
  };
  const server = createServer((request, response) => {
    response.on('error', () => {});
    if (isDead) request.socket.destroy();
    else void handle(request, response, state, () => isDead).catch(() => request.socket.destroy());
  });
  // Without Nagle's delay small answers are as fast as from the server itself.
  server.on('connection', (socket) => socket.setNoDelay(true));
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const port = await bindFreePort(listen);
  return {
    access: { ...target, server: `http://127.0.0.1:${port}`, tls: {} },
    inject: (rule) => {
      state.rule = rule;
    },
    died: died.promise,
    watches: () => state.watches.size,
    closeWatches: (expired = false) => {
      for (const response of state.watches) {
        if (expired) response.end(`${JSON.stringify({ type: 'ERROR', object: statusObject(410, 'Expired') })}\n`);
        else response.destroy();
      }
    },
    down: stop,
    up: () => listen(port),
    close: async () => {
      if (server.listening) await stop();
      state.agent.destroy();
    },
  };
}

async function handle(
  incoming: IncomingMessage,
  response: ServerResponse,
  state: ProxyState,
  isDead: () => boolean,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const method = incoming.method ?? 'GET';
  const url = incoming.url ?? '/';
  const body = Buffer.concat(chunks);
  const watch = /[?&]watch=true/.test(url);
  const write = method !== 'GET' && !/[?&]dryRun=All/.test(url);
  const request: ApiRequest = { method, url, body: body.toString('utf8'), watch, write };
  const fault = isDead() ? undefined : state.rule?.(request);
  // Another request may have been the last one while this one's body came.
  if (isDead()) return void incoming.socket.destroy();
  switch (fault?.kind) {
    case 'status':
      return answer(response, fault);
    case 'hang':
      return;
    case 'reset':
      return void incoming.socket.destroy();
    case 'death':
      if (fault.when === 'after') await (await send(incoming, body, state)).toArray();
      return state.die();
    case 'lost answer':
      await (await send(incoming, body, state)).toArray();
      return void incoming.socket.destroy();
    case 'late':
      incoming.socket.destroy();
      await fault.until;
      return void (await (await send(incoming, body, state)).toArray());
    case 'wait':
      await fault.until;
      return relay(await send(incoming, body, state), response, request, state);
    case undefined:
      return relay(await send(incoming, body, state), response, request, state);
    default:
      return fault satisfies never;
  }
}

function answer(response: ServerResponse, fault: Extract<ApiFault, { kind: 'status' }>): void {
  const retry = fault.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) };
  response.writeHead(fault.status, { 'content-type': 'application/json', ...retry });
  response.end(JSON.stringify(statusObject(fault.status, fault.reason, fault.message)));
}

function statusObject(code: number, reason: string, message = `injected: ${reason}`): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

function send(incoming: IncomingMessage, body: Buffer, { target, agent }: ProxyState): Promise<IncomingMessage> {
  const { host } = new URL(target.server);
  const { ca, cert, key, insecure } = target.tls;
  return new Promise((resolve, reject) => {
    const upstream = httpsRequest(
      `${target.server}${incoming.url}`,
      {
        agent,
        method: incoming.method ?? 'GET',
        headers: { ...incoming.headers, host },
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(target.tls.serverName === undefined ? {} : { servername: target.tls.serverName }),
        rejectUnauthorized: insecure !== true,
      },
      resolve,
    );
    upstream.on('error', reject);
    upstream.end(body);
  });
}

function relay(from: IncomingMessage, response: ServerResponse, request: ApiRequest, state: ProxyState): void {
  response.writeHead(from.statusCode ?? 500, from.headers);
  response.flushHeaders();
  if (request.watch) state.watches.add(response);
  if (request.write && state.onAnswer !== undefined) {
    const chunks: Buffer[] = [];
    from.on('data', (chunk: Buffer) => chunks.push(chunk));
    from.on('end', () => state.onAnswer?.(request, from.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
  }
  response.on('close', () => {
    state.watches.delete(response);
    from.destroy();
  });
  from.on('error', () => response.destroy());
  const lagMs = answerLagMs * (request.watch ? WATCH_LAGS * Math.random() : 1);
  if (lagMs === 0) return void from.pipe(response);
  from.on('data', (chunk: Buffer) => void setTimeout(() => response.write(chunk), lagMs));
  from.on('end', () => void setTimeout(() => response.end(), lagMs));
}
