// Owns how the files of a build are named as plain data and opened in whichever thread builds: a source's content, and
// the remote bases and files that were fetched for it.
import { readFileSync } from 'node:fs';
import { createObjectTree } from '../../engines/git/object-tree.ts';
import type { Fetched, FetchedFile } from '../../engines/kustomize/missing.ts';
import { openArchiveTree } from '../../lib/archive-tree.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { type ContentRecipe, type GitTreeSource, type OpenObjects, openContent } from '../git/recipe.ts';

/** Where the files of a source are: in Git objects, or in an archive (.tar.gz) on disk. */
export type TreeSource =
  | { readonly from: 'git'; readonly recipe: ContentRecipe }
  | { readonly from: 'archive'; readonly path: string };

/** Opens the files of a source. Throws when an archive cannot be read. */
export function openTreeSource(source: TreeSource, open: OpenObjects): FileTree {
  return source.from === 'git' ? openContent(source.recipe, open) : openArchiveTree(readFileSync(source.path));
}

/** What was fetched for a build so far, as plain data. */
export interface FetchedData {
  /** By URL. */
  readonly files: ReadonlyMap<string, FetchedFile>;
  /** By the key of the request: the Git tree, or why there is none, in one line. */
  readonly repositories: ReadonlyMap<string, { readonly source: GitTreeSource } | { readonly error: string }>;
}

/** The same as an engine asks for it; every tree goes through `wrap`. */
export function openFetched(
  { files, repositories }: FetchedData,
  open: OpenObjects,
  wrap: (tree: FileTree) => FileTree = (tree) => tree,
): Fetched {
  return {
    file: (url) => files.get(url),
    repository(key) {
      const found = repositories.get(key);
      if (found === undefined || 'error' in found) return found;
      return { tree: wrap(createObjectTree(open(found.source), found.source.tree)) };
    },
  };
}
