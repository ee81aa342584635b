// Owns tar archives in memory: a writer whose bytes equal Go's archive/tar for the same headers, and a reader that
// trusts nothing. The format's entries are tar-entries.ts; compression is the caller's business.
import { checksum, parseTar, type RawTarEntry, TarError } from './tar-entries.ts';

const BLOCK = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

// --- writing ---------------------------------------------------------------------------------------------------------

/** What the writer takes: owner and times are always zero, so equal trees give equal bytes. */
export interface TarInput {
  /** Path as it stands in the header. */
  readonly name: string;
  readonly kind: 'file' | 'dir';
  /** Permission bits, e.g. 0o600. */
  readonly mode: number;
  /** Contents of a file. @default none */
  readonly data?: Uint8Array;
}

/**
 * Writes an archive, entries in the order given. USTAR where the name fits, else a PAX header before the entry, byte
 * for byte as Go's `archive/tar` does it. Throws TarError `UnsafePath` for a name with a NUL.
 */
export function writeTar(entries: Iterable<TarInput>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    if (entry.name.includes('\0'))
      throw new TarError('UnsafePath', 'tar entry name holds a NUL', { entry: entry.name });
    const data = entry.kind === 'file' ? (entry.data ?? new Uint8Array()) : new Uint8Array();
    parts.push(...headerBlocks(entry, data.length), data, padding(data.length));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(parts);
}

function headerBlocks(entry: TarInput, size: number): Uint8Array[] {
  const typeFlag = entry.kind === 'dir' ? '5' : '0';
  const isAscii = !/[^\x01-\x7f]/.test(entry.name);
  const split = isAscii ? splitName(entry.name) : undefined;
  if (split !== undefined) return [header({ ...split, typeFlag, mode: entry.mode, size })];
  const record = Buffer.from(paxRecord('path', entry.name));
  const slash = entry.name.lastIndexOf('/');
  const paxName = joinPath(entry.name.slice(0, slash + 1), 'PaxHeaders.0', entry.name.slice(slash + 1));
  const pax = header({
    name: toAscii(paxName).slice(0, NAME_BYTES).replace(/\/+$/, ''),
    typeFlag: 'x',
    mode: 0,
    size: record.length,
    // Go fills the device numbers of real entries only.
    devices: false,
  });
  const name = toAscii(entry.name);
  const cut = name.length > NAME_BYTES ? name.slice(0, NAME_BYTES).replace(/\/+$/, '') : name;
  return [pax, record, padding(record.length), header({ name: cut, typeFlag, mode: entry.mode, size })];
}

/** Splits a name over the name and prefix fields; undefined when it does not fit them. */
function splitName(name: string): { name: string; prefix?: string } | undefined {
  if (name.length <= NAME_BYTES) return { name };
  let length = Math.min(name.length, PREFIX_BYTES + 1);
  if (length === name.length && name.endsWith('/')) length--;
  const slash = name.lastIndexOf('/', length - 1);
  const rest = name.length - slash - 1;
  if (slash <= 0 || rest > NAME_BYTES || rest === 0 || slash > PREFIX_BYTES) return undefined;
  return { name: name.slice(slash + 1), prefix: name.slice(0, slash) };
}

function header(fields: {
  name: string;
  prefix?: string;
  typeFlag: string;
  mode: number;
  size: number;
  devices?: boolean;
}): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  block.write(fields.name, 0, NAME_BYTES, 'latin1');
  block.write(octal(fields.mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(fields.size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(fields.typeFlag, 156);
  block.write('ustar\x0000', 257, 'latin1');
  if (fields.devices !== false) {
    block.write(octal(0, 7), 329);
    block.write(octal(0, 7), 337);
  }
  if (fields.prefix !== undefined) block.write(fields.prefix, 345, PREFIX_BYTES, 'latin1');
  // The checksum counts its own field as spaces and ends in NUL, space.
  block.write('        ', 148);
  block.write(`${octal(checksum(block), 6)}\0 `, 148, 'latin1');
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

/** `LENGTH key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = 3 + Buffer.byteLength(key) + Buffer.byteLength(value);
  let size = rest + String(rest).length;
  size = rest + String(size).length;
  return `${size} ${key}=${value}\n`;
}

function joinPath(...parts: string[]): string {
  return parts
    .filter((part) => part !== '')
    .join('/')
    .replace(/\/{2,}/g, '/');
}

function toAscii(text: string): string {
  return text.replace(/[^\x01-\x7f]/g, '');
}

// --- reading what strangers packed -----------------------------------------------------------------------------------

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
