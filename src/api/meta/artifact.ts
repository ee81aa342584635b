// Owns the shape of an artifact as source kinds carry it in their status (flux.md §2.7). Its schema is
// api/source/artifact.ts.
import type { Condition } from './condition.ts';
import type { KubeObject } from './object.ts';

/** A stored archive of a source at a revision. */
export interface Artifact {
  /** Relative to the root of the storage. */
  readonly path: string;
  readonly url: string;
  readonly revision: string;
  /** `sha256:<hex>`; absent on old v1beta2 objects. */
  readonly digest?: string;
  /** v1beta2 only: SHA-256 in hex. */
  readonly checksum?: string;
  /** RFC 3339. */
  readonly lastUpdateTime: string;
  /** Bytes. */
  readonly size?: number;
  readonly metadata?: { readonly [key: string]: string };
}

/** What every kind of source has, whoever makes its artifact. */
export interface ArtifactSource extends KubeObject {
  readonly status?: { readonly artifact?: Artifact; readonly conditions?: readonly Condition[] };
}
