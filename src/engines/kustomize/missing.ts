// Owns what a build lacks: things that only the network has. The shell fetches them and builds again.
import type { FileTree } from '../../lib/filetree.ts';

/** A file behind an http(s) URL, or a directory in a Git repository. */
export type Missing =
  | { readonly what: 'file'; readonly url: string }
  | {
      readonly what: 'repository';
      /** Identity of the request; equal keys mean the same commit of the same repository. */
      readonly key: string;
      /** What `git fetch` takes: scheme, host and path, or `git@host:path`. */
      readonly url: string;
      /** Branch, tag or commit; '' is the remote's HEAD. */
      readonly ref: string;
      readonly submodules: boolean;
      readonly timeoutMs: number;
    };

/** The answer to a missing file. `status` is the HTTP status of a refusal; `error` is any other fault, in one line. */
export type FetchedFile =
  | { readonly bytes: Uint8Array }
  | { readonly status: number; readonly statusText: string }
  | { readonly error: string };

/** The answer to a missing repository: its tree, or why there is none, in one line. */
export type FetchedRepository = { readonly tree: FileTree } | { readonly error: string };

/** What the shell has fetched so far; undefined means not asked for yet. */
export interface Fetched {
  file(url: string): FetchedFile | undefined;
  repository(key: string): FetchedRepository | undefined;
}

/** Thrown inside the engine where a build cannot go on without something; the callers of the engine never see it. */
export class MissingSignal extends Error {
  readonly missing: Missing;
  constructor(missing: Missing) {
    super('a remote resource has not been fetched yet');
    this.missing = missing;
  }
}
