// Owns how a consumer gets the files of a source's artifact: out of the storage of this process, or over HTTP from the
// replica or the third party that serves it. What was fetched is kept on disk by its digest.
import type { Artifact } from '../../api/meta/artifact.ts';
import { ArtifactError, type ArtifactStore } from '../../artifact/store.ts';
import type { Clock } from '../../lib/clock.ts';
import { errorCode, errorMessage } from '../../lib/errors.ts';
import type { FileTree } from '../../lib/filetree.ts';
import type { TreeSource } from '../../offload/render/source.ts';
import { fetchArtifact } from '../../remote/artifact.ts';
import type { HttpDoor } from '../../remote/http.ts';

export interface SourceArtifactsOptions {
  readonly http: HttpDoor;
  readonly clock: Clock;
  /** Archives that were made here. */
  readonly own: ArtifactStore;
  /** Archives that were fetched from others. */
  readonly fetched: ArtifactStore;
  /** Opens an artifact that was made here. Throws ArtifactError ArtifactNotFound. */
  readonly openOwn: (artifact: Artifact) => Promise<FileTree>;
  /** The files of a tree that `openOwn` gave. */
  readonly holdOwn: (tree: FileTree) => HeldSource | undefined;
  /** Whether another replica makes artifacts too, and serves them under its own address. */
  readonly isServedElsewhere: (artifact: Artifact) => boolean;
}

/** The files of an artifact as a worker thread opens them; they stay on disk until `release`. */
export interface HeldSource {
  readonly source: TreeSource;
  release(): void;
}

/** An archive on this machine. */
export interface PlacedArchive {
  readonly store: ArtifactStore;
  /** Relative to the store. */
  readonly path: string;
}

/** Opens artifacts by the kind of their source. */
export interface SourceArtifacts {
  /** Throws ArtifactError, ArtifactFetchError, RemoteError. */
  open(kind: string, artifact: Artifact, signal: AbortSignal): Promise<FileTree>;
  /**
   * Where the archive of a source of ours is: it is fetched first when another replica has it. Throws ArtifactError
   * ArtifactNotFound while nobody has it; a lost one that should be here is found missing when it is read.
   */
  place(artifact: Artifact, signal: AbortSignal): Promise<PlacedArchive>;
  /** The same of an ExternalArtifact. Throws ArtifactFetchError, RemoteError. */
  placeExternal(artifact: Artifact, signal: AbortSignal): Promise<PlacedArchive>;
  /**
   * The files of a tree that was opened here, for a worker thread. It goes by the tree and not by what an artifact
   * claims: its path may be that of another's.
   */
  hold(tree: FileTree): HeldSource | undefined;
}

const FOLDER = 'archives';
// A build that is made again within the hour need not fetch again.
const RETENTION = { ttlMs: 3_600_000, records: 100 };

export function createSourceArtifacts(options: SourceArtifactsOptions): SourceArtifacts {
  const underWay = new Map<string, Promise<unknown>>();

  // Its own path and address are never looked up: what an ExternalArtifact claims to be, it must be able to serve.
  async function openFetched(artifact: Artifact, signal: AbortSignal): Promise<FileTree> {
    return options.fetched.open(await bring(artifact, signal), artifact.digest ?? '');
  }

  /** The archive's path among those that were fetched. */
  async function bring(artifact: Artifact, signal: AbortSignal): Promise<string> {
    const { digest = '' } = artifact;
    const path = `${FOLDER}/${digest.replace(':', '-')}.tar.gz`;
    if ((await options.fetched.verify(path, digest)) !== 'ok') {
      // Several consumers share one download, which the end of one of them must not end.
      const fetching = underWay.get(path) ?? download(artifact, path).finally(() => underWay.delete(path));
      underWay.set(path, fetching);
      await fetching;
      signal.throwIfAborted();
    }
    return path;
  }

  /** The same of another replica. One that is gone is replaced, and whoever comes after it makes the artifact anew. */
  async function bringFromReplica(artifact: Artifact, signal: AbortSignal): Promise<string> {
    try {
      return await bring(artifact, signal);
    } catch (cause) {
      signal.throwIfAborted();
      const { path } = artifact;
      const message = `artifact ${path} cannot be fetched from the replica that has it: ${errorMessage(cause)}`;
      throw new ArtifactError('ArtifactNotFound', message, { path }, { cause });
    }
  }

  async function download({ url, digest = '', size }: Artifact, path: string): Promise<void> {
    await options.fetched.put(path, (temporary) => fetchArtifact(options.http, { url, digest, size }, temporary));
    await options.fetched.collectGarbage(FOLDER, [path], options.clock.now(), RETENTION);
  }

  return {
    hold(tree) {
      const path = options.fetched.archiveOf(tree);
      return path === undefined ? options.holdOwn(tree) : { source: { from: 'archive', path }, release: () => {} };
    },
    async open(kind, artifact, signal) {
      if (kind === 'ExternalArtifact') return openFetched(artifact, signal);
      try {
        return await options.openOwn(artifact);
      } catch (error) {
        if (errorCode(error) !== 'ArtifactNotFound' || !options.isServedElsewhere(artifact)) throw error;
        return options.fetched.open(await bringFromReplica(artifact, signal), artifact.digest ?? '');
      }
    },
    async placeExternal(artifact, signal) {
      return { store: options.fetched, path: await bring(artifact, signal) };
    },
    async place(artifact, signal) {
      const { path, digest = '' } = artifact;
      const isElsewhere = options.isServedElsewhere(artifact) && (await options.own.verify(path, digest)) !== 'ok';
      if (!isElsewhere) return { store: options.own, path };
      return { store: options.fetched, path: await bringFromReplica(artifact, signal) };
    },
  };
}
