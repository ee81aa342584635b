// Owns the objects of one Git repository on disk: packs, which commits are whole, which are shallow. The folder is a bare
// repository that Git itself can read and check. Fetching is somebody else's business; nothing is ever checked out.
import { randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Commit, parseCommit, parseTag, type Tag } from '../engines/git/commit.ts';
import { checkConnectedSteps } from '../engines/git/connectivity.ts';
import { GitError } from '../engines/git/errors.ts';
import { DEFAULT_PACK_LIMITS, indexPackSteps, type PackLimits } from '../engines/git/index-pack.ts';
import { memorySource } from '../engines/git/inflate.ts';
import { createObjectTree, type ObjectTree } from '../engines/git/object-tree.ts';
import { type GitObject, isOid, type ObjectFormat } from '../engines/git/oid.ts';
import { formatPackIdxSteps, type PackIdx, parsePackIdx } from '../engines/git/pack-idx.ts';
import { createPackReader } from '../engines/git/pack-reader.ts';
import { completePackBytes } from '../engines/git/pack-write.ts';
import { createByteLru } from '../lib/byte-lru.ts';
import { createSharedCache, openPackFile, type PackFile, packFolder } from '../offload/git/pack-file.ts';
import type { GitTreeSource } from '../offload/git/recipe.ts';
import type { WorkerPool } from '../offload/pool.ts';
import { runInSlices } from '../offload/slices.ts';
import { prepareStore, readLines, receivePack, replaceFile, writeConfig } from './internal/git-files.ts';

/** Options of `openGitStore`. */
export interface GitStoreOptions {
  /** Of a new store; an existing one keeps its own. @default 'sha1' */
  readonly format?: ObjectFormat;
  /** Runs what would hold up the event loop. */
  readonly workers: WorkerPool;
  readonly limits?: Partial<PackLimits>;
}

/** What a pack that comes in makes true. */
export interface ImportOptions {
  /** Commits and tags that are whole once the pack is in; this is checked. */
  readonly roots: readonly string[];
  /** Commits that are shallow from now on. */
  readonly shallow?: readonly string[];
  /** Commits that are shallow no more. */
  readonly unshallow?: readonly string[];
  /** Whether blobs may be absent: a partial clone. The store is one from then on. @default false */
  readonly partial?: boolean;
  readonly signal?: AbortSignal;
}

/** What came in. */
export interface ImportResult {
  readonly objects: number;
  /** Bytes as received. */
  readonly bytes: number;
}

/** A pack that was indexed; the index too where it was made in this thread. */
interface IndexedImport {
  readonly objects: number;
  readonly checksum: string;
  readonly idx?: PackIdx;
}

const CACHE_BYTES = 8 * 1024 * 1024;
const IDLE_MS = 10_000;
// More packs make every look-up slower; writing one takes about as long as fetching all of it.
const MAX_PACKS = 24;
const SLACK_BYTES = 4 * 1024 * 1024;

/**
 * Opens the store in `dir`, making it when there is none. Left-overs of an import that a crash cut short are removed;
 * packs without a usable index are removed as well (what they held is fetched again).
 */
export async function openGitStore(dir: string, options: GitStoreOptions): Promise<GitStore> {
  const format = await prepareStore(dir, options.format ?? 'sha1');
  const store = new GitStore(dir, format, options);
  await store.load();
  return store;
}

/** Objects of one repository. Reading is synchronous; writing is one at a time. */
export class GitStore {
  readonly dir: string;
  readonly format: ObjectFormat;
  private readonly packDir: string;
  private readonly limits: PackLimits;
  private readonly workers: WorkerPool;
  private readonly cache = createByteLru<string, GitObject>(CACHE_BYTES);
  /** Shared by all packs: each push brings one more, and what it touched is read from it. */
  private readonly built = createSharedCache();
  private packs: PackFile[] = [];
  private rootList: string[] = [];
  private shallowList: string[] = [];
  private tail: Promise<unknown> = Promise.resolve();
  private pins = 0;
  private wasRead = false;
  private idleTimer: NodeJS.Timeout | undefined;
  private partialClone = false;
  private retired: PackFile[] = [];

  constructor(dir: string, format: ObjectFormat, options: GitStoreOptions) {
    this.dir = dir;
    this.format = format;
    this.packDir = packFolder(dir);
    this.limits = { ...DEFAULT_PACK_LIMITS, ...options.limits };
    this.workers = options.workers;
  }

