// Owns small charts and chart repositories for tests: archives, an index, a server of files that counts and can misbehave.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { toYaml } from '../../src/lib/goyaml/sigs.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { writeTar } from '../../src/lib/tar.ts';

/** The files of a small chart. */
export function chartFiles(name: string, version: string, extra: Readonly<Record<string, string>> = {}) {
  return {
    'Chart.yaml': toYaml({ apiVersion: 'v2', name, version }),
    'values.yaml': 'color: blue\n',
    'templates/cm.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {color: {{ .Values.color }}}\n`,
    ...extra,
  };
}

/** A chart's archive. */
export function chartArchive(name: string, version: string, extra: Readonly<Record<string, string>> = {}): Buffer {
  const files = Object.entries(chartFiles(name, version, extra));
  const entries = files.map(([path, text]) => {
    return { name: `${name}/${path}`, kind: 'file', mode: 0o644, data: Buffer.from(text) } as const;
  });
  return gzipSync(writeTar(entries));
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** An entry of an index. */
export function indexEntry(name: string, version: string, archive: Uint8Array, extra: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'v2',
    name,
    version,
    created: '2024-01-01T00:00:00Z',
    digest: sha256(archive),
    urls: [`${name}-${version}.tgz`],
    ...extra,
  };
}

/** An index as Helm writes it. */
export function indexYaml(entries: Readonly<Record<string, readonly JsonObject[]>>): string {
  return toYaml({ apiVersion: 'v1', entries: entries as JsonObject, generated: '2024-01-01T00:00:00Z' });
}

/** A server of files in memory. */
export interface FileServer {
  readonly url: string;
  /** Path (`/index.yaml`) → content, or what answers. Change it at will. */
  readonly files: Map<string, string | Uint8Array | ((request: IncomingMessage, response: ServerResponse) => void)>;
  /** What was asked for, in order, with the password that came along. */
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
  stop(): Promise<void>;
}

/** Starts a server on loopback; it answers conditional requests. */
export async function startFileServer(): Promise<FileServer> {
  const files: FileServer['files'] = new Map();
  const requests: FileServer['requests'] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    requests.push({ path, authorization: request.headers.authorization });
    const file = files.get(path);
    if (typeof file === 'function') return file(request, response);
    if (file === undefined) return response.writeHead(404).end();
    const bytes = Buffer.from(file);
    const etag = `"${sha256(bytes)}"`;
    if (request.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end();
    return response.writeHead(200, { etag, 'content-length': bytes.length }).end(bytes);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
