// Owns the values that the four steps of the GitRepository controller hand to each other.
import type { Artifact } from '../../api/meta/artifact.ts';
import type { GitRepository, VerificationMode } from '../../api/source/gitrepository.ts';
import type { ResolvedReference } from '../../remote/git/resolve.ts';
import type { GitAuth, GitTransport } from '../../remote/git/transport.ts';

/** An included repository as the cache has it. */
export interface ObservedInclude {
  readonly name: string;
  readonly fromPath: string;
  readonly toPath: string;
  readonly artifact: Artifact | undefined;
  readonly exists: boolean;
}

export interface Observed {
  readonly object: GitRepository;
  /** Whether the archive of `status.artifact` is in the storage, whole. */
  readonly archive: 'none' | 'present' | 'lost';
  readonly includes: readonly ObservedInclude[];
  /** What the reference means on the server now; absent when a check before it fails. */
  readonly remote:
    | { readonly transport: GitTransport; readonly resolved: ResolvedReference; readonly auth: GitAuth }
    | undefined;
  /** The revision in the form that status has. */
  readonly revision: string;
  readonly requeueDependencyMs: number;
}

export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly condition: string;
  readonly retry: 'transient' | 'waiting' | 'stalled';
  readonly retryAfterMs?: number;
}

export type Decision =
  | { readonly do: 'nothing'; readonly because: string }
  | { readonly do: 'fail'; readonly because: string; readonly failure: Failure }
  | {
      readonly do: 'fetch';
      readonly because: string;
      readonly transport: GitTransport;
      readonly resolved: ResolvedReference;
      readonly revision: string;
      /** Whether signatures are checked in this pass. */
      readonly verify: boolean;
      readonly auth: GitAuth;
      readonly includes: readonly (ObservedInclude & { readonly artifact: Artifact })[];
    };

export type Outcome =
  | { readonly type: 'nothing'; readonly collected: number }
  | {
      readonly type: 'stored';
      readonly artifact: Artifact;
      readonly includedArtifacts: readonly Artifact[];
      /** First line of the commit's message. */
      readonly subject: string;
      /** False when the digest is that of the artifact before. */
      readonly isNew: boolean;
      /** What was verified, and in words; undefined when nothing is asked for or it was done before. */
      readonly verified: Verified | undefined;
    };

/** A signature check that passed. */
export interface Verified {
  readonly mode: VerificationMode;
  readonly message: string;
}
