// Owns artifacts on disk: archives under Flux's paths, their digests, how long they stay, and reading their content
// without unpacking them. What goes into one is decided by its recipe; who serves them over HTTP is the server's business.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { MAX_UNPACKED_BYTES, openTarTree } from '../lib/archive-tree.ts';
import { createByteLru } from '../lib/byte-lru.ts';
import { type DigestAlgorithm, digestAlgorithm } from '../lib/digest.ts';
import { CodedError, errorCode, errorMessage } from '../lib/errors.ts';
import type { FileTree } from '../lib/filetree.ts';

/** Why an artifact cannot be had. */
export type ArtifactErrorCode =
  | 'ArtifactPathInvalid'
  | 'ArtifactNotFound'
  | 'ArtifactDigestMismatch'
  | 'ArtifactUnreadable';

/** A failure of the artifact store. */
export class ArtifactError extends CodedError<ArtifactErrorCode, { path: string }> {}

/** An archive as it was stored. */
export interface StoredArtifact {
  /** Relative to the store, `gitrepository/ns/name/sha.tar.gz`. */
  readonly path: string;
  /** `algorithm:hex` of the file. */
  readonly digest: string;
  /** Bytes of the file. */
  readonly size: number;
}

/** How many archives of one object stay, and how long. */
export interface Retention {
  /** Archives older than this go. @default 60000 */
  readonly ttlMs?: number;
  /** At most this many stay, the current one included. @default 2 */
  readonly records?: number;
}

/** What became of an archive since it was stored. */
type Verified = 'ok' | 'missing' | 'mismatch';

/** Artifacts below one folder. */
export interface ArtifactStore {
  readonly root: string;
  /** Absolute path of an archive, for serving. Throws ArtifactError ArtifactPathInvalid. */
  localPath(path: string): string;
  /**
   * Stores an archive: `write` fills a temporary file, which then takes its place in one step. `content` opens what is
   * in it without unpacking, for as long as this process lives.
   */
  put(
    path: string,
    write: (temporaryPath: string) => Promise<{ digest: string; size: number }>,
    content?: () => FileTree,
  ): Promise<StoredArtifact>;
  /** Says how to open the content of an archive that is stored already. */
  remember(artifact: StoredArtifact, content: () => FileTree): void;
  /** Whether the archive is there and is what it claims. A file that did not change since it was hashed is not read again. */
  verify(path: string, digest: string): Promise<Verified>;
  /** The files of an archive. Throws ArtifactError ArtifactNotFound, ArtifactDigestMismatch, ArtifactUnreadable. */
  open(path: string, digest: string): Promise<FileTree>;
  /** The archive itself. Throws as `open` does. */
  read(path: string, digest: string): Promise<Buffer>;
  /** Absolute path of the archive that a tree of this store was unpacked from; undefined for every other tree. */
  archiveOf(tree: FileTree): string | undefined;
  remove(path: string): Promise<void>;
  /**
   * Deletes old archives of one object: those past the time to live, then the oldest beyond the number that stays.
   * `keep` are never deleted. Returns the deleted paths.
   */
  collectGarbage(folder: string, keep: readonly string[], nowMs: number, retention?: Retention): Promise<string[]>;
  /** Deletes everything of one object. Returns how many archives there were. */
  removeFolder(folder: string): Promise<number>;
}

const DEFAULT_TTL_MS = 60_000;
const DEFAULT_RECORDS = 2;
const MAX_LISTED = 1000;
const UNPACKED_BYTES = 64 * 1024 * 1024;
const MAX_CONTENTS = 10_000;

const gunzipBytes = promisify(gunzip);

/** Options of `openArtifactStore`. */
export interface ArtifactStoreOptions {
  /** Bound on an archive's content where it has to be unpacked. @default 1 GiB */
  readonly maxUnpackedBytes?: number;
  /** What stored archives are hashed with (`--artifact-digest-algo`). @default as who writes one has done: sha256 */
  readonly algorithm?: DigestAlgorithm | undefined;
}

