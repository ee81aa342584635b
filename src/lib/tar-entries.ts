// Owns parsing the tar format (V7, USTAR, PAX, GNU long names) into entries as they stand. Writing archives, and judging
// what may be unpacked, is tar.ts.
import { CodedError } from './errors.ts';

const BLOCK = 512;
const NAME_BYTES = 100;
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

/** The sum that a header states of itself, its own field read as spaces. */
export function checksum(block: Uint8Array): number {
  let sum = 0;
  for (const byte of block) sum += byte;
  return sum;
}