  /** Commits and tags whose whole content is here, newest first. */
  roots(): readonly string[] {
    return this.rootList;
  }

  /** Commits here whose parents are not. */
  shallow(): readonly string[] {
    return this.shallowList;
  }

  /** Whether blobs of kept commits may be absent. */
  get isPartial(): boolean {
    return this.partialClone;
  }

  /** Whether an object is here. */
  has(oid: string): boolean {
    this.touch();
    return this.packs.some((pack) => pack.has(oid));
  }

  /** Objects in all packs; doubled ones count twice. */
  objectCount(): number {
    return this.packs.reduce((sum, pack) => sum + pack.idx().count, 0);
  }

  /** An object; undefined when it is not here. Throws GitError GitCorruptPack, GitLimitExceeded. */
  read(oid: string): GitObject | undefined {
    const known = this.cache.get(oid);
    if (known !== undefined) return known;
    this.touch();
    for (const pack of this.packs) {
      const object = pack.read(oid);
      if (object === undefined) continue;
      if (object.type !== 'blob') this.cache.set(oid, object, object.data.length + 200);
      return object;
    }
    return undefined;
  }

  /** The size of an object, without building it; undefined when it is not here. Throws GitError GitCorruptPack. */
  stat(oid: string): { readonly size: number } | undefined {
    const known = this.cache.get(oid);
    if (known !== undefined) return { size: known.data.length };
    this.touch();
    for (const pack of this.packs) {
      const found = pack.stat(oid);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A commit. Throws GitError GitObjectNotFound. */
  readCommit(oid: string): Commit {
    return parseCommit(this.expect(oid, 'commit').data);
  }

  /** An annotated tag. Throws GitError GitObjectNotFound. */
  readTag(oid: string): Tag {
    return parseTag(this.expect(oid, 'tag').data);
  }

  /** The files of a commit, read from objects as they are asked for. Throws GitError GitObjectNotFound. */
  openTree(commit: string): ObjectTree {
    return createObjectTree(this, this.readCommit(commit).tree);
  }

  /** The files of a commit as plain data, for a worker that packs them. Throws GitError GitObjectNotFound. */
  source(commit: string): GitTreeSource {
    return { dir: this.dir, format: this.format, tree: this.readCommit(commit).tree };
  }

  /** Keeps files from being deleted while another thread reads them. Call what it returns exactly once. */
  pin(): () => void {
    this.pins++;
    return () => void this.pins--;
  }

  /**
   * Takes a pack in: all of it, or nothing. A pack that lacks bases is completed with objects of this store.
   * @throws GitError GitCorruptPack, GitObjectNotFound, GitUnsafeTree, GitLimitExceeded; whatever the stream throws
   */
  importPack(pack: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<ImportResult> {
    return this.alone(() => this.doImport(pack, options));
  }

  /**
   * Keeps only these commits and tags. What else is here goes once it is worth the work: when there are many packs, or
   * when they are much larger than what is kept.
   */
  retain(keep: readonly string[], options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.alone(() => this.doRetain(new Set(keep), options.signal));
  }

  /** Closes files and drops caches. Reading opens them again; a store that nobody reads for a while does it by itself. */
  close(): void {
    clearTimeout(this.idleTimer);
    this.idleTimer = undefined;
    this.cache.clear();
    this.built.clear();
    for (const pack of this.packs) pack.close();
  }

  /** Reads what is on disk. Called once, by `openGitStore`. */
  async load(): Promise<void> {
    const names = new Set(await readdir(this.packDir));
    const packs: PackFile[] = [];
    for (const name of names) {
      if (name.startsWith('tmp_')) await rm(join(this.packDir, name), { force: true });
      if (!name.endsWith('.pack') || !name.startsWith('pack-')) continue;
      const pack = this.tryOpen(join(this.packDir, name));
      if (pack === undefined) await this.removePack(join(this.packDir, name));
      else packs.push(pack);
    }
    this.packs = packs;
    this.partialClone = [...names].some((name) => name.endsWith('.promisor'));
    this.shallowList = (await readLines(join(this.dir, 'shallow'))).filter((oid) => this.has(oid));
    const refs = await readLines(join(this.dir, 'packed-refs'));
    const roots = refs.filter((line) => !line.startsWith('#')).map((line) => line.split(' ')[0] as string);
    this.rootList = roots.filter((oid) => isOid(oid) && this.has(oid));
  }

  private tryOpen(packPath: string): PackFile | undefined {
    try {
      const pack = this.openPack(packPath);
      pack.idx();
      return pack;
    } catch {
      // A pack without its index, or with a damaged one, is what a crash leaves: it was never announced as a root.
      return undefined;
    }
  }

  private openPack(packPath: string, idx?: PackIdx): PackFile {
    const { maxObjectBytes } = this.limits;
    return openPackFile(packPath, this.format, { maxObjectBytes, idx, cache: this.built.share() });
  }

  private async removePack(packPath: string): Promise<void> {
    // The index first: a pack without index is ignored, an index without pack is an error.
    await rm(packPath.replace(/\.pack$/, '.idx'), { force: true });
    await rm(packPath, { force: true });
    await rm(packPath.replace(/\.pack$/, '.promisor'), { force: true });
  }

  // Hundreds of stores are open at once, each with some MB of objects that were read; few are read at any time.
  private touch(): void {
    this.wasRead = true;
    if (this.idleTimer !== undefined) return;
    this.idleTimer = setTimeout(() => {
      this.idleTimer = undefined;
      if (!this.wasRead) return this.close();
      for (const pack of this.packs) pack.rest();
      this.touch();
      this.wasRead = false;
    }, IDLE_MS);
    this.idleTimer.unref();
  }

  private expect(oid: string, type: GitObject['type']): GitObject {
    const object = this.read(oid);
    if (object === undefined) throw new GitError('GitObjectNotFound', `object ${oid} is not in the store`, { oid });
    if (object.type !== type) {
      throw new GitError('GitCorruptObject', `object ${oid} is a ${object.type}, not a ${type}`, { oid });
    }
    return object;
  }

  private async doImport(pack: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<ImportResult> {
    const temporary = join(this.packDir, `tmp_pack_${randomBytes(8).toString('hex')}`);
    try {
      const received = await receivePack(pack, temporary, this.limits, options.signal);
      const { objects, checksum, idx } =
        received.memory === undefined
          ? await this.indexInWorker(temporary, options)
          : await this.indexInline(received.memory, temporary, options);
      if (options.partial === true && !this.partialClone) {
        this.partialClone = true;
        await writeConfig(this.dir, this.format, true);
      }
      if (objects > 0) await this.adopt(temporary, checksum, idx);
      else this.requireRoots(options.roots);
      await this.record(options);
      return { objects, bytes: received.bytes };
    } finally {
      await rm(temporary, { force: true });
      await rm(`${temporary}.idx`, { force: true });
    }
  }

  private requireRoots(roots: readonly string[]): void {
    for (const oid of roots) {
      if (!this.has(oid)) throw new GitError('GitObjectNotFound', `the server did not send object ${oid}`, { oid });
    }
  }

  private async indexInline(bytes: Buffer, temporary: string, options: ImportOptions): Promise<IndexedImport> {
    const { signal } = options;
    const indexOptions = { limits: this.limits, readExternal: (oid: string) => this.read(oid) };
    const indexed = await runInSlices(indexPackSteps(memorySource(bytes), this.format, indexOptions), signal);
    if (indexed.count === 0) return { objects: 0, checksum: indexed.checksum };
    const complete = completePackBytes(bytes, indexed, this.format);
    const idx = await runInSlices(formatPackIdxSteps(complete.columns, complete.checksum, this.format), signal);
    const parsed = parsePackIdx(idx, this.format);
    const reader = createPackReader(memorySource(complete.bytes), parsed, this.format, this.limits);
    const connectivity = {
      format: this.format,
      hasElsewhere: (oid: string) => this.has(oid),
      partial: this.partialClone || options.partial === true,
    };
    await runInSlices(checkConnectedSteps(options.roots, reader, connectivity), signal);
    await Promise.all([
      writeFile(temporary, complete.bytes, { mode: 0o600, flush: true }),
      writeFile(`${temporary}.idx`, idx, { mode: 0o600, flush: true }),
    ]);
    return { objects: indexed.count, checksum: complete.checksum, idx: parsed };
  }

  private indexInWorker(temporary: string, options: ImportOptions): Promise<IndexedImport> {
    const input = {
      packPath: temporary,
      idxPath: `${temporary}.idx`,
      format: this.format,
      limits: this.limits,
      dir: this.dir,
      roots: options.roots,
      partial: this.partialClone || options.partial === true,
    };
    return this.workers.run('indexPack', input, options.signal === undefined ? {} : { signal: options.signal });
  }

  // The pack gets its name before its index does: whoever sees the index finds the pack.
  private async adopt(temporary: string, checksum: string, idx?: PackIdx): Promise<PackFile> {
    const packPath = join(this.packDir, `pack-${checksum}.pack`);
    const known = this.packs.find((pack) => pack.packPath === packPath);
    if (known !== undefined) return known;
    // Tells Git (and our next start) that what this pack refers to may be absent on purpose.
    if (this.partialClone) await writeFile(packPath.replace(/\.pack$/, '.promisor'), '', { mode: 0o600 });
    await rename(temporary, packPath);
    await rename(`${temporary}.idx`, packPath.replace(/\.pack$/, '.idx'));
    // What only older revisions have is not asked for again: kept, it would fill the caches of every store.
    this.cache.age();
    this.built.age();
    // Newest first: the next read most likely is for what came last.
    const pack = this.openPack(packPath, idx);
    this.packs = [pack, ...this.packs];
    if (idx !== undefined) this.touch();
    return pack;
  }

  private async record(options: ImportOptions): Promise<void> {
    const unshallow = new Set(options.unshallow ?? []);
    const shallow = new Set([...this.shallowList, ...(options.shallow ?? [])].filter((oid) => !unshallow.has(oid)));
    await this.writeShallow([...shallow]);
    await this.writeRoots([...new Set([...options.roots, ...this.rootList])]);
  }

  private async doRetain(keep: ReadonlySet<string>, signal: AbortSignal | undefined): Promise<void> {
    // What the last repacking replaced; whoever read it then has had all the time since.
    if (this.pins === 0) await this.deleteRetired();
    const roots = this.rootList.filter((oid) => keep.has(oid));
    if (roots.length < this.rootList.length) await this.writeRoots(roots);
    if (roots.length > 0 && (await this.isWorthRepacking())) await this.repack(roots, signal);
  }

  private async isWorthRepacking(): Promise<boolean> {
    if (this.packs.length > MAX_PACKS) return true;
    if (this.packs.length < 2) return false;
    const sizes = await Promise.all(this.packs.map(async (pack) => (await stat(pack.packPath)).size));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    return total > 2 * Math.max(...sizes) + SLACK_BYTES;
  }

  private async repack(roots: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const temporary = join(this.packDir, `tmp_repack_${randomBytes(8).toString('hex')}`);
    const input = {
      dir: this.dir,
      format: this.format,
      limits: this.limits,
      roots,
      partial: this.partialClone,
      packPath: temporary,
      idxPath: `${temporary}.idx`,
    };
    const old = this.packs;
    try {
      const { checksum } = await this.workers.run('repack', input, signal === undefined ? {} : { signal });
      // It may be one that is here already: a small repository's last pack often is all there is to keep.
      const newest = await this.adopt(temporary, checksum);
      this.packs = [newest];
      // Only the kept commits came along, not their parents.
      await this.writeShallow(roots.filter((oid) => this.read(oid)?.type === 'commit'));
      this.retired.push(...old.filter((pack) => pack !== newest));
    } finally {
      await rm(temporary, { force: true });
      await rm(`${temporary}.idx`, { force: true });
    }
  }

  private async deleteRetired(): Promise<void> {
    for (const pack of this.retired.splice(0)) {
      pack.close();
      await this.removePack(pack.packPath);
    }
  }

  private async writeShallow(oids: string[]): Promise<void> {
    await replaceFile(join(this.dir, 'shallow'), oids.map((oid) => `${oid}\n`).join(''));
    this.shallowList = oids;
  }

  private async writeRoots(oids: string[]): Promise<void> {
    const lines = oids.map((oid) => `${oid} refs/kept/${oid}\n`);
    await replaceFile(join(this.dir, 'packed-refs'), lines.join(''));
    this.rootList = oids;
  }

  private alone<T>(run: () => Promise<T>): Promise<T> {
    const result = this.tail.then(run, run);
    this.tail = result.catch(() => {});
    return result;
  }
}
