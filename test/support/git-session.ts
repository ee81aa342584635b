// Owns everything that a Git test needs at once: a server, its repositories, the client's door, stores and workers.
import { join } from 'node:path';
import { createGitStores, type GitStores } from '../../src/artifact/git-stores.ts';
import { type ArtifactStore, openArtifactStore } from '../../src/artifact/store.ts';
import { createWorkerPool, type WorkerPool } from '../../src/offload/pool.ts';
import { createServerMemory, type ServerMemory } from '../../src/remote/git/memory.ts';
import { openTransport } from '../../src/remote/git/open.ts';
import type { GitAuth, GitTransport } from '../../src/remote/git/transport.ts';
import { createHttpDoor, type HttpDoor } from '../../src/remote/http.ts';
import { type GitServer, type GitServerOptions, startGitServer } from '../../src/sandbox/gitserver.ts';
import { createWorkTree, git, temporaryFolder } from './git.ts';

/** A server and a client. */
export interface GitSession {
  readonly dir: string;
  readonly server: GitServer;
  readonly http: HttpDoor;
  readonly memory: ServerMemory;
  readonly workers: WorkerPool;
  readonly stores: GitStores;
  readonly artifacts: ArtifactStore;
  /** A bare repository on the server and a work tree whose `origin` it is. */
  repository(name: string, format?: 'sha1' | 'sha256'): Promise<{ url: string; bare: string; work: string }>;
  open(url: string, auth?: GitAuth): GitTransport;
  close(): Promise<void>;
}

/** Starts it all. */
export async function startGitSession(options: Partial<GitServerOptions> = {}): Promise<GitSession> {
  const { dir, remove } = temporaryFolder('git');
  const server = await startGitServer({ root: join(dir, 'server'), ...options });
  const http = createHttpDoor();
  const memory = createServerMemory();
  const workers = createWorkerPool();
  const stores = createGitStores(join(dir, 'stores'), { workers });
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
    async close() {
      stores.close();
      await workers.close();
      await http.close();
      await server.close();
      remove();
    },
  };
}
