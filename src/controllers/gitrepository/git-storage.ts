// Owns what is kept on disk for GitRepositories: objects by repository, archives by artifact, and the recipe that says
// how the content of an archive is read from objects, so that nothing inside the process unpacks it.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Artifact } from '../../api/meta/artifact.ts';
import { type GitStore, openGitStore } from '../../artifact/git-store.ts';
import type { ArtifactStore, Retention } from '../../artifact/store.ts';
import { DEFAULT_PACK_LIMITS } from '../../engines/git/index-pack.ts';
import type { ObjectFormat } from '../../engines/git/oid.ts';
import type { Clock } from '../../lib/clock.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { type ContentRecipe, openContent } from '../../offload/git/recipe.ts';
import { type PackArchiveOutput, packSmallArchive } from '../../offload/pack-archive.ts';
import type { WorkerPool } from '../../offload/pool.ts';
import { fetchContent } from '../../remote/git/content.ts';
import type { ResolvedReference } from '../../remote/git/resolve.ts';
import { missingSparseFolder } from '../../remote/git/sparse.ts';
import type { GitTransport } from '../../remote/git/transport.ts';
import type { HeldSource } from '../shared/source-artifacts.ts';
import type { FetchedCommit, FetchOptions, GitStorage, StoredArchive } from './ports.ts';

export interface GitStorageOptions {
  /** Folder of the object stores, one below it per repository. */
  readonly objectsFolder: string;
  readonly artifacts: ArtifactStore;
  readonly workers: WorkerPool;
  readonly clock: Clock;
  /** @default the store's */
  readonly retention?: Retention;
  /** Told of every archive that was stored, by the key of its repository. */
  readonly onStored?: (key: string) => void;
}

/** Makes the storage. Stores are opened when they are first needed. */
export function createGitStorage(options: GitStorageOptions): GitStorage & { close(): Promise<void> } {
  return new DiskGitStorage(options);
}

class DiskGitStorage implements GitStorage {
  readonly #options: GitStorageOptions;
  readonly #stores = new Map<string, Promise<GitStore>>();
  /** Artifact path → recipe, of archives whose content can be read from objects. */
  readonly #recipes = new Map<string, ContentRecipe>();
  /** How the trees are read that were opened here. */
  readonly #trees = new WeakMap<FileTree, ContentRecipe>();
  /** Folders of repositories whose content is too large to be packed on the event loop. */
  readonly #large = new Set<string>();

  constructor(options: GitStorageOptions) {
    this.#options = options;
  }

