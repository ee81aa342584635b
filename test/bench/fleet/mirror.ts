// Owns a copy of one collection of the API server, kept by a watch, and waiting for a state of it. It costs the measured
// processes nothing but that watch.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, openApi } from '../../support/api.ts';
import type { Live } from '../../support/reconciler.ts';

export type Objects = ReadonlyMap<string, Live>;

export interface Mirror {
  readonly objects: Objects;
  /**
   * Resolves when nothing is left; says on stderr how much is, every few seconds.
   * @throws Error after ten minutes · the signal's reason
   */
  until(what: string, left: (objects: Objects) => number): Promise<void>;
  close(): Promise<void>;
}

const LIMIT_MS = 600_000;
const PROGRESS_MS = 5_000;
/** Events come in bursts: they are looked at together. */
const LOOK_MS = 5;

/** Lists a collection and follows it until it is closed. `signal` ends every wait. */
export async function openMirror(kubeconfig: string, collection: string, signal: AbortSignal): Promise<Mirror> {
  const api = await openApi(kubeconfig);
  const ending = new AbortController();
  const objects = new Map<string, Live>();
  const waiting = new Set<() => void>();
  /** Lists, and answers the version to go on from. */
  const list = async (): Promise<string> => {
    const { items, metadata } = await readList(api, collection);
    objects.clear();
    for (const item of items) objects.set(item.metadata.name, item);
    look();
    return metadata.resourceVersion;
  };
  let failure: unknown;
  let isDue = false;
  const look = (): void => {
    isDue = false;
    for (const check of waiting) check();
  };
  const watch = async (version: string): Promise<void> => {
    const from = `${collection}?watch=1&allowWatchBookmarks=true&resourceVersion=${version}`;
    const { documents } = await api.lines(from, { signal: ending.signal });
    for await (const line of documents) {
      const { type, object } = line as { type: string; object: Live };
      if (type === 'ERROR') return;
      if (type === 'DELETED') objects.delete(object.metadata.name);
      else if (type !== 'BOOKMARK') objects.set(object.metadata.name, object);
      if (isDue) continue;
      isDue = true;
      setTimeout(look, LOOK_MS);
    }
  };
  /** The server may end a watch at any time. */
  const follow = async (first: string): Promise<void> => {
    for (let version = first; !ending.signal.aborted; version = await list()) await watch(version);
  };
  const following = follow(await list()).catch((error: unknown) => {
    if (!ending.signal.aborted) failure = error;
    look();
  });
  const until = async (what: string, left: (objects: Objects) => number): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = (): void => {
      if (signal.aborted) reject(signal.reason);
      else if (failure !== undefined) reject(failure);
      else if (left(objects) === 0) resolve();
    };
    const timer = setTimeout(() => reject(new Error(`not within ${LIMIT_MS} ms: ${what}`)), LIMIT_MS);
    const progress = setInterval(() => console.error(`  ${what}: ${left(objects)} left`), PROGRESS_MS);
    signal.addEventListener('abort', check, { once: true });
    waiting.add(check);
    check();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      clearInterval(progress);
      signal.removeEventListener('abort', check);
      waiting.delete(check);
    }
  };
  return {
    objects,
    until,
    close: async () => {
      ending.abort();
      await following;
      await api.close();
    },
  };
}

/** A definition that was just established is not served yet for a moment. */
async function readList(api: Api, collection: string): Promise<Live> {
  for (const deadline = Date.now() + 30_000; ; await sleep(100)) {
    const { status, body } = await api.call('GET', collection);
    if (status === 200) return body as Live;
    if (Date.now() > deadline) throw new Error(`${collection}: ${status} ${JSON.stringify(body)}`);
  }
}
