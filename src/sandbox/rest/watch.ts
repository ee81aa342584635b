// Owns watch requests: where to start, which events a selector shows, bookmarks, and the end. Sending bytes is the
// caller's; the sink says when a client is too slow.
import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import type { KubeObject } from '../object.ts';
import { apiVersionOf } from '../registry.ts';
import type { Change, Entry } from '../storage/storage.ts';
import { toVersion } from './convert.ts';
import { ApiError, forbiddenFault, invalid, requiredFault, statusOf } from './errors.ts';
import { entryJson, type ListRequest, matcherOf, prefixOf } from './list.ts';
import { flag } from './request.ts';
import type { Matcher } from './selectors.ts';

/** Where events go. */
export interface WatchSink {
  /** Sends one event line; false when the client reads too slowly and must be dropped. */
  send(line: string): boolean;
  end(): void;
}

/** JSON of the object as the client wants it (a table, metadata only); undefined for the object itself. */
export type Presenter = ((object: KubeObject) => string) | undefined;

interface Timers {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

const BOOKMARK_MS = 30_000;
const INITIAL_END = 'k8s.io/initial-events-end';

/** Starts a watch and returns a function that ends it. Throws ApiError 400 or 422 for bad parameters. */
export function startWatch(
  core: Core,
  request: ListRequest,
  sink: WatchSink,
  options: { present: Presenter; timers: Timers },
): () => void {
  const { query, resource } = request;
  checkParameters(query);
  const matcher = matcherOf(request);
  const bookmarks = flag(query, 'allowWatchBookmarks');
  const state = { closed: false, sent: 0 };
  const stops: (() => void)[] = [];
  const close = (): void => {
    if (state.closed) return;
    state.closed = true;
    for (const stop of stops) stop();
    sink.end();
  };
  const send = (type: string, json: string): void => {
    if (!state.closed && !sink.send(`{"type":"${type}","object":${json}}\n`)) close();
  };
  const show = (entry: Entry): string =>
    options.present
      ? options.present(toVersion(resource, request.version, entry.object))
      : entryJson(resource, request.version, entry);
  const bookmark = (initialEnd: boolean): void => send('BOOKMARK', bookmarkJson(core, request, initialEnd));

  const prefix = prefixOf(request);
  const deliver = (change: Change): void => {
    if (prefix !== '' && !change.entry.key.startsWith(prefix)) return;
    const event = visibleEvent(change, matcher);
    if (event) send(event, show(change.entry));
  };

  const start = query.get('resourceVersion') ?? '';
  const initial = query.get('sendInitialEvents');
  const fromNow = start === '' || start === '0';
  if (initial === 'true' || (initial === null && fromNow)) {
    for (const entry of core.storage.list(resource.collection, prefix)) {
      if (!matcher || matcher(entry.object)) send('ADDED', show(entry));
    }
    if (initial === 'true' && bookmarks) bookmark(true);
  } else if (!fromNow) {
    const past = core.storage.since(resource.collection, Number(start));
    if (past === undefined) {
      const gone = new ApiError(410, 'Expired', `too old resource version: ${start} (${core.storage.revision})`);
      send('ERROR', JSON.stringify(statusOf(gone)));
      close();
      return close;
    }
    for (const change of past) deliver(change);
  }
  if (state.closed) return close;
  stops.push(core.storage.subscribe(resource.collection, deliver));
  schedule(query, { bookmarks, bookmark, close, stops, timers: options.timers });
  return close;
}

interface Schedule {
  readonly bookmarks: boolean;
  readonly bookmark: (initialEnd: boolean) => void;
  readonly close: () => void;
  readonly stops: (() => void)[];
  readonly timers: Timers;
}

/** Bookmarks now and then, and the end at the client's timeout. */
function schedule(query: URLSearchParams, { bookmarks, bookmark, close, stops, timers }: Schedule): void {
  const seconds = Number(query.get('timeoutSeconds') ?? '0') || 0;
  if (seconds > 0) {
    const end = timers.setTimeout(() => {
      if (bookmarks) bookmark(false);
      close();
    }, seconds * 1000);
    stops.push(() => timers.clearTimeout(end));
  }
  if (!bookmarks) return;
  let handle: unknown;
  const tick = (): void => {
    bookmark(false);
    handle = timers.setTimeout(tick, BOOKMARK_MS);
  };
  handle = timers.setTimeout(tick, BOOKMARK_MS);
  stops.push(() => timers.clearTimeout(handle));
}

function checkParameters(query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch');
  const initial = query.get('sendInitialEvents');
  const kind = { group: 'meta.k8s.io', kind: 'ListOptions' };
  if (initial !== null) {
    if (match === null) {
      throw invalid(kind, '', [
        forbiddenFault(
          'resourceVersionMatch',
          'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
        ),
      ]);
    }
    if (initial === 'true' && !flag(query, 'allowWatchBookmarks')) {
      throw invalid(kind, '', [
        requiredFault('allowWatchBookmarks', 'sendInitialEvents requires setting allowWatchBookmarks to true'),
      ]);
    }
  } else if (match !== null) {
    throw invalid(kind, '', [
      forbiddenFault(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    ]);
  }
  const revision = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(revision)) {
    const why = `strconv.ParseUint: parsing ${JSON.stringify(revision)}: invalid syntax`;
    throw new ApiError(500, '', `resourceVersion: Invalid value: ${JSON.stringify(revision)}: ${why}`);
  }
}

/** What a watcher with a selector sees of a change: objects come and go as they start and stop to match. */
function visibleEvent(change: Change, matcher: Matcher | undefined): Change['type'] | undefined {
  if (matcher === undefined) return change.type;
  const before = change.previous !== undefined && matcher(change.previous.object);
  const after = change.type !== 'DELETED' && matcher(change.entry.object);
  if (before && after) return 'MODIFIED';
  if (after) return 'ADDED';
  return before ? 'DELETED' : undefined;
}

function bookmarkJson(core: Core, request: ListRequest, initialEnd: boolean): string {
  const metadata = {
    resourceVersion: String(core.storage.revision),
    creationTimestamp: null,
    ...(initialEnd ? { annotations: { [INITIAL_END]: 'true' } } : {}),
  };
  return stringifyJson({
    kind: request.resource.kind,
    apiVersion: apiVersionOf(request.resource.group, request.version.name),
    metadata,
  });
}