/** Opens the store below `root`, making the folder when there is none. */
export async function openArtifactStore(root: string, options: ArtifactStoreOptions = {}): Promise<ArtifactStore> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  return new DiskArtifacts(root, options);
}

class DiskArtifacts implements ArtifactStore {
  readonly root: string;
  private readonly contents = new Map<string, () => FileTree>();
  private readonly archives = new WeakMap<FileTree, string>();
  private readonly unpacked = createByteLru<string, FileTree>(UNPACKED_BYTES);
  /** Identity of a file when it was last hashed: `inode size mtime digest`. */
  private readonly verified = new Map<string, string>();
  private readonly verifying = new Map<string, Promise<Verified>>();
  /** Archives that are being unpacked, by digest. */
  private readonly unpacking = new Map<string, Promise<FileTree>>();
  private readonly maxUnpackedBytes: number;
  private readonly algorithm: DigestAlgorithm | undefined;
  private counter = 0;

  constructor(root: string, { maxUnpackedBytes = MAX_UNPACKED_BYTES, algorithm }: ArtifactStoreOptions) {
    this.root = root;
    this.maxUnpackedBytes = maxUnpackedBytes;
    this.algorithm = algorithm;
  }

  localPath(path: string): string {
    const segments = path.split('/');
    const unsafe = segments.some((segment) => segment === '' || segment === '.' || segment === '..');
    if (unsafe || /[\\\0]/.test(path)) {
      throw new ArtifactError('ArtifactPathInvalid', `'${path}' is no path of an artifact`, { path });
    }
    return join(this.root, ...segments);
  }

