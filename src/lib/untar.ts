// Owns reading tar archives that strangers packed: what may be unpacked below a root, and how much of it. The format
// is tar.ts.
import { parseTar, type RawTarEntry, TarError } from './tar.ts';

/** A path that stays below the root, its kind and its contents. */
export interface TarEntry {
  /** Relative, posix, without `.` or `..` segments; never empty. */
  readonly path: string;
  readonly kind: 'file' | 'dir' | 'symlink';
  readonly executable: boolean;
  readonly data: Uint8Array;
  /** Target of a symbolic link as written; it resolves to a place inside the root. */
  readonly linkTarget: string;
}

/** Bounds of an archive; each has a default, none can be turned off. */
export interface TarLimits {
  /** @default 100,000 */
  readonly maxEntries?: number;
  /** Bytes of all files together. @default 100 MiB */
  readonly maxBytes?: number;
  /** Segments of a path. @default 64 */
  readonly maxDepth?: number;
}

/**
 * Reads an uncompressed archive for unpacking below some root. Refused with a TarError: absolute paths, `..`, NUL and
 * backslash in a name, links that leave the root, hard links, devices, an entry below a file or a link, and whatever
 * is over the limits. Later entries of the same path replace earlier ones.
 */
export function readTar(bytes: Uint8Array, limits: TarLimits = {}): TarEntry[] {
  const { maxEntries = 100_000, maxBytes = 100 * 1024 * 1024, maxDepth = 64 } = limits;
  const entries = new Map<string, TarEntry>();
  let seen = 0;
  let total = 0;
  for (const raw of parseTar(bytes)) {
    if (++seen > maxEntries) {
      throw new TarError('TooManyEntries', `tar archive has more than ${maxEntries} entries`, { limit: maxEntries });
    }
    total += raw.data.length;
    if (total > maxBytes) {
      throw new TarError('ArchiveTooLarge', `tar archive unpacks to more than ${maxBytes} bytes`, { limit: maxBytes });
    }
    const path = safePath(raw.name, maxDepth);
    if (path === '') continue;
    const entry = toEntry(raw, path);
    checkPlace(entries, entry);
    entries.delete(path);
    entries.set(path, entry);
  }
  return [...entries.values()];
}

function toEntry(raw: RawTarEntry, path: string): TarEntry {
  if (raw.kind === 'hardlink' || raw.kind === 'other') {
    throw new TarError('UnsupportedEntry', `tar entry ${path} is neither file, directory nor symbolic link`, {
      entry: path,
    });
  }
  if (raw.kind === 'symlink' && !staysInside(path, raw.linkTarget)) {
    throw new TarError('UnsafeLink', `tar entry ${path} links out of the archive`, { entry: path });
  }
  const executable = raw.kind === 'file' && (raw.mode & 0o111) !== 0;
  return { path, kind: raw.kind, executable, data: raw.data, linkTarget: raw.linkTarget };
}

function safePath(name: string, maxDepth: number): string {
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (name.startsWith('/') || segments.includes('..') || /[\\\0]/.test(name) || /^[A-Za-z]:/.test(name)) {
    throw new TarError('UnsafePath', `tar entry ${JSON.stringify(name)} does not stay below the root`, { entry: name });
  }
  if (segments.length > maxDepth) {
    throw new TarError('PathTooDeep', `tar entry is nested more than ${maxDepth} deep`, { limit: maxDepth });
  }
  return segments.join('/');
}

function staysInside(path: string, target: string): boolean {
  if (target === '' || target.startsWith('/') || /[\\\0]/.test(target)) return false;
  let depth = path.split('/').length - 1;
  for (const segment of target.split('/')) {
    if (segment === '..') depth--;
    else if (segment !== '' && segment !== '.') depth++;
    if (depth < 0) return false;
  }
  return true;
}

/** No entry below a file or a link: unpacking it would write through the link. */
function checkPlace(entries: ReadonlyMap<string, TarEntry>, entry: TarEntry): void {
  const { path } = entry;
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const parent = entries.get(path.slice(0, slash));
    if (parent !== undefined && parent.kind !== 'dir') {
      throw new TarError('UnsafePath', `tar entry ${path} lies below ${parent.path}, which is no directory`, {
        entry: path,
      });
    }
  }
}
