// Owns making a commit: changed files on top of a commit that is here, and the pack that a push of it carries. Objects and
// pack are written by isomorphic-git, which sees a repository that exists in memory only; sending is transport.push.
import { deflateSync } from 'node:zlib';
import { parseCommit } from '../../engines/git/commit.ts';
import { GitError } from '../../engines/git/errors.ts';
import type { ObjectReader } from '../../engines/git/object-tree.ts';
import { assertEntryName, parseTree, type TreeEntryKind } from '../../engines/git/tree.ts';
import { normalizeTreePath } from '../../lib/tree-path.ts';

/** Who did it, and when. */
export interface Person {
  readonly name: string;
  readonly email: string;
  /** Seconds since 1970. */
  readonly seconds: number;
}

/** A file as it is to be; null deletes it. Text is UTF-8. */
export type FileChange =
  | string
  | Uint8Array
  | { readonly content: string | Uint8Array; readonly executable: boolean }
  | null;

/** What to commit. */
export interface CommitRequest {
  /** The commit to build on, whose trees must be here; undefined for the first one of a repository. */
  readonly parent: string | undefined;
  /** Changes by path from the root. */
  readonly changes: ReadonlyMap<string, FileChange>;
  readonly message: string;
  readonly author: Person;
  /** @default the author */
  readonly committer?: Person;
}

/** A commit that nobody else has yet. */
export interface MadeCommit {
  readonly oid: string;
  readonly tree: string;
  /** What a server that has the parent lacks. */
  readonly pack: Uint8Array;
}

/**
 * Makes a commit. Only the folders on the way to a change are read, so a partial clone does.
 * @throws GitError GitObjectNotFound when the parent or a folder is not here, GitUnsafeTree for a path that Git refuses,
 * GitUnsupported for SHA-256 repositories; TreePathError
 */
export async function makeCommit(objects: ObjectReader, request: CommitRequest): Promise<MadeCommit> {
  if (objects.format !== 'sha1')
    throw new GitError('GitUnsupported', 'commits are made in SHA-1 repositories only', {});
  const repository = await openMemoryRepository(objects);
  const base = request.parent === undefined ? undefined : parseCommit(readObject(objects, request.parent)).tree;
  const tree = (await writeFolder(repository, base, toFolder(request.changes))) ?? (await repository.writeTree([]));
  const oid = await repository.writeCommit({
    message: request.message,
    tree,
    parent: request.parent === undefined ? [] : [request.parent],
    author: toSignature(request.author),
    committer: toSignature(request.committer ?? request.author),
  });
  return { oid, tree, pack: await repository.packWritten() };
}

/** Changes below one folder. */
interface Folder {
  readonly files: Map<string, FileChange>;
  readonly folders: Map<string, Folder>;
}

function toFolder(changes: CommitRequest['changes']): Folder {
  const root: Folder = { files: new Map(), folders: new Map() };
  for (const [path, change] of changes) {
    const segments = normalizeTreePath(path).split('/');
    const name = segments.pop() as string;
    for (const segment of [...segments, name]) assertEntryName(segment);
    let folder = root;
    for (const segment of segments) {
      const below = folder.folders.get(segment) ?? { files: new Map(), folders: new Map() };
      folder.folders.set(segment, below);
      folder = below;
    }
    folder.files.set(name, change);
  }
  return root;
}

/** The tree with the changes made; undefined when nothing is left in it. */
async function writeFolder(
  repository: MemoryRepository,
  oid: string | undefined,
  changes: Folder,
): Promise<string | undefined> {
  const entries = new Map<string, { kind: TreeEntryKind; oid: string }>();
  if (oid !== undefined) {
    for (const entry of parseTree(readObject(repository.objects, oid), 'sha1')) entries.set(entry.name, entry);
  }
  for (const [name, change] of changes.files) {
    if (change === null) entries.delete(name);
    else entries.set(name, await writeFile(repository, change));
  }
  for (const [name, folder] of changes.folders) {
    const old = entries.get(name);
    const tree = await writeFolder(repository, old?.kind === 'tree' ? old.oid : undefined, folder);
    if (tree !== undefined) entries.set(name, { kind: 'tree', oid: tree });
    else if (old?.kind === 'tree') entries.delete(name);
  }
  if (entries.size === 0) return undefined;
  return repository.writeTree(
    [...entries].map(([path, entry]) => ({ path, oid: entry.oid, ...MODE_OF_KIND[entry.kind] })),
  );
}

