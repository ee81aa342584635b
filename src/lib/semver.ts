// Owns semantic versions by the rules of Masterminds/semver v3 (Helm, Flux, sprig): which texts parse, how they compare,
// and the texts of its errors. Constraints are semver-constraint.ts.
import { CodedError } from './errors.ts';
import { goQuote } from './goquote.ts';

const MAX_VERSION_BYTES = 256;
const MAX_UINT64 = 2n ** 64n - 1n;

/** A number of a version: an unsigned 64-bit integer, bigint only beyond 2^53. Compare with `<` and `>`. */
export type Segment = number | bigint;

/** A parsed version. `original` is the text it was read from (with its `v`, if any). */
export interface Version {
  readonly major: Segment;
  readonly minor: Segment;
  readonly patch: Segment;
  /** Without the leading `-`; empty for a release. */
  readonly prerelease: string;
  /** Without the leading `+`; never part of a comparison. */
  readonly metadata: string;
  readonly original: string;
}

export type SemverErrorCode = 'InvalidVersion' | 'InvalidConstraint';

/** A text that is no version or no constraint; the message is the Go library's own. */
export class SemverError extends CodedError<SemverErrorCode, { text: string }> {}

const LOOSE_VERSION =
  /^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/**
 * Reads a version leniently: a leading `v`, missing minor or patch and leading zeros are accepted.
 * Throws SemverError `InvalidVersion`.
 */
export function parseVersion(text: string): Version {
  if (byteLength(text) > MAX_VERSION_BYTES) throw versionTooLong(text);
  const match = LOOSE_VERSION.exec(text);
  if (match === null) throw invalidVersion('invalid semantic version', text);
  const [, major = '', minor = '0', patch = '0', prerelease = '', metadata = ''] = match;
  const segment = (digits: string) => parseSegment(digits, text, 'error parsing version segment: ');
  const version = {
    major: segment(major),
    minor: segment(minor),
    patch: segment(patch),
    prerelease,
    metadata,
    original: text,
  };
  if (prerelease !== '') checkPrerelease(prerelease, text);
  return version;
}

/** Reads a complete semantic version, no `v`, no leading zeros. Throws SemverError `InvalidVersion`. */
export function parseStrictVersion(text: string): Version {
  if (text === '') throw invalidVersion('version string empty', text);
  if (byteLength(text) > MAX_VERSION_BYTES) throw versionTooLong(text);
  const [major, minor, ...rest] = text.split('.');
  if (rest.length === 0) throw invalidVersion('invalid semantic version', text);
  const [beforePlus, metadata] = cut(rest.join('.'), '+');
  if (metadata !== undefined) checkMetadata(metadata, text);
  const [patch, prerelease] = cut(beforePlus, '-');
  if (prerelease !== undefined) checkPrerelease(prerelease, text);
  const segments = [major!, minor!, patch];
  for (const digits of segments) {
    if (/[^0-9]/.test(digits)) throw invalidVersion('invalid characters in version', text);
    if (digits.length > 1 && digits.startsWith('0')) throw invalidVersion('version segment starts with 0', text);
  }
  return {
    major: parseSegment(segments[0]!, text, ''),
    minor: parseSegment(segments[1]!, text, ''),
    patch: parseSegment(segments[2]!, text, ''),
    prerelease: prerelease ?? '',
    metadata: metadata ?? '',
    original: text,
  };
}

/** The version in canonical form, without a `v`. */
export function formatVersion(version: Version): string {
  const prerelease = version.prerelease === '' ? '' : `-${version.prerelease}`;
  const metadata = version.metadata === '' ? '' : `+${version.metadata}`;
  return `${version.major}.${version.minor}.${version.patch}${prerelease}${metadata}`;
}

/** −1, 0 or 1 by precedence; build metadata does not count. */
export function compareVersions(a: Version, b: Version): -1 | 0 | 1 {
  for (const part of ['major', 'minor', 'patch'] as const) {
    if (a[part] < b[part]) return -1;
    if (a[part] > b[part]) return 1;
  }
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '') return 1;
  if (b.prerelease === '') return -1;
  return comparePrereleases(a.prerelease, b.prerelease);
}

/** The next version of that rank. Incrementing the patch of a prerelease gives its release. Keeps a leading `v`. */
export function incrementVersion(version: Version, rank: 'major' | 'minor' | 'patch'): Version {
  const bump = (segment: Segment): Segment => {
    const next = BigInt(segment) + 1n;
    if (next <= MAX_UINT64) return toSegment(next);
    throw invalidVersion(`${rank} version increment would overflow uint64`, version.original);
  };
  const bare = { prerelease: '', metadata: '', original: '' };
  let next: Version;
  if (rank === 'major') next = { ...bare, major: bump(version.major), minor: 0, patch: 0 };
  else if (rank === 'minor') next = { ...version, ...bare, minor: bump(version.minor), patch: 0 };
  else next = { ...version, ...bare, patch: version.prerelease === '' ? bump(version.patch) : version.patch };
  const prefix = version.original.startsWith('v') ? 'v' : '';
  return { ...next, original: prefix + formatVersion(next) };
}

function comparePrereleases(a: string, b: string): -1 | 0 | 1 {
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x, y] = [left[i] ?? '', right[i] ?? ''];
    if (x === y) continue;
    if (x === '') return -1;
    if (y === '') return 1;
    const [m, n] = [parseUint(x), parseUint(y)];
    // Identifiers that are no 64-bit number compare as text, and a number comes before any text.
    if (m === undefined && n === undefined) return x > y ? 1 : -1;
    if (n === undefined) return -1;
    if (m === undefined) return 1;
    return m > n ? 1 : -1;
  }
  return 0;
}

function checkPrerelease(prerelease: string, text: string): void {
  for (const part of prerelease.split('.')) {
    if (part === '') throw invalidVersion('invalid prerelease string', text);
    if (/^[0-9]+$/.test(part)) {
      if (part.length > 1 && part.startsWith('0')) throw invalidVersion('version segment starts with 0', text);
    } else if (/[^0-9A-Za-z-]/.test(part)) throw invalidVersion('invalid prerelease string', text);
  }
}

function checkMetadata(metadata: string, text: string): void {
  if (!/^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/.test(metadata)) throw invalidVersion('invalid metadata string', text);
}

function parseSegment(digits: string, text: string, prefix: string): Segment {
  const value = parseUint(digits);
  if (value !== undefined) return value;
  const problem = digits === '' ? 'invalid syntax' : 'value out of range';
  throw invalidVersion(`${prefix}strconv.ParseUint: parsing ${goQuote(digits)}: ${problem}`, text);
}

function parseUint(digits: string): Segment | undefined {
  if (!/^[0-9]+$/.test(digits)) return undefined;
  if (digits.length < 16) return Number(digits);
  const value = BigInt(digits);
  return value <= MAX_UINT64 ? toSegment(value) : undefined;
}

function toSegment(value: bigint): Segment {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

function invalidVersion(message: string, text: string): SemverError {
  return new SemverError('InvalidVersion', message, { text });
}

function versionTooLong(text: string): SemverError {
  return invalidVersion(`version string is too long (max ${MAX_VERSION_BYTES} bytes)`, text);
}

function byteLength(text: string): number {
  // Three bytes is the most that one UTF-16 unit can take, so short texts need no encoding.
  return text.length * 3 <= MAX_VERSION_BYTES ? text.length : Buffer.byteLength(text);
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