  async put(
    path: string,
    write: (temporaryPath: string) => Promise<{ digest: string; size: number }>,
    content?: () => FileTree,
  ): Promise<StoredArtifact> {
    const local = this.localPath(path);
    await mkdir(dirname(local), { recursive: true, mode: 0o700 });
    const temporary = `${local}.tmp-${process.pid}-${++this.counter}`;
    try {
      const { digest: written, size } = await write(temporary);
      // Writers hash as they go; another algorithm than theirs costs reading the file once more.
      const isWanted = this.algorithm === undefined || digestAlgorithm(written) === this.algorithm;
      const digest = isWanted ? written : await hashFile(temporary, this.algorithm);
      await rename(temporary, local);
      const artifact = { path, digest, size };
      this.verified.set(path, await this.identity(local, digest));
      if (content !== undefined) this.remember(artifact, content);
      return artifact;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  remember(artifact: StoredArtifact, content: () => FileTree): void {
    this.contents.delete(artifact.path);
    this.contents.set(artifact.path, content);
    for (const oldest of this.contents.keys()) {
      if (this.contents.size <= MAX_CONTENTS) break;
      this.contents.delete(oldest);
    }
  }

  /** Whoever asks while another one of the same is looked at gets its answer: after a push all consumers ask at once. */
  verify(path: string, digest: string): Promise<Verified> {
    const key = `${path} ${digest}`;
    const known = this.verifying.get(key);
    if (known !== undefined) return known;
    const verifying = this.look(path, digest).finally(() => this.verifying.delete(key));
    this.verifying.set(key, verifying);
    return verifying;
  }

  private async look(path: string, digest: string): Promise<Verified> {
    const local = this.localPath(path);
    try {
      const identity = await this.identity(local, digest);
      if (this.verified.get(path) === identity) return 'ok';
      const algorithm = digestAlgorithm(digest);
      if (algorithm === undefined || (await hashFile(local, algorithm)) !== digest) return 'mismatch';
      this.verified.set(path, identity);
      return 'ok';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
      throw error;
    }
  }

  async read(path: string, digest: string): Promise<Buffer> {
    await this.check(path, digest);
    return readFile(this.localPath(path));
  }

  async open(path: string, digest: string): Promise<FileTree> {
    await this.check(path, digest);
    const content = this.contents.get(path);
    if (content !== undefined) return content();
    const known = this.unpacked.get(digest) ?? this.unpacking.get(digest);
    if (known !== undefined) return known;
    const unpacking = this.unpack(path, digest).finally(() => this.unpacking.delete(digest));
    this.unpacking.set(digest, unpacking);
    return unpacking;
  }

  private async unpack(path: string, digest: string): Promise<FileTree> {
    const limit = this.maxUnpackedBytes;
    const archive = await readFile(this.localPath(path));
    try {
      const tar = await gunzipBytes(archive, { maxOutputLength: limit });
      const tree = openTarTree(tar, limit);
      this.unpacked.set(digest, tree, tar.length);
      this.archives.set(tree, this.localPath(path));
      return tree;
    } catch (cause) {
      const why =
        errorCode(cause) === 'ERR_BUFFER_TOO_LARGE' ? `it holds more than ${limit} bytes` : errorMessage(cause);
      throw new ArtifactError('ArtifactUnreadable', `artifact ${path} cannot be unpacked: ${why}`, { path }, { cause });
    }
  }

  archiveOf(tree: FileTree): string | undefined {
    return this.archives.get(tree);
  }

  async remove(path: string): Promise<void> {
    this.forget(path);
    await rm(this.localPath(path), { force: true });
  }

  async collectGarbage(
    folder: string,
    keep: readonly string[],
    nowMs: number,
    retention: Retention = {},
  ): Promise<string[]> {
    const kept = new Set(keep);
    const found: { path: string; mtimeMs: number }[] = [];
    for (const name of (await listFolder(this.localPath(folder))).slice(0, MAX_LISTED)) {
      const path = `${folder}/${name}`;
      const info = await stat(this.localPath(path)).catch(() => undefined);
      if (info?.isFile() === true) found.push({ path, mtimeMs: info.mtimeMs });
    }
    found.sort((a, b) => a.mtimeMs - b.mtimeMs);
    const expired = nowMs - (retention.ttlMs ?? DEFAULT_TTL_MS);
    const removed: string[] = [];
    let left = found.filter(({ path }) => isArchive(path)).length;
    for (const { path, mtimeMs } of found) {
      if (kept.has(path)) continue;
      const counts = isArchive(path);
      // What a crash left half-written has no archive's name and goes with age alone.
      if (mtimeMs >= expired && !(counts && left > (retention.records ?? DEFAULT_RECORDS))) continue;
      await this.remove(path);
      if (counts) left--;
      removed.push(path);
    }
    return removed;
  }

  async removeFolder(folder: string): Promise<number> {
    const local = this.localPath(folder);
    const names = await listFolder(local);
    for (const name of names) this.forget(`${folder}/${name}`);
    await rm(local, { recursive: true, force: true });
    // The namespace's folder goes with its last object.
    await rmdir(dirname(local)).catch(() => {});
    return names.filter(isArchive).length;
  }

  private async check(path: string, digest: string): Promise<void> {
    const state = await this.verify(path, digest);
    if (state === 'missing') throw new ArtifactError('ArtifactNotFound', `artifact ${path} is not here`, { path });
    if (state === 'mismatch') {
      throw new ArtifactError('ArtifactDigestMismatch', `computed digest doesn't match '${digest}'`, { path });
    }
  }

  private forget(path: string): void {
    this.contents.delete(path);
    this.verified.delete(path);
  }

  private async identity(local: string, digest: string): Promise<string> {
    const info = await stat(local);
    return `${info.ino} ${info.size} ${info.mtimeMs} ${digest}`;
  }
}

/** Whether a file is an artifact: an archive, or the index of a chart repository. */
function isArchive(path: string): boolean {
  return /\.(?:tar\.gz|tgz|yaml)$/.test(path);
}

async function hashFile(path: string, algorithm: DigestAlgorithm): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return `${algorithm}:${hash.digest('hex')}`;
}

async function listFolder(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
