// Owns a cache of all objects of a kind, whatever the shard: what several controllers look their references up in.
import type { KubeObject } from '../api/meta/object.ts';
import type { Informer } from '../cluster/informer.ts';
import type { Informers } from '../cluster/informers.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Machine } from '../runtime/start.ts';

/** Objects of a kind; none while the cluster does not have the kind. */
export interface FollowedKind<T extends KubeObject> {
  get(namespace: string, name: string): T | undefined;
  list(): readonly T[];
}

const KIND_RETRY_MS = 5_000;

/** Follows a kind in every namespace until the signal aborts. */
export function followKind<T extends KubeObject>(
  kind: { readonly apiVersion: string; readonly kind: string },
  informers: Informers,
  { clock, log }: Pick<Machine, 'clock' | 'log'>,
  signal: AbortSignal,
): FollowedKind<T> {
  let informer: Informer<T> | undefined;
  const begin = async (): Promise<void> => {
    while (informer === undefined && !signal.aborted) {
      try {
        informer = (await informers.acquire<T>(kind)).informer;
      } catch (error) {
        log.debug('kind cannot be watched yet', { kind: kind.kind, error: errorMessage(error) });
        await clock.sleep(KIND_RETRY_MS, signal).catch(() => {});
      }
    }
  };
  void begin();
  return { get: (namespace, name) => informer?.get(namespace, name), list: () => informer?.list() ?? [] };
}
