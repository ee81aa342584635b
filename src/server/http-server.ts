// Owns a listening HTTP server: routes, the check of the Host header, an orderly end. What the routes say is others'.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers a request; false when the path is none of its own. */
export type Route = (request: IncomingMessage, response: ServerResponse, path: string) => boolean | Promise<boolean>;

export interface HttpServerOptions {
  readonly port: number;
  /** @default '127.0.0.1' */
  readonly listen?: string;
  /** Host names beside the address itself that requests may name; pages of other sites cannot reach us so. */
  readonly hosts?: readonly string[];
  readonly routes: readonly Route[];
}

export interface RunningServer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

const HEADER_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Starts a server. Rejects when the port is taken. */
export async function startHttpServer(options: HttpServerOptions): Promise<RunningServer> {
  const listen = options.listen ?? '127.0.0.1';
  const server = createServer({ headersTimeout: HEADER_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS });
  server.on('request', (request, response) => {
    void answer(request, response, options, listen).catch(() => {
      if (!response.headersSent) send(response, 500, 'internal error\n');
      else response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, listen, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${urlHost(listen)}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpServerOptions,
  listen: string,
): Promise<void> {
  if (!isAllowedHost(request.headers.host, listen, options.hosts ?? [])) {
    send(response, 421, 'this server does not answer for that host\n');
    return;
  }
  const path = decodePath(request.url ?? '/');
  if (path === undefined) {
    send(response, 400, 'malformed path\n');
    return;
  }
  for (const route of options.routes) if (await route(request, response, path)) return;
  send(response, 404, 'not found\n');
}

/** The listening address as URLs of this machine name it. */
export function urlHost(listen: string): string {
  if (listen === '0.0.0.0') return '127.0.0.1';
  if (listen === '::') return '[::1]';
  return listen.includes(':') ? `[${listen}]` : listen;
}

/** With a wildcard address whoever reaches the port may name it as he likes: the network decides then. */
function isAllowedHost(host: string | undefined, listen: string, hosts: readonly string[]): boolean {
  if (listen === '0.0.0.0' || listen === '::') return true;
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase();
  return ['localhost', '127.0.0.1', '[::1]', urlHost(listen), ...hosts].includes(name);
}

function decodePath(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split('?', 1)[0]!);
  } catch {
    return undefined;
  }
}

/** Sends a short text. */
export function send(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
