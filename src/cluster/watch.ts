// Owns the watch stream: bytes -> lines -> events. Keeping state and starting again is informer.ts.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KubeObject } from '../api/meta/object.ts';
import { isJsonObject, type JsonValue, parseJson } from '../lib/json.ts';
import { apiErrorOfStatus } from './api-error.ts';
import type { ResourceMapping } from './discovery.ts';
import { groupVersion } from './discovery.ts';
import { type ListOptions, listPath, query } from './paths.ts';
import type { RestClient } from './rest.ts';

export interface WatchOptions extends ListOptions {
  /** Events after this state. */
  readonly resourceVersion: string;
  /** The server ends the watch after this long. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  /** Called when the server has begun to answer. */
  readonly onOpen?: (() => void) | undefined;
}

export interface WatchEvent<T extends KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

const NEWLINE = 10;
/** Buffered chunks are read without a turn of the event loop; in a burst one is made after so much (about 1 ms). */
const YIELD_BYTES = 256 * 1024;
const METADATA_WATCH = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/**
 * Cuts a byte stream into lines. Hot: a busy watch delivers thousands of lines a second, so chunks are searched as
 * bytes and each line is decoded once.
 */
export class LineDecoder {
  #pending: Buffer[] = [];

  /** The lines that the chunk completes, without line ends and empty ones. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#take(chunk, start, end);
      if (line !== '') lines.push(line);
      start = end + 1;
    }
    // A copy would be needed only if the sender reused the buffer; undici does not.
    if (start < chunk.length) this.#pending.push(start === 0 ? chunk : chunk.subarray(start));
    return lines;
  }

  /** What came after the last line end. */
  end(): string {
    const rest = Buffer.concat(this.#pending).toString('utf8');
    this.#pending = [];
    return rest;
  }

  #take(chunk: Buffer, start: number, end: number): string {
    if (this.#pending.length === 0) return chunk.toString('utf8', start, end);
    this.#pending.push(chunk.subarray(start, end));
    const line = Buffer.concat(this.#pending).toString('utf8');
    this.#pending = [];
    return line;
  }
}

/**
 * Follows a resource until the stream ends, and calls `onEvent` for each event in order. Resolves when the server
 * closed it. Throws `ApiError`, for an error inside the stream too (`ApiExpired` and `ApiGone`: list again).
 */
export async function followWatch<T extends KubeObject>(
  rest: RestClient,
  mapping: ResourceMapping,
  options: WatchOptions,
  onEvent: (event: WatchEvent<T>) => void,
): Promise<void> {
  const path =
    listPath(mapping, options.namespace) +
    query({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: options.resourceVersion,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      timeoutSeconds: String(options.timeoutSeconds),
    });
  const accept = options.metadataOnly ? METADATA_WATCH : undefined;
  // A server that hangs ends nothing by itself; bookmarks alone make longer silence impossible.
  const timeoutMs = (options.timeoutSeconds + 60) * 1000;
  const body = await rest.stream({ method: 'GET', path, accept, idempotent: true, signal: options.signal, timeoutMs });
  options.onOpen?.();
  const decoder = new LineDecoder();
  const apiVersion = groupVersion(mapping.group, mapping.version);
  const deliver = (line: string): void => {
    const event = parseJson(line) as unknown as { type: string; object: JsonValue };
    if (event.type === 'ERROR') throw apiErrorOfStatus(event.object, `WATCH ${listPath(mapping, options.namespace)}`);
    if (!isJsonObject(event.object)) return;
    if (options.metadataOnly) {
      event.object['apiVersion'] = apiVersion;
      event.object['kind'] = mapping.kind;
    }
    onEvent(event as unknown as WatchEvent<T>);
  };
  try {
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      for (const line of decoder.push(chunk)) deliver(line);
      bytes += chunk.length;
      if (bytes < YIELD_BYTES) continue;
      bytes = 0;
      await nextTurn();
    }
  } finally {
    body.destroy();
  }
}
