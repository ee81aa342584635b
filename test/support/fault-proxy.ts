// Owns a proxy for tests that stands before one HTTP server, counts bytes and breaks things on purpose.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong. `when` picks requests; without it all are hit. */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** The answer's body ends after that many bytes, by closing the connection. */
  | { readonly kind: 'cut'; readonly bytes: number }
  /** The answer's body stops after that many bytes and nothing more comes. */
  | { readonly kind: 'stall'; readonly bytes: number }
  /** The answer's body comes byte by byte. */
  | { readonly kind: 'trickle'; readonly delayMs: number }
  /** `Content-Length` promises more than comes. */
  | { readonly kind: 'wrong-length' }
  /** One byte of the answer's body is another one. */
  | { readonly kind: 'flip'; readonly at: number }
  /** The connection is closed before any answer. */
  | { readonly kind: 'reset' };

/** Picks the requests that a fault hits. */
export type When = (request: { method: string; url: string }) => boolean;

/** A running proxy. */
export interface FaultProxy {
  readonly url: string;
  /** Bytes of bodies from the server to clients since the last `reset`. */
  received(): number;
  /** Bytes of bodies from clients to the server. */
  sent(): number;
  /** Requests since the last `reset`: method and path. */
  requests(): readonly string[];
  /** Headers of the last request. */
  lastHeaders(): IncomingMessage['headers'];
  reset(): void;
  /** The fault from now on; none when undefined. */
  inject(fault: Fault | undefined, when?: When): void;
  close(): Promise<void>;
}

/** Starts a proxy before `target` (`http://host:port`). */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const state = { received: 0, sent: 0, requests: [] as string[], headers: {} as IncomingMessage['headers'] };
  let fault: Fault | undefined;
  let applies: When = () => true;
  const server = createServer((request, response) => {
    state.requests.push(`${request.method} ${request.url}`);
    state.headers = request.headers;
    const hit = applies({ method: request.method ?? '', url: request.url ?? '' }) ? fault : undefined;
    if (hit?.kind === 'reset') return void request.socket.destroy();
    if (hit?.kind === 'status') return void request.resume().on('end', () => answerStatus(response, hit));
    forward(request, response, target, hit, state);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => state.received,
    sent: () => state.sent,
    requests: () => state.requests,
    lastHeaders: () => state.headers,
    reset() {
      state.received = 0;
      state.sent = 0;
      state.requests = [];
    },
    inject(next, when = () => true) {
      fault = next;
      applies = when;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answerStatus(response: ServerResponse, fault: Extract<Fault, { kind: 'status' }>): void {
  response.writeHead(fault.status, { 'content-type': 'text/plain', ...fault.headers });
  response.end(fault.body ?? '');
}

function forward(
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  fault: Fault | undefined,
  state: { received: number; sent: number },
): void {
  const { host, port } = new URL(target);
  const upstream = httpRequest(
    `${target}${request.url}`,
    { method: request.method ?? 'GET', headers: { ...request.headers, host: host || `127.0.0.1:${port}` } },
    (answer) => {
      const headers = { ...answer.headers };
      if (fault?.kind === 'wrong-length') headers['content-length'] = '1000000';
      response.writeHead(answer.statusCode ?? 500, headers);
      relay(answer, response, fault, state);
    },
  );
  upstream.on('error', () => response.destroy());
  request.on('data', (chunk: Buffer) => {
    state.sent += chunk.length;
  });
  request.pipe(upstream);
}

function relay(
  answer: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
  state: { received: number },
): void {
  let seen = 0;
  answer.on('data', (chunk: Buffer) => {
    const start = seen;
    seen += chunk.length;
    state.received += chunk.length;
    switch (fault?.kind) {
      case 'cut':
        response.write(chunk.subarray(0, Math.max(0, fault.bytes - start)));
        if (seen >= fault.bytes) {
          setImmediate(() => response.socket?.destroy());
        }
        return;
      case 'stall':
        response.write(chunk.subarray(0, Math.max(0, fault.bytes - start)));
        return;
      case 'flip':
        if (fault.at >= start && fault.at < seen) chunk[fault.at - start] = (chunk[fault.at - start] as number) ^ 0x10;
        break;
      case 'trickle':
        answer.pause();
        trickle(response, chunk, fault.delayMs, () => answer.resume());
        return;
    }
    response.write(chunk);
  });
  answer.on('end', () => {
    if (fault?.kind === 'stall') return;
    // A cut that was reached: an end would make a whole, short answer of it.
    if (fault?.kind === 'cut' && seen >= fault.bytes) return;
    if (fault?.kind === 'wrong-length') response.socket?.destroy();
    else if (fault?.kind !== 'trickle') response.end();
  });
}

function trickle(response: ServerResponse, chunk: Buffer, delayMs: number, done: () => void): void {
  let at = 0;
  const timer = setInterval(() => {
    if (response.destroyed || at >= chunk.length) {
      clearInterval(timer);
      return done();
    }
    response.write(chunk.subarray(at, ++at));
  }, delayMs);
}
