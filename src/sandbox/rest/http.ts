// Owns the HTTP connection: reading requests with limits, authentication, writing answers and streams.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Authenticate } from '../auth/authenticate.ts';
import { impersonate } from '../auth/impersonate.ts';
import type { Answer, Reply } from './answer.ts';
import { ApiError } from './errors.ts';
import { parseRequest } from './request.ts';
import { faultAnswer, type Routes, serve } from './serve.ts';

/** Bytes of a request body that the API server accepts. */
const BODY_LIMIT = 3 * 1024 * 1024;
/** A watch's client that has this much to read gets no more until it has read it. */
const UNREAD_BYTES = 128 * 1024;

/** The connections of a server. */
export interface Connections {
  /** Ends all streams. */
  end(): void;
  /** Cuts every connection, those too that have not spoken yet and that a server's end would wait for. */
  cut(): void;
}

interface Hooks {
  readonly authenticate: Authenticate;
  readonly onBug: (error: unknown) => void;
}

/** Serves every request of the server. */
export function handleConnection(server: Server, routes: Routes, hooks: Hooks): Connections {
  const streams = new Set<() => void>();
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response, { routes, hooks, streams }).catch((error: unknown) => {
      hooks.onBug(error);
      response.destroy();
    });
  });
  return {
    end() {
      for (const end of [...streams]) end();
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

interface Context {
  readonly routes: Routes;
  readonly hooks: Hooks;
  readonly streams: Set<() => void>;
}

async function handle(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { routes, hooks } = context;
  let reply: Reply;
  try {
    const caller = hooks.authenticate(request.headers);
    const bytes = await readBody(request);
    // A protobuf body is no text; everything else is UTF-8.
    const body = bytes[0] === 0x6b && bytes[3] === 0 ? '' : bytes.toString('utf8');
    const acting = impersonate(routes.core, caller, request);
    reply = serve(routes, {
      method: request.method ?? 'GET',
      info: parseRequest(request.url ?? '/'),
      headers: request.headers,
      caller: acting,
      body,
      bytes,
    });
  } catch (error) {
    if (!(error instanceof ApiError)) hooks.onBug(error);
    reply = faultAnswer(error);
  }
  if ('stream' in reply) stream(reply, response, context);
  else send(reply, response, request.method === 'HEAD');
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  if (request.method === 'GET' || request.method === 'HEAD') {
    request.resume();
    return Promise.resolve(Buffer.alloc(0));
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_LIMIT) chunks.push(chunk);
    });
    request.on('end', () => {
      if (size > BODY_LIMIT)
        reject(new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${BODY_LIMIT}`));
      else resolve(Buffer.concat(chunks));
    });
    request.on('error', reject);
  });
}

function send(answer: Answer, response: ServerResponse, headOnly: boolean): void {
  // The API server ends JSON with a line break.
  const body = Buffer.from(answer.contentType === undefined ? `${answer.body}\n` : answer.body, 'utf8');
  const headers: Record<string, string | number | string[]> = {
    'Content-Type': answer.contentType ?? 'application/json',
    'Content-Length': body.length,
    'Cache-Control': 'no-cache, private',
    ...answer.headers,
  };
  if (answer.warnings) headers['Warning'] = warningHeader(answer.warnings);
  response.writeHead(answer.status, headers);
  response.end(headOnly ? undefined : body);
}

function warningHeader(warnings: readonly string[]): string[] {
  return warnings.map((text) => `299 - ${JSON.stringify(text)}`);
}

function stream(reply: Extract<Reply, { stream: unknown }>, response: ServerResponse, context: Context): void {
  let started = false;
  let finished = false;
  const begin = (): void => {
    if (started) return;
    started = true;
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-cache, private',
      'Transfer-Encoding': 'chunked',
      ...(reply.warnings ? { Warning: warningHeader(reply.warnings) } : {}),
    });
    response.flushHeaders();
  };
  let end = (): void => {};
  const sink = {
    send(line: string): void {
      begin();
      if (!response.destroyed) response.write(line);
    },
    get full(): boolean {
      // Only when a drain event is to come, or the watch would never go on.
      return response.writableNeedDrain && response.writableLength > UNREAD_BYTES;
    },
    onDrain(callback: () => void): void {
      response.on('drain', callback);
    },
    end(): void {
      finished = true;
      context.streams.delete(end);
      begin();
      response.end();
    },
  };
  try {
    const stop = reply.stream(sink);
    if (finished) return;
    end = stop;
    begin();
    context.streams.add(stop);
    response.on('close', stop);
  } catch (error) {
    if (started) response.destroy();
    else send(faultAnswer(error), response, false);
  }
}
