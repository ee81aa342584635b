// Owns keeping the storage on disk: an append-only log of changes, compacted into a snapshot now and then. A torn last
// record is dropped, so a kill at any moment loses nothing that was answered.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../lib/errors.ts';
import { type Change, Entry, type Storage } from './storage.ts';

/** An open log. */
export interface StateLog {
  close(): void;
}

const FILE = 'objects.log';
/** The log is compacted when it is this much larger than it was after the last compaction. */
const GROWTH = 4;
const SMALLEST = 8 * 1024 * 1024;
const SYNC_MS = 1000;

/** Loads the log of a state directory into the storage, then records each change before it is answered. */
export function openStateLog(stateDir: string, storage: Storage): StateLog {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const path = join(stateDir, FILE);
  load(path, storage);
  let size = compact(path, storage);
  let base = size;
  let file = openSync(path, 'a', 0o600);
  let dirty = false;
  storage.onCommit = (change) => {
    const bytes = Buffer.from(formatRecord(change), 'utf8');
    writeAll(file, bytes);
    size += bytes.length;
    dirty = true;
  };
  // What write(2) took survives the process; fsync is for the machine, once a second.
  const timer = setInterval(() => {
    if (!dirty) return;
    dirty = false;
    if (size > Math.max(SMALLEST, base * GROWTH)) {
      closeSync(file);
      size = base = compact(path, storage);
      file = openSync(path, 'a', 0o600);
    } else fsyncSync(file);
  }, SYNC_MS);
  timer.unref();
  return {
    close() {
      clearInterval(timer);
      storage.onCommit = undefined;
      fsyncSync(file);
      closeSync(file);
    },
  };
}

function writeAll(file: number, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(file, bytes, done);
}

/** One line: operation, revision, collection, key, then the object as JSON for a put. */
function formatRecord({ type, collection, entry, revision }: Change): string {
  if (type === 'DELETED') return `D ${revision} ${collection} ${entry.key}\n`;
  return `P ${revision} ${collection} ${entry.key} ${entry.json}\n`;
}

function load(path: string, storage: Storage): void {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const live = new Map<string, { collection: string; key: string; revision: number; json: string }>();
  let revision = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    const record = parseRecord(text.slice(start, end));
    start = end + 1;
    if (record === undefined) continue;
    revision = Math.max(revision, record.revision);
    const id = `${record.collection} ${record.key}`;
    if (record.json === undefined) live.delete(id);
    else live.set(id, { ...record, json: record.json });
  }
  if (start < text.length) truncateSync(path, Buffer.byteLength(text.slice(0, start), 'utf8'));
  for (const { collection, key, revision: at, json } of live.values()) {
    storage.load(collection, new Entry(key, at, json));
  }
  storage.loaded(revision);
}

function parseRecord(
  line: string,
): { collection: string; key: string; revision: number; json: string | undefined } | undefined {
  const [operation, revision, collection, key] = line.split(' ', 4);
  if (!operation || !revision || !collection) return undefined;
  if (operation === 'R') return { collection, key: '', revision: Number(revision), json: undefined };
  if (key === undefined) return undefined;
  if (operation === 'D') return { collection, key, revision: Number(revision), json: undefined };
  const head = operation.length + revision.length + collection.length + key.length + 4;
  return { collection, key, revision: Number(revision), json: line.slice(head) };
}

/** Rewrites the log with one record per object; returns its size. */
function compact(path: string, storage: Storage): number {
  const next = `${path}.new`;
  const file = openSync(next, 'w', 0o600);
  // The revision must not fall back even when the newest change was a deletion.
  writeAll(file, Buffer.from(`R ${storage.revision} -\n`));
  for (const name of storage.names()) {
    const lines = storage.list(name).map((entry) => `P ${entry.revision} ${name} ${entry.key} ${entry.json}\n`);
    writeAll(file, Buffer.from(lines.join(''), 'utf8'));
  }
  fsyncSync(file);
  closeSync(file);
  renameSync(next, path);
  return statSync(path).size;
}