async function writeFile(repository: MemoryRepository, change: NonNullable<FileChange>) {
  const plain = typeof change === 'string' || change instanceof Uint8Array;
  const content = plain ? change : change.content;
  const oid = await repository.writeBlob(typeof content === 'string' ? Buffer.from(content) : content);
  return { kind: !plain && change.executable ? ('executable' as const) : ('file' as const), oid };
}

const MODE_OF_KIND = {
  file: { mode: '100644', type: 'blob' },
  executable: { mode: '100755', type: 'blob' },
  link: { mode: '120000', type: 'blob' },
  tree: { mode: '040000', type: 'tree' },
  commit: { mode: '160000', type: 'commit' },
} as const satisfies Readonly<Record<TreeEntryKind, { mode: string; type: string }>>;

function toSignature({ name, email, seconds }: Person) {
  return { name, email, timestamp: seconds, timezoneOffset: 0 };
}

function readObject(objects: ObjectReader, oid: string): Uint8Array {
  const object = objects.read(oid);
  if (object === undefined) throw new GitError('GitObjectNotFound', `object ${oid} is not in the store`, { oid });
  return object.data;
}

type MemoryRepository = Awaited<ReturnType<typeof openMemoryRepository>>;

const GIT_DIR = '/repository';

/** isomorphic-git over a folder of loose objects: those of the store, and on top of them what is written. */
async function openMemoryRepository(objects: ObjectReader) {
  // Loaded when something is written: most processes never do.
  const { default: git } = await import('isomorphic-git');
  const written = new Map<string, Uint8Array>();
  const oidOf = (path: string): string => path.slice(`${GIT_DIR}/objects/`.length).replace('/', '');
  const find = (path: string): Uint8Array => {
    const oid = oidOf(path);
    const known = written.get(oid);
    if (known !== undefined) return known;
    const object = /^[0-9a-f]{40}$/.test(oid) ? objects.read(oid) : undefined;
    if (object === undefined) throw Object.assign(new Error(`${path} is not here`), { code: 'ENOENT' });
    return deflateSync(Buffer.concat([Buffer.from(`${object.type} ${object.data.length}\0`), object.data]));
  };
  const isFolder = (path: string) => !/\/[0-9a-f]{38}$/.test(path);
  const stat = async (path: string) => {
    if (!isFolder(path)) find(path);
    return { isDirectory: () => isFolder(path), isFile: () => !isFolder(path), isSymbolicLink: () => false };
  };
  const nothing = async () => {};
  const promises = {
    readFile: async (path: string) => find(path),
    writeFile: async (path: string, data: Uint8Array) => void written.set(oidOf(path), data),
    stat,
    lstat: stat,
    readdir: async () => [],
    mkdir: nothing,
    rmdir: nothing,
    unlink: nothing,
    readlink: nothing,
    symlink: nothing,
    chmod: nothing,
  };
  const common = { fs: { promises }, gitdir: GIT_DIR };
  return {
    objects,
    writeBlob: (blob: Uint8Array) => git.writeBlob({ ...common, blob }),
    writeTree: (tree: Parameters<typeof git.writeTree>[0]['tree']) => git.writeTree({ ...common, tree }),
    writeCommit: (commit: Parameters<typeof git.writeCommit>[0]['commit']) => git.writeCommit({ ...common, commit }),
    async packWritten(): Promise<Uint8Array> {
      const { packfile } = await git.packObjects({ ...common, oids: [...written.keys()] });
      return packfile as Uint8Array;
    },
  };
}
