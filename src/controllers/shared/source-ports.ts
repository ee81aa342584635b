// Owns what every controller of a source with an artifact needs from outside; each kind adds its own.
import type { Artifact } from '../../api/meta/artifact.ts';
import type { Downloads } from '../../artifact/downloads.ts';
import type { ArtifactStore, Retention } from '../../artifact/store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { WorkerPool } from '../../offload/pool.ts';
import type { SecretData } from '../../remote/git/auth.ts';
import type { HttpDoor } from '../../remote/http.ts';
import type { Key } from '../../runtime/controller.ts';
import type { HostGate } from './host-gate.ts';

/** The largest that is taken, in bytes. */
export interface SourceLimits {
  /** An index of a repository of charts (`--helm-index-max-size`). */
  readonly indexBytes: number;
  /** An archive of a chart (`--helm-chart-max-size`). */
  readonly chartBytes: number;
}

/** Those of Flux. */
export const defaultSourceLimits: SourceLimits = { indexBytes: 50 * 1024 * 1024, chartBytes: 10 * 1024 * 1024 };

export interface SourcePorts {
  readonly clock: Clock;
  readonly http: HttpDoor;
  readonly artifacts: ArtifactStore;
  /** How many artifacts of an object stay, and how long. @default the store's own */
  readonly retention: Retention | undefined;
  readonly downloads: Downloads;
  readonly workers: WorkerPool;
  /** Secret values that a key's passes know of, to be hidden in what they fail with; of this controller alone. */
  readonly secrets: Map<Key, Set<string>>;
  readonly limits: SourceLimits;
  /** Lets what waits for hosts begin; of this controller alone. */
  readonly hosts: HostGate;
  /** Undefined when there is none. */
  readSecret(namespace: string, name: string, signal: AbortSignal): Promise<SecretData | undefined>;
  /** Where consumers in the cluster fetch an artifact. */
  artifactUrl(path: string): string;
  /** Whether consumers are sent here for an artifact. One of another replica is made anew by whoever has its source now. */
  servesHere(artifact: Artifact): boolean;
  /** Told of every artifact that was stored: `Kind/namespace/name`. */
  onStored(source: string): void;
}
