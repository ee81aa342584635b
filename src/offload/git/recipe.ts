// Owns the description of a Git source's content as plain data, and making a FileTree of it: the same in a thread that
// packs the archive and in the process that renders.
import { createObjectTree, type ObjectReader } from '../../engines/git/object-tree.ts';
import type { ObjectFormat } from '../../engines/git/oid.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { createMemoryTree } from '../../lib/memory-tree.ts';
import { mountTree, overlayTree } from '../../lib/overlay-tree.ts';
import { ignoreFoldersOf, ignorePatternsOf, sourceTree, sparseTree } from '../../lib/source-tree.ts';
import { normalizeTreePath } from '../../lib/tree-path.ts';
import { listPacks, openPackFile, type PackFile } from './pack-file.ts';

/** A Git tree in a repository on disk. */
export interface GitTreeSource {
  /** Folder of the repository. */
  readonly dir: string;
  readonly format: ObjectFormat;
  /** Name of the tree object. */
  readonly tree: string;
}

/** A folder of another artifact that appears in this one. */
export interface IncludeRecipe {
  readonly fromPath: string;
  readonly toPath: string;
  readonly content: ContentRecipe;
}

/** Everything that decides what an artifact holds. */
export interface ContentRecipe {
  readonly source: GitTreeSource;
  /** Submodules: a tree per path; absent ones stay empty folders, as in a plain clone. */
  readonly submodules?: readonly { readonly path: string; readonly source?: GitTreeSource }[];
  readonly sparse?: readonly string[];
  readonly includes?: readonly IncludeRecipe[];
  readonly ignore?: string;
  /** Folders with an ignore file, once they are known: whoever opens the content need not look for them. */
  readonly ignoreFolders?: readonly string[];
}

/** Opens the objects of a source. */
export type OpenObjects = (source: GitTreeSource) => ObjectReader;

/** The files before ignore rules: what a work tree would hold. Throws TreePathError when an include leaves the root. */
export function openWorkTree(recipe: ContentRecipe, open: OpenObjects): FileTree {
  let tree: FileTree = createObjectTree(open(recipe.source), recipe.source.tree);
  for (const { path, source } of recipe.submodules ?? []) {
    const mounted = source === undefined ? createMemoryTree({}) : createObjectTree(open(source), source.tree);
    tree = mountTree(tree, path, mounted);
  }
  tree = sparseTree(tree, recipe.sparse ?? []);
  for (const include of recipe.includes ?? []) {
    const to = normalizeTreePath(include.toPath);
    const content = subTree(openContent(include.content, open), normalizeTreePath(include.fromPath));
    tree = overlayTree(tree, to === '' ? content : mountTree(createMemoryTree({}), to, content));
  }
  return tree;
}

/** The files as somebody sees them who unpacked the artifact. */
export function openContent(recipe: ContentRecipe, open: OpenObjects): FileTree {
  const tree = openWorkTree(recipe, open);
  const folders = recipe.ignoreFolders ?? ignoreFoldersOf(tree);
  return sourceTree(tree, ignorePatternsOf(tree, folders, recipe.ignore));
}

/** Opens repositories by folder, each once. `close` when done. */
export function createPackOpener(maxObjectBytes: number): { open: OpenObjects; close(): void } {
  const opened = new Map<string, PackFile[]>();
  const packsOf = (dir: string, format: ObjectFormat): PackFile[] => {
    const known = opened.get(dir);
    if (known !== undefined) return known;
    const packs = listPacks(dir).map((path) => openPackFile(path, format, { maxObjectBytes }));
    opened.set(dir, packs);
    return packs;
  };
  return {
    open: ({ dir, format }) => ({
      format,
      read(oid) {
        for (const pack of packsOf(dir, format)) {
          const object = pack.read(oid);
          if (object !== undefined) return object;
        }
        return undefined;
      },
    }),
    close() {
      for (const packs of opened.values()) for (const pack of packs) pack.close();
    },
  };
}

function subTree(tree: FileTree, path: string): FileTree {
  if (path === '') return tree;
  const below = (inner: string) => (inner === '' ? path : `${path}/${inner}`);
  return {
    stat: (inner) => tree.stat(below(inner)),
    read: (inner) => tree.read(below(inner)),
    list: (inner) => tree.list(below(inner)),
    readLink: (inner) => tree.readLink(below(inner)),
  };
}
