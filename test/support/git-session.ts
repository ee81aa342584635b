// Owns everything that a Git test needs at once: a server, its repositories, the client's door, stores and workers.
import { join } from 'node:path';
import { type GitStore, openGitStore } from '../../src/artifact/git-store.ts';
import { type ArtifactStore, openArtifactStore, type StoredArtifact } from '../../src/artifact/store.ts';
import type { ObjectFormat } from '../../src/engines/git/oid.ts';
import type { FileTree } from '../../src/lib/filetree.ts';
import { type ContentRecipe, openContent } from '../../src/offload/git/recipe.ts';
import { packArchive } from '../../src/offload/pack-archive.ts';
import { createWorkerPool, type WorkerPool } from '../../src/offload/pool.ts';
import { createServerMemory, type ServerMemory } from '../../src/remote/git/memory.ts';
import { openTransport } from '../../src/remote/git/open.ts';
import type { GitAuth, GitTransport } from '../../src/remote/git/transport.ts';
import { createHttpDoor, type HttpDoor } from '../../src/remote/http.ts';
import { type GitServer, type GitServerOptions, startGitServer } from '../../src/sandbox/gitserver.ts';
import { createWorkTree, git, temporaryFolder } from './git.ts';

/** Object stores by a key of the test's choice. */
export interface TestStores {
  open(key: string, format?: ObjectFormat): Promise<GitStore>;
  content(recipe: ContentRecipe): FileTree;
}

/** A server and a client. */
export interface GitSession {
  readonly dir: string;
  readonly server: GitServer;
  readonly http: HttpDoor;
  readonly memory: ServerMemory;
  readonly workers: WorkerPool;
  readonly stores: TestStores;
  readonly artifacts: ArtifactStore;
  /** A bare repository on the server and a work tree whose `origin` it is. */
  repository(name: string, format?: 'sha1' | 'sha256'): Promise<{ url: string; bare: string; work: string }>;
  open(url: string, auth?: GitAuth): GitTransport;
  /** Stores the archive of a recipe. @param inWorker whether a thread packs it */
  pack(path: string, recipe: ContentRecipe, inWorker?: boolean): Promise<StoredArtifact>;
  close(): Promise<void>;
}

/** Starts it all. */
export async function startGitSession(options: Partial<GitServerOptions> = {}): Promise<GitSession> {
  const { dir, remove } = temporaryFolder('git');
  const server = await startGitServer({ root: join(dir, 'server'), ...options });
  const http = createHttpDoor();
  const memory = createServerMemory();
  const workers = createWorkerPool();
  const stores = createStores(join(dir, 'stores'), workers);
  const artifacts = await openArtifactStore(join(dir, 'artifacts'));
  return {
    dir,
    server,
    http,
    memory,
    workers,
    stores,
    artifacts,
    async repository(name, format = 'sha1') {
      const { url, dir: bare } = await server.createRepository(name, { objectFormat: format });
      const work = join(dir, 'work', name);
      await createWorkTree(work, format);
      await git(work, 'remote', 'add', 'origin', bare);
      return { url, bare, work };
    },
    open: (url, auth = {}) => openTransport(url, auth, { http, memory }),
    pack: (path, recipe, inWorker = false) =>
      artifacts.put(
        path,
        (temporary) => {
          const input = { content: recipe, path: temporary, maxObjectBytes: 1 << 28 };
          return inWorker ? workers.run('packArchive', input) : packArchive(input);
        },
        () => stores.content(recipe),
      ),
    async close() {
      await workers.close();
      await http.close();
      await server.close();
      remove();
    },
  };
}

function createStores(root: string, workers: WorkerPool): TestStores {
  const stores = new Map<string, GitStore>();
  return {
    async open(key, format = 'sha1') {
      const dir = join(root, encodeURIComponent(key));
      const store = stores.get(dir) ?? (await openGitStore(dir, { workers, format }));
      stores.set(dir, store);
      return store;
    },
    content: (recipe) => openContent(recipe, (source) => stores.get(source.dir) as GitStore),
  };
}
