// Owns the revision of a bucket: the digest of what is in it (flux.md §3.2). Pure.
import { createHash } from 'node:crypto';
import { compareBytes } from '../../lib/memory-tree.ts';

/** `sha256:<hex>` of the keys with their ETags, in byte order of the keys. */
export function revisionOf(objects: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const key of [...objects.keys()].sort(compareBytes)) hash.update(`${key} ${objects.get(key)}\n`);
  return `sha256:${hash.digest('hex')}`;
}

/** Whether a key cannot be the path of a file: it would lie elsewhere, or in two places. */
export function isUnsafeKey(key: string): boolean {
  return /[\\\0]/.test(key) || key.split('/').some((segment) => segment === '' || segment === '.' || segment === '..');
}
