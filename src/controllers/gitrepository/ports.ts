// Owns what the GitRepository controller needs from outside: a plain object of functions, made in app.ts.
import type { Artifact } from '../../api/meta/artifact.ts';
import type { GitRepository } from '../../api/source/gitrepository.ts';
import type { Commit, Tag } from '../../engines/git/commit.ts';
import type { Clock } from '../../lib/clock.ts';
import type { FileTree } from '../../lib/filetree.ts';
import type { Mask } from '../../objects/redact.ts';
import type { ContentRecipe } from '../../offload/git/recipe.ts';
import type { SecretData } from '../../remote/git/auth.ts';
import type { GitHubApp } from '../../remote/git/github-app.ts';
import type { ResolvedReference } from '../../remote/git/resolve.ts';
import type { GitAuth, GitTransport } from '../../remote/git/transport.ts';
import type { HostGate } from '../shared/host-gate.ts';
import type { HeldSource } from '../shared/source-artifacts.ts';
import type { CachedLogin } from './login.ts';

/** A commit whose objects are in the storage. */
export interface FetchedCommit {
  /** How its files are read, before includes and ignore rules. */
  readonly recipe: Pick<ContentRecipe, 'source' | 'submodules' | 'sparse'>;
  /** The first folder of `sparse` that the commit does not have. */
  readonly missingFolder: string | undefined;
  readonly commit: Commit;
  /** The annotated tag, when the reference is one. */
  readonly tag: Tag | undefined;
  /** Bytes that the fetch moved; 0 when everything was there. */
  readonly bytes: number;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  /** Folders that are wanted; everything when empty. */
  readonly sparse: readonly string[];
  /** Opens the repositories of submodules; absent when they are not wanted. */
  readonly openSubmodule: ((url: string) => GitTransport) | undefined;
}

export interface StoredArchive {
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly size: number;
}

/** Where objects and archives are kept. Keys are `namespace/name` of a GitRepository. */
export interface GitStorage {
  /** True when the archive is there and its bytes have the artifact's digest. */
  hasArchive(artifact: Artifact): Promise<boolean>;
  fetch(
    key: string,
    transport: GitTransport,
    resolved: ResolvedReference,
    options: FetchOptions,
  ): Promise<FetchedCommit>;
  /** Packs what the recipe says under `path` (`gitrepository/ns/name/<sha>.tar.gz`); the same files, the same digest. */
  archive(path: string, recipe: ContentRecipe): Promise<StoredArchive>;
  /** How the content of a stored artifact is made; undefined when only its archive is there. */
  recipeOf(artifact: Artifact): ContentRecipe | undefined;
  /** The files of a tree that was opened here, for a worker thread; undefined for a tree of somebody else. */
  hold(tree: FileTree): HeldSource | undefined;
  /** Removes archives and objects that nothing needs any more; tells how many archives went. */
  collect(key: string, keep: readonly Artifact[]): Promise<number>;
  remove(key: string): Promise<void>;
  /** The files of an artifact of this storage. */
  open(artifact: Artifact): Promise<FileTree>;
}

export interface GitRepositorySettings {
  /** Revisions in status as `main/<sha>` (`--legacy-revisions`). */
  readonly legacyRevisions: boolean;
  readonly requeueDependencyMs: number;
}

export interface GitRepositoryPorts {
  readonly clock: Clock;
  readonly settings: GitRepositorySettings;
  readonly storage: GitStorage;
  /** Credentials that were read; read again when they fail. */
  readonly logins: Map<string, CachedLogin>;
  /** Hide the credentials that were read last, by repository. */
  readonly masks: Map<string, Mask>;
  /** Data of a Secret as text; undefined when there is none. */
  readSecret(namespace: string, name: string, signal: AbortSignal): Promise<SecretData | undefined>;
  /** Makes logins of a GitHub App, which are renewed before they expire. */
  githubLogin(app: GitHubApp, auth: Pick<GitAuth, 'tls' | 'proxy'>): NonNullable<GitAuth['dynamic']>;
  findRepository(namespace: string, name: string): GitRepository | undefined;
  openTransport(url: string, auth: GitAuth, timeoutMs: number): GitTransport;
  /** Lets what waits for Git hosts begin. */
  readonly hosts: HostGate;
  /** Where consumers in the cluster fetch an archive. */
  artifactUrl(path: string): string;
  /** Whether consumers are sent here for an artifact. One of another replica is made anew by whoever has its source now. */
  servesHere(artifact: Artifact): boolean;
}
