// Owns the watching of Helm's storage: which revisions of which release there are, without a request, and who is to look
// when one changes by another hand.
import type { KubeObject } from '../../api/meta/object.ts';
import type { InformerLease, Informers } from '../../cluster/informers.ts';
import { releaseSelector, revisionOf } from '../../engines/helm/release/secret.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Log } from '../../lib/log.ts';
import type { Revision } from './storage.ts';

export interface WatchedRevisionsOptions {
  readonly informers: Informers;
  readonly log: Log;
  /** Told of each change of a release's storage. */
  readonly changed: (namespace: string, name: string) => void;
}

const INDEX = 'helmrelease/release';

/** Follows the Secrets of all releases on one API server, by their metadata. */
export class WatchedRevisions {
  readonly #options: WatchedRevisionsOptions;
  #lease: Promise<InformerLease | undefined> | undefined;

  constructor(options: WatchedRevisionsOptions) {
    this.#options = options;
  }

  /** The revisions of a release; undefined when they are not watched: then they have to be asked for. */
  async peek(namespace: string, name: string): Promise<readonly Revision[] | undefined> {
    this.#lease ??= this.#start();
    const lease = await this.#lease;
    if (lease === undefined) return undefined;
    try {
      await lease.informer.waitForSync({ failFast: true });
    } catch {
      return undefined;
    }
    return lease.informer.byIndex(INDEX, `${namespace}/${name}`).flatMap(toRevision);
  }

  async #start(): Promise<InformerLease | undefined> {
    try {
      const request = { labelSelector: releaseSelector, metadataOnly: true };
      const lease = await this.#options.informers.acquire({ apiVersion: 'v1', kind: 'Secret' }, request);
      lease.informer.addIndex(INDEX, (object) => [keyOf(object)]);
      const changed = (object: KubeObject): void => {
        this.#options.changed(object.metadata.namespace ?? '', object.metadata.labels?.['name'] ?? '');
      };
      lease.informer.addHandler({ add: changed, update: changed, delete: changed });
      return lease;
    } catch (error) {
      this.#options.log.info('releases are not watched', { error: errorMessage(error) });
      return undefined;
    }
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.labels?.['name'] ?? ''}`;
}

function toRevision(object: KubeObject): Revision[] {
  const found = revisionOf(object as unknown as JsonObject);
  if (found === undefined) return [];
  const { version, status } = found;
  return [{ version, status, resourceVersion: object.metadata.resourceVersion ?? '' }];
}
