// Owns tree objects: bytes ↔ entries, and the names that no tree of ours may hold.
import { GitError } from './errors.ts';
import { asBuffer, type ObjectFormat, oidLength } from './oid.ts';

/** What a tree entry is, told by its mode. `link` is a symbolic link, `commit` a submodule. */
export type TreeEntryKind = 'file' | 'executable' | 'link' | 'tree' | 'commit';

/** One line of a tree object. */
export interface GitTreeEntry {
  readonly name: string;
  readonly kind: TreeEntryKind;
  readonly oid: string;
}

/**
 * Entries of a tree object in stored order.
 * Names that would leave the tree or overwrite a repository's own files are refused, as are doubled names: nothing
 * that reads from the store has to think of them again.
 * @throws GitError GitCorruptObject, GitUnsafeTree
 */
export function parseTree(bytes: Uint8Array, format: ObjectFormat): GitTreeEntry[] {
  const buffer = asBuffer(bytes);
  const width = oidLength(format);
  const entries: GitTreeEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  while (at < buffer.length) {
    // By hand: each entry is short, and calling into the engine's search costs more than the search.
    let space = at;
    while (space < buffer.length && buffer[space] !== 0x20) space++;
    let end = space;
    while (end < buffer.length && buffer[end] !== 0) end++;
    if (end + 1 + width > buffer.length || space - at > 7) {
      throw new GitError('GitCorruptObject', 'tree object is cut short');
    }
    const kind = kindOfMode(buffer.toString('latin1', at, space));
    const name = buffer.toString('utf8', space + 1, end);
    assertEntryName(name);
    if (names.has(name)) throw new GitError('GitUnsafeTree', `tree has two entries named '${name}'`, { path: name });
    names.add(name);
    entries.push({ name, kind, oid: buffer.toString('hex', end + 1, end + 1 + width) });
    at = end + 1 + width;
  }
  return entries;
}

/** The tree object with these entries, in Git's order (a directory sorts as if its name ended in a slash). */
export function formatTree(entries: readonly GitTreeEntry[]): Buffer {
  const sorted = entries.map((entry) => ({
    entry,
    key: Buffer.from(entry.kind === 'tree' ? `${entry.name}/` : entry.name),
  }));
  sorted.sort((a, b) => a.key.compare(b.key));
  const parts: Buffer[] = [];
  for (const { entry } of sorted) {
    parts.push(Buffer.from(`${MODE_BY_KIND[entry.kind]} ${entry.name}\0`), Buffer.from(entry.oid, 'hex'));
  }
  return Buffer.concat(parts);
}

const MODE_BY_KIND: Readonly<Record<TreeEntryKind, string>> = {
  file: '100644',
  executable: '100755',
  link: '120000',
  tree: '40000',
  commit: '160000',
};

function kindOfMode(mode: string): TreeEntryKind {
  switch (mode) {
    case '100644':
      return 'file';
    case '100755':
      return 'executable';
    case '40000':
    case '040000':
      return 'tree';
    case '120000':
      return 'link';
    case '160000':
      return 'commit';
  }
  // Old writers stored other permission bits (100664, 100600); the owner's execute bit is what counts.
  if (/^100[0-7]{3}$/.test(mode)) return (Number.parseInt(mode, 8) & 0o100) !== 0 ? 'executable' : 'file';
  throw new GitError('GitCorruptObject', `tree entry has the unknown mode '${mode}'`);
}

/** Refuses names that would leave the tree or overwrite a repository's own files. Throws GitError GitUnsafeTree. */
export function assertEntryName(name: string): void {
  const lower = name.length <= 5 ? name.toLowerCase() : '';
  const unsafe =
    name === '' || name === '.' || name === '..' || name.includes('/') || lower === '.git' || lower === 'git~1';
  if (unsafe)
    throw new GitError('GitUnsafeTree', `tree has an entry with the forbidden name '${name}'`, { path: name });
}
