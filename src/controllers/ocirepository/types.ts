// Owns the values that the four steps of the OCIRepository controller hand to each other.
import type { Artifact } from '../../api/meta/artifact.ts';
import type { OCIRepository } from '../../api/source/ocirepository.ts';
import type { RepositoryName } from '../../remote/oci/reference.ts';
import type { Registry } from '../../remote/oci/registry.ts';
import type { ArchiveState, SourceFailure } from '../shared/source-artifact.ts';

/** What the reference means in the registry now. */
export interface ResolvedArtifact {
  readonly registry: Registry;
  readonly repository: RepositoryName;
  readonly digest: string;
  /** `tag@sha256:…`, or the digest alone when the reference is one. */
  readonly revision: string;
}

export interface Observed {
  readonly object: OCIRepository;
  readonly archive: ArchiveState;
  /** Absent when a check before it fails. */
  readonly resolved: ResolvedArtifact | undefined;
}

export type Decision =
  | { readonly do: 'nothing'; readonly because: string }
  | { readonly do: 'fail'; readonly because: string; readonly failure: SourceFailure }
  | {
      readonly do: 'fetch';
      readonly because: string;
      readonly resolved: ResolvedArtifact;
      /** Whether the signature is checked in this pass. */
      readonly verify: boolean;
      /** False when the stored artifact does and only its signature is to be checked. */
      readonly pull: boolean;
    };

export type Outcome =
  | { readonly type: 'nothing'; readonly verified: string | undefined }
  | {
      readonly type: 'stored';
      readonly artifact: Artifact;
      readonly isNew: boolean;
      /** Revision whose signature was checked in this pass. */
      readonly verified: string | undefined;
    };
