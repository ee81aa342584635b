// Owns the tar format in memory: a writer whose bytes equal Go's archive/tar for the same headers, and a parser of
// entries as they stand. Judging what strangers packed is untar.ts; compression is the caller's business.
import { CodedError } from './errors.ts';

const BLOCK = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
/** Extended headers and long names are metadata: a mebibyte is plenty (Go's limit too). */
const MAX_SPECIAL_BYTES = 1 << 20;

export type TarErrorCode =
  | 'MalformedArchive'
  | 'TooManyEntries'
  | 'ArchiveTooLarge'
  | 'PathTooDeep'
  | 'UnsafePath'
  | 'UnsafeLink'
  | 'UnsupportedEntry';

/** An archive that cannot or must not be read. `data.entry` names the entry, where one was reached. */
export class TarError extends CodedError<TarErrorCode, { entry?: string; limit?: number }> {}

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

function checksum(block: Uint8Array): number {
  let sum = 0;
  for (const byte of block) sum += byte;
  return sum;
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

// --- reading ---------------------------------------------------------------------------------------------------------

/** An entry as the archive states it; the path may be anything. */
export interface RawTarEntry {
  readonly name: string;
  readonly kind: 'file' | 'dir' | 'symlink' | 'hardlink' | 'other';
  readonly mode: number;
  readonly linkTarget: string;
  /** A view into the archive's bytes. */
  readonly data: Uint8Array;
}

/**
 * Lists the entries of an uncompressed archive (V7, USTAR, PAX, GNU long names); the list is lazy, so a caller can stop
 * at its own limit. Names are not judged. Throws TarError `MalformedArchive`, `UnsupportedEntry` for sparse files.
 */
export function* parseTar(bytes: Uint8Array): Generator<RawTarEntry, void> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let pax = new Map<string, string>();
  let longName = '';
  let longLink = '';
  for (let at = 0; ; ) {
    const block = buffer.subarray(at, at + BLOCK);
    if (block.length === 0) return;
    if (isZero(block)) {
      const next = buffer.subarray(at + BLOCK, at + 2 * BLOCK);
      if (next.length === 0 || isZero(next)) return;
    }
    const head = parseHeader(block);
    const meta = 'xgLK'.includes(head.typeFlag) && head.typeFlag !== '\0';
    const size = meta ? head.size : paxSize(pax, head.size);
    const hasData = !'123456'.includes(head.typeFlag);
    const start = at + BLOCK;
    const end = start + (hasData ? size : 0);
    if (end > buffer.length || (meta && size > MAX_SPECIAL_BYTES)) throw malformed();
    const data = buffer.subarray(start, end);
    at = Math.ceil(end / BLOCK) * BLOCK;
    if (head.typeFlag === 'x') pax = parsePax(data);
    else if (head.typeFlag === 'L') longName = cString(data);
    else if (head.typeFlag === 'K') longLink = cString(data);
    if (meta) continue;
    if (head.typeFlag === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
      throw new TarError('UnsupportedEntry', 'tar archive holds a sparse file', { entry: head.name });
    }
    const name = longName || pax.get('path') || head.name;
    yield {
      name,
      kind: entryKind(head.typeFlag, name),
      mode: head.mode & 0o7777,
      linkTarget: longLink || pax.get('linkpath') || head.linkName,
      data,
    };
    pax = new Map();
    longName = longLink = '';
  }
}

interface Header {
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly size: number;
  readonly typeFlag: string;
}

function parseHeader(block: Buffer): Header {
  if (block.length < BLOCK) throw malformed();
  const stated = parseNumber(block.subarray(148, 156));
  const blanked = Buffer.from(block);
  blanked.fill(' ', 148, 156);
  let signed = 0;
  for (const byte of blanked) signed += byte > 127 ? byte - 256 : byte;
  if (stated !== checksum(blanked) && stated !== signed) throw malformed();
  const magic = block.toString('latin1', 257, 263);
  const isUstar = magic === 'ustar\0';
  const isStar = isUstar && block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = isUstar ? cString(block.subarray(345, isStar ? 476 : 500)) : '';
  const name = cString(block.subarray(0, NAME_BYTES));
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: cString(block.subarray(157, 257)),
    mode: parseNumber(block.subarray(100, 108)),
    size: parseNumber(block.subarray(124, 136)),
    typeFlag: String.fromCharCode(block[156]!),
  };
}

function parseNumber(field: Buffer): number {
  if ((field[0]! & 0x80) !== 0) {
    // GNU's binary form: two's complement after the marker bit. Negative sizes and modes do not exist.
    if ((field[0]! & 0x40) !== 0) throw malformed();
    let value = BigInt(field[0]! & 0x3f);
    for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed();
    return Number(value);
  }
  const text = field.toString('latin1').replace(/^[ \0]+|[ \0]+$/g, '');
  const digits = text.split('\0')[0]!;
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw malformed();
  return Number.parseInt(digits, 8);
}

function parsePax(data: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const digits = space < 0 ? '' : data.toString('latin1', at, space);
    const length = /^[0-9]{1,9}$/.test(digits) ? Number(digits) : 0;
    const record = data.subarray(space + 1, at + length);
    if (length < 5 || at + length > data.length || record.at(-1) !== 0x0a) throw malformed();
    const equals = record.indexOf(0x3d);
    if (equals <= 0) throw malformed();
    const key = record.toString('utf8', 0, equals);
    const value = record.toString('utf8', equals + 1, record.length - 1);
    if ((key === 'path' || key === 'linkpath') && value.includes('\0')) throw malformed();
    records.set(key, value);
    at += length;
  }
  return records;
}

function paxSize(pax: ReadonlyMap<string, string>, size: number): number {
  const text = pax.get('size') ?? '';
  if (text === '') return size;
  if (!/^[0-9]{1,15}$/.test(text)) throw malformed();
  return Number(text);
}

function entryKind(typeFlag: string, name: string): RawTarEntry['kind'] {
  switch (typeFlag) {
    case '\0':
      // Old archives have no type for directories but a slash at the end of the name.
      return name.endsWith('/') ? 'dir' : 'file';
    case '0':
    case '7':
      return 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '5':
      return 'dir';
    default:
      return 'other';
  }
}

function cString(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

function isZero(block: Buffer): boolean {
  return block.length === BLOCK && block.every((byte) => byte === 0);
}

function malformed(): TarError {
  return new TarError('MalformedArchive', 'invalid tar header', {});
}
