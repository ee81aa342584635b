// Owns the files of an object store beside its packs, and taking a pack in from a stream.
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError } from '../../engines/git/errors.ts';
import type { PackLimits } from '../../engines/git/index-pack.ts';
import { asBuffer, type ObjectFormat } from '../../engines/git/oid.ts';
import { PACK_HEADER_BYTES, parsePackHeader } from '../../engines/git/pack-entry.ts';
import { packFolder } from '../../offload/git/pack-file.ts';

// Up to here a pack is indexed on the event loop, in slices; beyond, a thread does it.
const INLINE_BYTES = 8 * 1024 * 1024;
const INLINE_OBJECTS = 25_000;
const WRITE_BYTES = 256 * 1024;

/** Makes the folder of a store, or reads the format of the one that is there. */
export async function prepareStore(dir: string, format: ObjectFormat): Promise<ObjectFormat> {
  await mkdir(packFolder(dir), { recursive: true, mode: 0o700 });
  await mkdir(join(dir, 'refs'), { recursive: true, mode: 0o700 });
  const config = await readFile(join(dir, 'config'), 'utf8').catch(() => undefined);
  if (config !== undefined) return /objectformat\s*=\s*sha256/i.test(config) ? 'sha256' : 'sha1';
  await replaceFile(join(dir, 'HEAD'), 'ref: refs/heads/main\n');
  await writeConfig(dir, format, false);
  return format;
}

/** Says in Git's words what kind of repository this is. @param partial whether objects may be absent on purpose */
export async function writeConfig(dir: string, format: ObjectFormat, partial: boolean): Promise<void> {
  const lines = ['[core]', 'repositoryformatversion = 1', 'bare = true', '[extensions]', `objectformat = ${format}`];
  if (partial) lines.push('partialclone = origin');
  await replaceFile(join(dir, 'config'), `${lines.join('\n')}\n`);
}

/** Small packs stay in memory, larger ones go to the file as they come. */
export async function receivePack(
  pack: AsyncIterable<Uint8Array>,
  path: string,
  limits: PackLimits,
  signal: AbortSignal | undefined,
): Promise<{ bytes: number; memory: Buffer | undefined }> {
  let parts: Buffer[] = [];
  let held = 0;
  let bytes = 0;
  let large = false;
  let counted = false;
  let file: Awaited<ReturnType<typeof open>> | undefined;
  try {
    for await (const chunk of pack) {
      signal?.throwIfAborted();
      parts.push(asBuffer(chunk));
      held += chunk.length;
      bytes += chunk.length;
      large ||= bytes > INLINE_BYTES || (!counted && bytes >= PACK_HEADER_BYTES && hasManyObjects(parts, limits));
      counted ||= bytes >= PACK_HEADER_BYTES;
      if (!large || held < WRITE_BYTES) continue;
      file ??= await open(path, 'wx', 0o600);
      await file.writev(parts);
      parts = [];
      held = 0;
    }
    signal?.throwIfAborted();
    if (!large) return { bytes, memory: Buffer.concat(parts) };
    file ??= await open(path, 'wx', 0o600);
    if (parts.length > 0) await file.writev(parts);
    return { bytes, memory: undefined };
  } finally {
    await file?.close();
  }
}

function hasManyObjects(parts: readonly Buffer[], limits: PackLimits): boolean {
  const count = parsePackHeader(Buffer.concat(parts));
  if (count > limits.maxObjects) {
    throw new GitError('GitLimitExceeded', `pack has ${count} objects, the limit is ${limits.maxObjects}`, {
      limit: limits.maxObjects,
    });
  }
  return count > INLINE_OBJECTS;
}

/** Lines of a file; none when there is no file. */
export async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').filter((line) => line !== '');
}

/** Writes a small file; whoever reads it sees the old text or the new one, after a crash too. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, text, { mode: 0o600, flush: true });
  await rename(temporary, path);
}
