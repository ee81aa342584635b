// Owns a copy of one collection of the API server, kept by a watch, and waiting for a state of it. It costs the measured
// processes nothing but that watch.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, openApi } from '../../support/api.ts';
import type { Live } from '../../support/reconciler.ts';

type Objects = ReadonlyMap<string, Live>;

export interface Mirror {
  readonly objects: Objects;
  /** Resolves when `done` holds. @throws Error after ten minutes */
  until(what: string, done: (objects: Objects) => boolean): Promise<void>;
  close(): Promise<void>;
}

const LIMIT_MS = 600_000;

/** A definition that was just established is not served yet for a moment. */
async function readList(api: Api, collection: string): Promise<Live> {
  for (const deadline = Date.now() + 30_000; ; await sleep(100)) {
    const { status, body } = await api.call('GET', collection);
    if (status === 200) return body as Live;
    if (Date.now() > deadline) throw new Error(`${collection}: ${status} ${JSON.stringify(body)}`);
  }
}

/** Lists a collection and follows it. */
export async function openMirror(kubeconfig: string, collection: string): Promise<Mirror> {
  const api = await openApi(kubeconfig);
  const ending = new AbortController();
  const objects = new Map<string, Live>();
  const waiting = new Set<() => void>();
  const list = await readList(api, collection);
  for (const item of list.items) objects.set(item.metadata.name, item);
  const from = `${collection}?watch=1&allowWatchBookmarks=true&resourceVersion=${list.metadata.resourceVersion}`;
  const { documents } = await api.lines(from, { signal: ending.signal });
  const follow = async (): Promise<void> => {
    for await (const line of documents) {
      const { type, object } = line as { type: string; object: Live };
      if (type === 'ERROR') throw new Error(`the watch of ${collection} ended: ${JSON.stringify(object)}`);
      if (type === 'DELETED') objects.delete(object.metadata.name);
      else if (type !== 'BOOKMARK') objects.set(object.metadata.name, object);
      for (const look of waiting) look();
    }
  };
  let failure: unknown;
  const following = follow().catch((error: unknown) => {
    if (!ending.signal.aborted) failure = error;
    for (const look of waiting) look();
  });
  return {
    objects,
    until: (what, done) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void): void => {
          clearTimeout(timer);
          waiting.delete(look);
          settle();
        };
        const look = (): void => {
          if (failure !== undefined) finish(() => reject(failure));
          else if (done(objects)) finish(resolve);
        };
        const timer = setTimeout(() => finish(() => reject(new Error(`not within ${LIMIT_MS} ms: ${what}`))), LIMIT_MS);
        waiting.add(look);
        look();
      }),
    close: async () => {
      ending.abort();
      await following;
      await api.close();
    },
  };
}
