// Owns caches of all objects of a kind, in every namespace and shard: what controllers look up beside their own share.
import type { KubeObject } from '../api/meta/object.ts';
import type { Informer } from '../cluster/informer.ts';
import type { Informers } from '../cluster/informers.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Machine } from '../runtime/start.ts';

/** All objects of a kind; none while the cluster does not have the kind. */
export interface FollowedKind<T extends KubeObject> {
  get(namespace: string, name: string): T | undefined;
  list(): readonly T[];
  /** Objects whose index holds the value. */
  byIndex(index: string, value: string): readonly T[];
}

export interface FollowOptions<T extends KubeObject> {
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
  /** Told of every object that appears, changes or goes; `exists` is false for one that is gone. */
  readonly onChange?: (object: T, exists: boolean) => void;
}

/** Follows a kind until the signal aborts. */
export function followKind<T extends KubeObject>(
  kind: { readonly apiVersion: string; readonly kind: string },
  { informers, log }: Pick<Machine, 'log'> & { readonly informers: Informers },
  signal: AbortSignal,
  { indexes = {}, onChange }: FollowOptions<T> = {},
): FollowedKind<T> {
  let informer: Informer<T> | undefined;
  const begin = async (): Promise<void> => {
    const onFailure = (error: unknown): void =>
      log.debug('kind cannot be watched yet', { kind: kind.kind, error: errorMessage(error) });
    informer = (await informers.acquireEventually<T>(kind, {}, { signal, onFailure })).informer;
    // Informers are shared: the prefix keeps indexes of two users apart.
    for (const [name, values] of Object.entries(indexes)) informer.addIndex(`all/${name}`, values);
    if (onChange === undefined) return;
    const exists = (object: T) => onChange(object, true);
    informer.addHandler({ add: exists, update: exists, delete: (object) => onChange(object, false) });
  };
  begin().catch((error: unknown) => {
    if (!signal.aborted) log.error('kind is not followed', { kind: kind.kind, error });
  });
  return {
    get: (namespace, name) => informer?.get(namespace, name),
    list: () => informer?.list() ?? [],
    byIndex: (index, value) => informer?.byIndex(`all/${index}`, value) ?? [],
  };
}
