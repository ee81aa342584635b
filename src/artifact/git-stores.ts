// Owns the object stores of all repositories below one folder: one each, opened once, files closed when not used for a
// while. What is kept in each is decided by whoever fetches.
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectReader } from '../engines/git/object-tree.ts';
import type { ObjectFormat } from '../engines/git/oid.ts';
import type { FileTree } from '../lib/filetree.ts';
import { type ContentRecipe, type GitTreeSource, openContent } from '../offload/git/recipe.ts';
import { type GitStore, type GitStoreOptions, openGitStore } from './git-store.ts';

/** All object stores of a process. */
export interface GitStores {
  /** The store of a repository, made when there is none. Keys are free text: the URL, the object's name. */
  open(key: string, format?: ObjectFormat): Promise<GitStore>;
  /** What an artifact of this recipe holds, read from the stores. Every store in it must have been opened before. */
  content(recipe: ContentRecipe): FileTree;
  /** Deletes a repository's objects. */
  remove(key: string): Promise<void>;
  /** Closes all files. */
  close(): void;
}

// Each open store holds an index and a file or two.
const HOT_STORES = 64;

/** The stores below `root`. */
export function createGitStores(root: string, options: GitStoreOptions): GitStores {
  const stores = new Map<string, Promise<GitStore>>();
  const byDir = new Map<string, GitStore>();
  const hot = new Set<GitStore>();

  function touch(store: GitStore): GitStore {
    hot.delete(store);
    hot.add(store);
    for (const oldest of hot) {
      if (hot.size <= HOT_STORES) break;
      hot.delete(oldest);
      oldest.close();
    }
    return store;
  }

  function reader(source: GitTreeSource): ObjectReader {
    const store = byDir.get(source.dir);
    if (store === undefined) throw new Error(`object store ${source.dir} is not open`);
    return { format: store.format, read: (oid) => touch(store).read(oid) };
  }

  return {
    async open(key, format) {
      const dir = storeDir(root, key);
      let opening = stores.get(dir);
      if (opening === undefined) {
        opening = openGitStore(dir, { ...options, ...(format === undefined ? {} : { format }) });
        stores.set(dir, opening);
        opening.catch(() => stores.delete(dir));
      }
      const store = await opening;
      byDir.set(dir, store);
      return touch(store);
    },
    content: (recipe) => openContent(recipe, reader),
    async remove(key) {
      const dir = storeDir(root, key);
      const store = await stores.get(dir)?.catch(() => undefined);
      stores.delete(dir);
      byDir.delete(dir);
      if (store !== undefined) {
        hot.delete(store);
        store.close();
      }
      await rm(dir, { recursive: true, force: true });
    },
    close() {
      for (const store of byDir.values()) store.close();
      hot.clear();
    },
  };
}

// A readable head and a hash: nothing in a key can lead out of the folder or collide.
function storeDir(root: string, key: string): string {
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 24);
  const head = key.replaceAll(/[^A-Za-z0-9-]+/g, '-').replaceAll(/^-+|-+$/g, '');
  return join(root, `${head.slice(-40)}-${hash}.git`);
}
