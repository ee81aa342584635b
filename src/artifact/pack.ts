// Owns making an artifact of a Git source: small ones at once, others in a worker thread, stored under their path.
import { DEFAULT_PACK_LIMITS } from '../engines/git/index-pack.ts';
import type { ContentRecipe } from '../offload/git/recipe.ts';
import { type PackArchiveOutput, packArchive } from '../offload/pack-archive.ts';
import type { WorkerPool } from '../offload/pool.ts';
import type { GitStore } from './git-store.ts';
import type { GitStores } from './git-stores.ts';
import type { ArtifactStore, StoredArtifact } from './store.ts';

/** What packing works with. */
export interface PackPorts {
  readonly artifacts: ArtifactStore;
  readonly stores: GitStores;
  readonly workers: WorkerPool;
}

/** An archive, stored, and how many files are in it. */
export interface PackedArtifact extends StoredArtifact {
  readonly files: number;
}

// Below this many objects packing takes a few milliseconds, less than waking a thread.
const INLINE_OBJECTS = 400;

/**
 * Writes the archive of `recipe` to `path` and remembers how to read its content without it.
 * @param store the store of the recipe's own source; its files stay while they are read
 * @throws GitError GitObjectNotFound when objects are missing; TreePathError when an include leaves the root
 */
export async function packArtifact(
  ports: PackPorts,
  store: GitStore,
  path: string,
  recipe: ContentRecipe,
  options: { readonly signal?: AbortSignal } = {},
): Promise<PackedArtifact> {
  const unpin = store.pin();
  let files = 0;
  try {
    const write = async (temporary: string): Promise<PackArchiveOutput> => {
      const input = { content: recipe, path: temporary, maxObjectBytes: DEFAULT_PACK_LIMITS.maxObjectBytes };
      const isSmall = recipe.includes === undefined && store.objectCount() <= INLINE_OBJECTS;
      const output = isSmall ? await packArchive(input) : await ports.workers.run('packArchive', input, options);
      files = output.files;
      return output;
    };
    const stored = await ports.artifacts.put(path, write, () => ports.stores.content(recipe));
    return { ...stored, files };
  } finally {
    unpin();
  }
}
