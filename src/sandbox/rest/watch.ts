// Owns watch requests: where to start, which events a selector shows, bookmarks, and the end. Sending bytes is the
// caller's. A client that reads slowly costs no memory: what it has not read stays in the storage's history, and when
// that has moved on, the watch ends and the client lists again.
import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import type { KubeObject } from '../object.ts';
import { apiVersionOf } from '../registry.ts';
import { type Change, Entry } from '../storage/storage.ts';
import { toVersion } from './convert.ts';
import { ApiError, statusOf } from './errors.ts';
import { entryJson, type ListRequest, prefixOf, unreadableRevision } from './list.ts';
import type { ListOptions } from './list-options.ts';
import type { Matcher } from './selectors.ts';

/** Where events go. */
export interface WatchSink {
  /** Sends one event line. */
  send(line: string): void;
  /** The client has enough to read; more comes after `onDrain`. */
  readonly full: boolean;
  /** Calls back whenever the client has read everything. */
  onDrain(callback: () => void): void;
  end(): void;
}

/** JSON of the object as the client wants it (a table, metadata only); undefined for the object itself. */
export type Presenter = ((object: KubeObject) => string) | undefined;

interface Timers {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

const BOOKMARK_MS = 30_000;
/** How long before the end of a watch its last bookmark comes. */
const LAST_BOOKMARK_MS = 2000;
const INITIAL_END = 'k8s.io/initial-events-end';

/** The parameters of the request, and what the watch needs of its caller. */
export interface WatchOptions extends ListOptions {
  readonly present: Presenter;
  readonly timers: Timers;
}

/** Starts a watch and returns a function that ends it. Throws ApiError 500 for a revision that is no number. */
export function startWatch(core: Core, request: ListRequest, sink: WatchSink, options: WatchOptions): () => void {
  const { revision } = options;
  if (!/^\d*$/.test(revision)) throw new ApiError(500, '', unreadableRevision(revision));
  const watch = new Watch(core, request, sink, options);
  watch.start();
  return () => watch.close();
}

/** One watch: first the initial objects, then past changes, then each change as it happens. */
class Watch {
  private readonly core: Core;
  private readonly request: ListRequest;
  private readonly sink: WatchSink;
  private readonly options: WatchOptions;
  private readonly matcher: Matcher | undefined;
  private readonly prefix: string;
  private readonly stops: (() => void)[] = [];
  private initial: readonly Entry[] = [];
  private initialSent = 0;
  private endsInitial = false;
  /** Revision up to which changes have been looked at. */
  private position = 0;
  /** Changes go straight to the client; otherwise they wait in the storage's history. */
  private live = false;
  private closed = false;

  constructor(core: Core, request: ListRequest, sink: WatchSink, options: WatchOptions) {
    this.core = core;
    this.request = request;
    this.sink = sink;
    this.options = options;
    this.matcher = options.matcher;
    this.prefix = prefixOf(request);
  }

  start(): void {
    const { resource } = this.request;
    const { storage } = this.core;
    const { revision: start, bookmarks, timers, timeoutSeconds } = this.options;
    this.position = start === '' || start === '0' ? storage.revision : Number(start);
    if (this.options.initialEvents) {
      this.initial = storage.list(resource.collection, this.prefix);
      this.position = storage.revision;
      this.endsInitial = bookmarks && this.request.query.has('sendInitialEvents');
    } else if (storage.since(resource.collection, this.position) === undefined) {
      const message = `too old resource version: ${start} (${storage.revision})`;
      this.sink.send(eventLine('ERROR', JSON.stringify(statusOf(new ApiError(410, 'Expired', message)))));
      this.close();
      return;
    }
    this.stops.push(storage.subscribe(resource.collection, (change) => this.onChange(change)));
    this.sink.onDrain(() => this.pump());
    const bookmark = (): void => {
      // Behind the changes a bookmark would skip them.
      if (!this.live || this.sink.full) return;
      this.position = storage.revision;
      this.bookmark(false);
    };
    schedule({ bookmarks, bookmark, close: () => this.close(), stops: this.stops, timers, timeoutSeconds });
    this.pump();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const stop of this.stops) stop();
    this.sink.end();
  }

