// Owns the serving of artifact archives over HTTP: whole, in ranges, with ETags (RFC 9110 §14). Where they are is the
// artifact room's.
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Route, send } from './http-server.ts';

/** Finds the file of an artifact path; throws or answers undefined when the path is none. */
export type LocateArtifact = (path: string) => string | undefined;

/** Serves `GET` and `HEAD` of `/<artifact path>`. */
export function artifactRoute(locate: LocateArtifact): Route {
  return async (request, response, path) => {
    const file = locateSafely(locate, path);
    if (file === undefined) return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      send(response, 405, 'method not allowed\n');
      return true;
    }
    const handle = await openFile(file);
    if (handle === undefined) return false;
    try {
      await serve(handle, file, request, response);
    } finally {
      await handle.close();
    }
    return true;
  };
}

function locateSafely(locate: LocateArtifact, path: string): string | undefined {
  if (!/^\/[a-z]+\/[^/]+\/[^/]+\/[^/]+\.(tar\.gz|tgz|yaml)$/.test(path)) return undefined;
  try {
    return locate(path.slice(1));
  } catch {
    return undefined;
  }
}

async function openFile(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function serve(
  handle: FileHandle,
  file: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { size, mtimeMs, ino } = await handle.stat();
  const etag = `"${ino.toString(16)}-${size.toString(16)}-${Math.round(mtimeMs).toString(16)}"`;
  response.setHeader('etag', etag);
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('content-type', 'application/gzip');
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  const isStale = request.headers['if-range'] !== undefined && request.headers['if-range'] !== etag;
  const range = isStale ? 'whole' : parseRange(request.headers.range, size);
  if (range === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${size}`);
    send(response, 416, 'range not satisfiable\n');
    return;
  }
  const { start, end } = range === 'whole' ? { start: 0, end: size - 1 } : range;
  if (range !== 'whole') response.setHeader('content-range', `bytes ${start}-${end}/${size}`);
  response.writeHead(range === 'whole' ? 200 : 206, { 'content-length': end - start + 1 });
  if (request.method === 'HEAD' || size === 0) {
    response.end();
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const stream = createReadStream(file, { start, end });
    stream.on('error', reject);
    response.on('close', resolve);
    stream.pipe(response);
  });
}

/** One range of bytes, both ends included. Several ranges, or none that can be read, mean the whole file. */
export function parseRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'whole' | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return 'whole';
  const [from, to] = [match[1]!, match[2]!];
  const start = from === '' ? Math.max(size - Number(to), 0) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== '' && to !== '' && Number(to) < start) return 'whole';
  return start >= size || start > end ? 'unsatisfiable' : { start, end };
}
