// Owns how consumers know sources: a cache of every kind in use, whatever the shard, and the way to an artifact's files.
import { join } from 'node:path';
import type { SourceKind } from '../api/kustomize/kustomization.ts';
import type { Artifact, ArtifactSource } from '../api/meta/artifact.ts';
import { type ArtifactStore, openArtifactStore } from '../artifact/store.ts';
import type { Informers } from '../cluster/informers.ts';
import { sourceApiVersion } from '../controllers/kustomization/index.ts';
import type { FeatureGates } from '../controllers/shared/feature-gates.ts';
import {
  createSourceArtifacts,
  type HeldSource,
  type SourceArtifacts,
} from '../controllers/shared/source-artifacts.ts';
import type { FileTree } from '../lib/filetree.ts';
import type { HttpDoor } from '../remote/http.ts';
import type { Machine } from '../runtime/start.ts';
import { followKind } from './follow-kind.ts';

export interface ArtifactSourcesOptions {
  readonly machine: Machine & { readonly informers: Informers };
  readonly signal: AbortSignal;
  readonly gates: FeatureGates;
  readonly stateDir: string;
  /** Refuses addresses that only this machine may ask. */
  readonly http: HttpDoor;
  /** Host and port under which artifacts of this process are served. */
  readonly address: string;
  /** Whether other processes make artifacts too. */
  readonly isShard: boolean;
  /** Archives that were made here. */
  readonly own: ArtifactStore;
  /** Opens an artifact that was made here. */
  readonly openOwn: (artifact: Artifact) => Promise<FileTree>;
  /** The files of a tree that `openOwn` gave, for a worker thread. */
  readonly holdOwn: (tree: FileTree) => HeldSource | undefined;
}

/** Sources of all kinds, as consumers need them. */
export interface ArtifactSources {
  readonly kinds: readonly SourceKind[];
  get(kind: SourceKind, namespace: string, name: string): ArtifactSource | undefined;
  list(kind: SourceKind): readonly ArtifactSource[];
  /** The files of an artifact, wherever they are. */
  readonly open: SourceArtifacts['open'];
  readonly place: SourceArtifacts['place'];
  readonly placeExternal: SourceArtifacts['placeExternal'];
  readonly hold: SourceArtifacts['hold'];
}

/** Bound on the content of an archive that others made. */
const MAX_FETCHED_BYTES = 256 * 1024 * 1024;

/** Begins to follow the kinds of sources that are in use. */
export async function followArtifactSources(options: ArtifactSourcesOptions): Promise<ArtifactSources> {
  const { machine, signal, address, isShard, http, own, openOwn, holdOwn } = options;
  const made: readonly SourceKind[] = ['GitRepository', 'OCIRepository', 'Bucket'];
  const kinds: readonly SourceKind[] = options.gates.ExternalArtifact ? [...made, 'ExternalArtifact'] : made;
  const followed = new Map(
    kinds.map((kind) => [kind, followKind<ArtifactSource>({ apiVersion: sourceApiVersion, kind }, machine, signal)]),
  );
  const fetched = await openArtifactStore(join(options.stateDir, 'fetched'), { maxUnpackedBytes: MAX_FETCHED_BYTES });
  const isServedElsewhere = ({ url }: Artifact) => isShard && URL.canParse(url) && new URL(url).host !== address;
  const { clock } = machine;
  const artifacts = createSourceArtifacts({ http, clock, own, fetched, openOwn, holdOwn, isServedElsewhere });
  return {
    kinds,
    get: (kind, namespace, name) => followed.get(kind)?.get(namespace, name),
    list: (kind) => followed.get(kind)?.list() ?? [],
    open: artifacts.open,
    place: artifacts.place,
    placeExternal: artifacts.placeExternal,
    hold: artifacts.hold,
  };
}