  private onChange(change: Change): void {
    if (!this.live) return;
    this.deliver(change);
    if (this.sink.full) this.live = false;
  }

  /** Sends what is due until the client has enough or there is nothing left. */
  private pump(): void {
    while (!this.closed && !this.live && !this.sink.full) {
      if (this.initialSent < this.initial.length) this.sendInitial();
      else if (this.endsInitial) {
        this.endsInitial = false;
        this.bookmark(true);
      } else this.catchUp();
    }
  }

  private sendInitial(): void {
    const entry = this.initial[this.initialSent++]!;
    if (!this.matcher || this.matcher(entry.object)) this.send('ADDED', entry);
    if (this.initialSent === this.initial.length) {
      this.initial = [];
      this.initialSent = 0;
    }
  }

  private catchUp(): void {
    const missed = this.core.storage.since(this.request.resource.collection, this.position);
    if (missed === undefined) {
      this.close();
      return;
    }
    for (const change of missed) {
      if (this.sink.full) return;
      this.deliver(change);
    }
    this.live = true;
  }

  private deliver(change: Change): void {
    this.position = change.revision;
    if (this.prefix !== '' && !change.entry.key.startsWith(this.prefix)) return;
    const event = visibleEvent(change, this.matcher);
    if (event === 'DELETED' && change.type === 'MODIFIED') this.send(event, leaving(change));
    else if (event) this.send(event, change.entry);
  }

  private send(type: string, entry: Entry): void {
    const { resource, version } = this.request;
    const { present } = this.options;
    const json = present ? present(toVersion(resource, version, entry.object)) : entryJson(resource, version, entry);
    this.sink.send(eventLine(type, json));
  }

  private bookmark(initialEnd: boolean): void {
    this.sink.send(eventLine('BOOKMARK', bookmarkJson(this.request, this.position, initialEnd)));
  }
}

function eventLine(type: string, json: string): string {
  return `{"type":"${type}","object":${json}}\n`;
}

interface Schedule {
  readonly bookmarks: boolean;
  readonly bookmark: () => void;
  readonly close: () => void;
  readonly stops: (() => void)[];
  readonly timers: Timers;
  readonly timeoutSeconds: number;
}

/** Bookmarks now and then, and the end at the client's timeout with one shortly before it. */
function schedule({ bookmarks, bookmark, close, stops, timers, timeoutSeconds }: Schedule): void {
  const after = (ms: number, callback: () => void): void => {
    const handle = timers.setTimeout(callback, ms);
    stops.push(() => timers.clearTimeout(handle));
  };
  if (timeoutSeconds > 0) {
    const ms = timeoutSeconds * 1000;
    after(ms, close);
    if (bookmarks && ms > LAST_BOOKMARK_MS) after(ms - LAST_BOOKMARK_MS, bookmark);
  }
  if (!bookmarks) return;
  let handle: unknown;
  const tick = (): void => {
    bookmark();
    handle = timers.setTimeout(tick, BOOKMARK_MS);
  };
  handle = timers.setTimeout(tick, BOOKMARK_MS);
  stops.push(() => timers.clearTimeout(handle));
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

/** An object that ceases to match is shown as it last matched, with the version of the change. */
function leaving({ previous, entry }: Change): Entry {
  const { object } = previous!;
  const metadata = { ...object.metadata, resourceVersion: String(entry.revision) };
  return new Entry(entry.key, entry.revision, { ...object, metadata });
}

function bookmarkJson(request: ListRequest, revision: number, initialEnd: boolean): string {
  const metadata = {
    resourceVersion: String(revision),
    ...(initialEnd ? { annotations: { [INITIAL_END]: 'true' } } : {}),
  };
  return stringifyJson({
    kind: request.resource.kind,
    apiVersion: apiVersionOf(request.resource.group, request.version.name),
    metadata,
  });
}