  async hasArchive(artifact: Artifact): Promise<boolean> {
    if (artifact.digest === undefined) return false;
    if ((await this.#options.artifacts.verify(artifact.path, artifact.digest)) !== 'ok') return false;
    await this.#recall(artifact);
    return true;
  }

  async fetch(
    key: string,
    transport: GitTransport,
    resolved: ResolvedReference,
    options: FetchOptions,
  ): Promise<FetchedCommit> {
    const folder = this.#folder(key);
    const store = await this.#store(folder, resolved.format);
    const { openSubmodule, sparse, signal } = options;
    const { stats, recipe } = await fetchContent(transport, store, resolved, {
      signal,
      sparse,
      ...(openSubmodule === undefined
        ? {}
        : {
            submodules: {
              open: openSubmodule,
              storeOf: (url: string, format: ObjectFormat) =>
                this.#store(join(folder, 'modules', folderOf(url)), format),
            },
          }),
    });
    return {
      recipe,
      commit: store.readCommit(resolved.commit),
      tag: resolved.tagObject === undefined ? undefined : store.readTag(resolved.tagObject),
      missingFolder: missingSparseFolder(store.openTree(resolved.commit), sparse),
      bytes: stats.bytes,
    };
  }

  async archive(path: string, recipe: ContentRecipe): Promise<StoredArchive> {
    const { artifacts, workers } = this.#options;
    await this.#openStores(recipe);
    const release = this.#pin(recipe);
    const { maxObjectBytes } = DEFAULT_PACK_LIMITS;
    let known = recipe;
    const pack = async (temporary: string) => {
      const packed =
        (await this.#packSmall(recipe, temporary)) ??
        (await workers.run('packArchive', { content: recipe, path: temporary, maxObjectBytes }));
      known = { ...recipe, ignoreFolders: packed.ignoreFolders };
      return packed;
    };
    const stored = await artifacts
      .put(
        path,
        pack,
        this.#opener(() => known),
      )
      .finally(release);
    await this.#writeRecipe(path, known);
    this.#recipes.set(path, known);
    this.#options.onStored?.(path.split('/').slice(1, 3).join('/'));
    return stored;
  }

  /** Packs without a thread; undefined where that would take too long. What was large once is not tried again. */
  async #packSmall(content: ContentRecipe, path: string): Promise<PackArchiveOutput | undefined> {
    const { dir } = content.source;
    if (this.#large.has(dir)) return undefined;
    const packed = await packSmallArchive({ content, path }, (source) => this.#opened.get(source.dir)!);
    if (packed === undefined) this.#large.add(dir);
    return packed;
  }

  recipeOf(artifact: Artifact): ContentRecipe | undefined {
    return this.#recipes.get(artifact.path);
  }

  hold(tree: FileTree): HeldSource | undefined {
    const recipe = this.#trees.get(tree);
    if (recipe !== undefined) return { source: { from: 'git', recipe }, release: this.#pin(recipe) };
    const path = this.#options.artifacts.archiveOf(tree);
    return path === undefined ? undefined : { source: { from: 'archive', path }, release: () => {} };
  }

  /** Keeps the objects of a recipe on disk: another repository's pass may drop those of an included store meanwhile. */
  #pin(recipe: ContentRecipe): () => void {
    const unpin = foldersOf(recipe).map((dir) => this.#opened.get(dir)?.pin());
    return () => {
      for (const release of unpin) release?.();
    };
  }

  async collect(key: string, keep: readonly Artifact[]): Promise<number> {
    const kept = keep.flatMap(({ path }) => [path, recipePath(path)]);
    const removed = await this.#options.artifacts.collectGarbage(
      `gitrepository/${key}`,
      kept,
      this.#options.clock.now(),
      this.#options.retention,
    );
    const archives = removed.filter((path) => path.endsWith('.tar.gz'));
    for (const path of archives) {
      this.#recipes.delete(path);
      // Recipes go by age alone: a thousand pushes within a minute would leave a thousand of them.
      await this.#options.artifacts.remove(recipePath(path));
    }
    if (archives.length > 0) await this.#dropObjects(key, keep);
    return archives.length;
  }

  /** Drops objects that no archive which is left needs. An archive's name is its commit's. */
  async #dropObjects(key: string, keep: readonly Artifact[]): Promise<void> {
    const prefix = `gitrepository/${key}/`;
    const paths = [...this.#recipes.keys(), ...keep.map((artifact) => artifact.path)];
    const commits = paths
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length, -'.tar.gz'.length));
    const store = await this.#stores.get(this.#folder(key));
    await store?.retain([...new Set(commits)]);
  }

  async remove(key: string): Promise<void> {
    await this.#options.artifacts.removeFolder(`gitrepository/${key}`);
    for (const path of this.#recipes.keys()) if (path.startsWith(`gitrepository/${key}/`)) this.#recipes.delete(path);
    const folder = this.#folder(key);
    for (const [dir, opening] of this.#stores) {
      if (dir !== folder && !dir.startsWith(`${folder}/`)) continue;
      this.#stores.delete(dir);
      this.#opened.delete(dir);
      this.#large.delete(dir);
      (await opening.catch(() => undefined))?.close();
    }
    await rm(folder, { recursive: true, force: true });
  }

  async open(artifact: Artifact): Promise<FileTree> {
    await this.#recall(artifact);
    return this.#options.artifacts.open(artifact.path, artifact.digest ?? '');
  }

  async close(): Promise<void> {
    for (const opening of this.#stores.values()) (await opening.catch(() => undefined))?.close();
    this.#stores.clear();
  }

  #folder(key: string): string {
    return join(this.#options.objectsFolder, key);
  }

  #store(folder: string, format: ObjectFormat): Promise<GitStore> {
    const known = this.#stores.get(folder);
    if (known !== undefined) return known;
    const opening = mkdir(dirname(folder), { recursive: true }).then(() =>
      openGitStore(folder, { format, workers: this.#options.workers }),
    );
    this.#stores.set(folder, opening);
    // A store that could not be opened is tried again the next time.
    opening.catch(() => this.#stores.delete(folder));
    return opening;
  }

  readonly #opened = new Map<string, GitStore>();

  /** Opens every store that a recipe names, so that reading it later is synchronous. */
  async #openStores(recipe: ContentRecipe): Promise<void> {
    const { dir, format } = recipe.source;
    this.#opened.set(dir, await this.#store(dir, format));
    for (const { source } of recipe.submodules ?? []) {
      if (source !== undefined) this.#opened.set(source.dir, await this.#store(source.dir, source.format));
    }
    for (const include of recipe.includes ?? []) await this.#openStores(include.content);
  }

  /** Opens the same tree for all who read it at the time: what one has parsed of it the others need not. */
  #opener(recipeNow: () => ContentRecipe): () => FileTree {
    let last: { readonly recipe: ContentRecipe; readonly tree: WeakRef<FileTree> } | undefined;
    return () => {
      const recipe = recipeNow();
      const known = last?.recipe === recipe ? last.tree.deref() : undefined;
      const tree = known ?? this.#open(recipe);
      if (known === undefined) last = { recipe, tree: new WeakRef(tree) };
      return tree;
    };
  }

  #open(recipe: ContentRecipe): FileTree {
    const tree = openContent(recipe, (source) => this.#opened.get(source.dir)!);
    this.#trees.set(tree, recipe);
    return tree;
  }

  /** After a restart: says how the content of an archive is read, when its objects are still there. */
  async #recall(artifact: Artifact): Promise<void> {
    if (this.#recipes.has(artifact.path)) return;
    const recipe = await this.#readRecipe(artifact.path);
    if (recipe === undefined || !(await this.#isReadable(recipe))) return;
    this.#recipes.set(artifact.path, recipe);
    const { path, digest = '', size = 0 } = artifact;
    this.#options.artifacts.remember(
      { path, digest, size },
      this.#opener(() => recipe),
    );
  }

  async #isReadable(recipe: ContentRecipe): Promise<boolean> {
    await this.#openStores(recipe);
    const isHere = (part: ContentRecipe): boolean =>
      this.#opened.get(part.source.dir)!.has(part.source.tree) &&
      (part.includes ?? []).every((include) => isHere(include.content));
    return isHere(recipe);
  }

  async #readRecipe(path: string): Promise<ContentRecipe | undefined> {
    try {
      const text = await readFile(this.#options.artifacts.localPath(recipePath(path)), 'utf8');
      const absolute = (key: string, value: unknown) =>
        key === 'dir' && typeof value === 'string' ? join(this.#options.objectsFolder, value) : value;
      return JSON.parse(text, absolute) as ContentRecipe;
    } catch {
      // Without a recipe the archive itself is read: slower, and the same files.
      return undefined;
    }
  }

  async #writeRecipe(path: string, recipe: ContentRecipe): Promise<void> {
    const local = this.#options.artifacts.localPath(recipePath(path));
    // Folders are written relative to the state directory, which may be moved.
    const relativeDir = (key: string, value: unknown) =>
      key === 'dir' && typeof value === 'string' ? relative(this.#options.objectsFolder, value) : value;
    await writeFile(`${local}.tmp`, JSON.stringify(recipe, relativeDir), { mode: 0o600 });
    await rename(`${local}.tmp`, local);
  }
}

/** Folders of all stores that a recipe reads from. */
function foldersOf(recipe: ContentRecipe): string[] {
  const own = [recipe.source, ...(recipe.submodules ?? []).map(({ source }) => source)];
  const included = (recipe.includes ?? []).flatMap((include) => foldersOf(include.content));
  return [...new Set([...own.flatMap((source) => (source === undefined ? [] : [source.dir])), ...included])];
}

/** Folder name of a submodule's store. */
function folderOf(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 32);
}

function recipePath(path: string): string {
  return path.replace(/\.tar\.gz$/, '.recipe.json');
}
