// Owns how a consumer gets the files of a source's artifact: out of the storage of this process, or over HTTP from the
// replica or the third party that serves it. What was fetched is kept on disk by its digest.
import type { Artifact } from '../../api/meta/artifact.ts';
import type { ArtifactStore } from '../../artifact/store.ts';
import type { Clock } from '../../lib/clock.ts';
import { errorCode } from '../../lib/errors.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { fetchArtifact } from '../../remote/artifact.ts';
import type { HttpDoor } from '../../remote/http.ts';

export interface SourceArtifactsOptions {
  readonly http: HttpDoor;
  readonly clock: Clock;
  /** Archives that were fetched from others. */
  readonly fetched: ArtifactStore;
  /** Opens an artifact that was made here. Throws ArtifactError ArtifactNotFound. */
  readonly openOwn: (artifact: Artifact) => Promise<FileTree>;
  /** Whether another replica makes artifacts too, and serves them under its own address. */
  readonly isServedElsewhere: (artifact: Artifact) => boolean;
}

/** Opens artifacts by the kind of their source. */
export interface SourceArtifacts {
  /** Throws ArtifactError, ArtifactFetchError, RemoteError. */
  open(kind: string, artifact: Artifact, signal: AbortSignal): Promise<FileTree>;
}

const FOLDER = 'archives';
// A build that is made again within the hour need not fetch again.
const RETENTION = { ttlMs: 3_600_000, records: 100 };

export function createSourceArtifacts(options: SourceArtifactsOptions): SourceArtifacts {
  const underWay = new Map<string, Promise<unknown>>();

  // Its own path and address are never looked up: what an ExternalArtifact claims to be, it must be able to serve.
  async function openFetched(artifact: Artifact, signal: AbortSignal): Promise<FileTree> {
    const { digest = '' } = artifact;
    const path = `${FOLDER}/${digest.replace(':', '-')}.tar.gz`;
    if ((await options.fetched.verify(path, digest)) !== 'ok') {
      // Several consumers share one download, which the end of one of them must not end.
      const fetching = underWay.get(path) ?? download(artifact, path).finally(() => underWay.delete(path));
      underWay.set(path, fetching);
      await fetching;
      signal.throwIfAborted();
    }
    return options.fetched.open(path, digest);
  }

  async function download({ url, digest = '', size }: Artifact, path: string): Promise<void> {
    await options.fetched.put(path, (temporary) => fetchArtifact(options.http, { url, digest, size }, temporary));
    await options.fetched.collectGarbage(FOLDER, [path], options.clock.now(), RETENTION);
  }

  return {
    async open(kind, artifact, signal) {
      if (kind === 'ExternalArtifact') return openFetched(artifact, signal);
      try {
        return await options.openOwn(artifact);
      } catch (error) {
        if (errorCode(error) !== 'ArtifactNotFound' || !options.isServedElsewhere(artifact)) throw error;
        return openFetched(artifact, signal);
      }
    },
  };
}
