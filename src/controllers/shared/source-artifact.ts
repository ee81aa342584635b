// Owns what all sources do with an artifact: is it there, store a new one, let old ones go (flux.md §2.7).
import type { Artifact } from '../../api/meta/artifact.ts';
import { sourceReasons } from '../../api/source/source-object.ts';
import { formatTime } from '../../lib/time.ts';
import type { Finalized, Key } from '../../runtime/controller.ts';
import { ReconcileError, stage } from '../../runtime/reconcile-error.ts';
import type { SourcePorts } from './source-ports.ts';

/** Whether the artifact of a status is in the storage, whole. */
export type ArchiveState = 'none' | 'present' | 'lost';

export async function archiveState(artifact: Artifact | undefined, ports: SourcePorts): Promise<ArchiveState> {
  if (artifact?.digest === undefined) return 'none';
  if (!ports.servesHere(artifact)) return 'lost';
  return (await ports.artifacts.verify(artifact.path, artifact.digest)) === 'ok' ? 'present' : 'lost';
}

/** Why nothing is stored yet, in Flux's words; undefined when it is. */
export function whyBuild(archive: ArchiveState): string | undefined {
  if (archive === 'none') return 'building artifact';
  return archive === 'lost' ? 'building artifact: disappeared from storage' : undefined;
}

/** What is to be stored. */
export interface NewArtifact {
  /** Lower-case kind, the folder of its artifacts. */
  readonly kind: string;
  readonly key: Key;
  /** File name. */
  readonly file: string;
  readonly revision: string;
  /** What the upstream says of it. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** The artifact of the status. */
  readonly old: Artifact | undefined;
}

/** An artifact that was stored. */
export interface Stored {
  readonly artifact: Artifact;
  /** False when the digest is that of the artifact before. */
  readonly isNew: boolean;
}

/**
 * Stores an artifact; `write` fills a temporary file. Throws ReconcileError ArchiveOperationFailed, or the one that
 * `write` threw.
 */
export async function storeArtifact(
  { kind, key, file, revision, metadata, old }: NewArtifact,
  write: (path: string) => Promise<{ readonly digest: string; readonly size: number }>,
  ports: SourcePorts,
): Promise<Stored> {
  const { path, digest, size } = await stage(
    sourceReasons.archiveOperationFailed,
    () => ports.artifacts.put(`${kind}/${key}/${file}`, write),
    { condition: 'StorageOperationFailed', prefix: 'unable to save artifact to storage: ' },
  );
  const same = old !== undefined && old.digest === digest && old.revision === revision;
  const artifact: Artifact = {
    path,
    url: ports.artifactUrl(path),
    revision,
    digest,
    lastUpdateTime: same ? old.lastUpdateTime : formatTime(ports.clock.now()),
    size,
    ...(metadata === undefined || Object.keys(metadata).length === 0 ? {} : { metadata }),
  };
  await collectArtifacts(kind, key, artifact, ports);
  return { artifact, isNew: old?.digest !== digest };
}

/** Lets old artifacts of an object go. */
export async function collectArtifacts(
  kind: string,
  key: Key,
  keep: Artifact | undefined,
  { artifacts, clock, retention }: SourcePorts,
): Promise<void> {
  await artifacts.collectGarbage(`${kind}/${key}`, keep === undefined ? [] : [keep.path], clock.now(), retention);
}

/** Removes everything of a deleted object, and says so. */
export async function removeArtifacts(kind: string, key: Key, { artifacts }: SourcePorts): Promise<Finalized> {
  await artifacts.removeFolder(`${kind}/${key}`);
  return artifactsRemoved;
}

/** The end of a source whose artifacts are gone. */
export const artifactsRemoved: Finalized = {
  done: true,
  events: [
    {
      type: 'Normal',
      reason: sourceReasons.garbageCollectionSucceeded,
      message: 'garbage collected artifacts for deleted resource',
    },
  ],
};

/** Why a pass cannot go on; made by `decide`, thrown by `act`. */
export interface SourceFailure {
  readonly reason: string;
  readonly message: string;
  readonly condition: string;
  readonly retry: 'transient' | 'waiting' | 'stalled';
  readonly retryAfterMs?: number;
}

export function failureError({ reason, message, ...options }: SourceFailure): ReconcileError {
  return new ReconcileError(reason, message, options);
}

/** The refusal of a field that is not done yet. */
export function notSupported(field: string): SourceFailure {
  const message = `spec.${field} is not supported yet`;
  return { reason: sourceReasons.fieldNotSupported, message, condition: 'FetchFailed', retry: 'stalled' };
}
