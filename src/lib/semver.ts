// Owns semantic versions and version constraints by the rules of Masterminds/semver v3 (Helm, Flux, sprig): which texts
// parse, how they compare, and the texts of its errors. Choosing a version from a repository is the caller's business.
import { CodedError } from './errors.ts';
import { goQuote } from './goquote.ts';

const MAX_VERSION_BYTES = 256;
const MAX_CONSTRAINT_BYTES = 512;
const MAX_CONSTRAINT_GROUPS = 32;
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

// ---------------------------------------------------------------------------------------------------------------------

/** One comparison: `>=1.2`. */
interface Comparison {
  readonly operator: string;
  /** The version text as written: `1.2`, `1.x`. */
  readonly written: string;
  readonly version: Version;
  /** Which parts were left out or were wildcards. `dirty` alone means all of them. */
  readonly dirty: boolean;
  readonly minorDirty: boolean;
  readonly patchDirty: boolean;
}

/** Alternatives (`||`), each a list of comparisons that must all hold. */
export interface Constraint {
  readonly alternatives: readonly { readonly all: readonly Comparison[]; readonly namesPrerelease: boolean }[];
}

/** Settings of a check. */
export interface ConstraintOptions {
  /** Let prereleases match also where the constraint names none. @default false */
  readonly includePrerelease?: boolean;
}

const NUMBER = '[0-9xX|*]+';
const SUFFIX = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const PATTERN = `v?(${NUMBER})(\\.${NUMBER})?(\\.${NUMBER})?(-${SUFFIX})?(?:\\+${SUFFIX})?`;
const SPACE = '[\\t\\n\\f\\r ]';
const RANGE = new RegExp(`${SPACE}*(${PATTERN})${SPACE}+-${SPACE}+(${PATTERN})${SPACE}*`, 'g');
// Sticky scanners instead of one expression for the whole list: its repeated optional spaces would backtrack without end.
const SPACES = new RegExp(`${SPACE}*`, 'y');
const COMPARISON = new RegExp(`(=>|=<|=|!=|>=|>|<=|<|~>|~|\\^|)${SPACE}*(${PATTERN})`, 'y');

/** Reads a constraint (`>=1.2 <2 || ~3.x`). Throws SemverError `InvalidConstraint`. */
export function parseConstraint(text: string): Constraint {
  if (text.length > MAX_CONSTRAINT_BYTES || Buffer.byteLength(text) > MAX_CONSTRAINT_BYTES) {
    throw invalidConstraint(`constraint string is too long (max ${MAX_CONSTRAINT_BYTES} bytes)`, text);
  }
  const groups = rewriteRanges(text).split('||');
  if (groups.length > MAX_CONSTRAINT_GROUPS) {
    throw invalidConstraint(`too many constraint groups (max ${MAX_CONSTRAINT_GROUPS})`, text);
  }
  return {
    alternatives: groups.map((group) => {
      const all = parseGroup(group, text);
      return { all, namesPrerelease: all.some((comparison) => comparison.version.prerelease !== '') };
    }),
  };
}

/** True when the version satisfies the constraint. A prerelease only matches an alternative that names one itself. */
export function satisfies(version: Version, constraint: Constraint, options: ConstraintOptions = {}): boolean {
  return constraint.alternatives.some(({ all, namesPrerelease }) => {
    if (version.prerelease !== '' && !namesPrerelease && options.includePrerelease !== true) return false;
    return all.every((comparison) => compare(version, comparison) === undefined);
  });
}

/** Why a version does not satisfy a constraint: one line for each comparison that fails; empty when it does. */
export function explainMismatch(version: Version, constraint: Constraint, options: ConstraintOptions = {}): string[] {
  const problems: string[] = [];
  let saidPrerelease = false;
  for (const { all, namesPrerelease } of constraint.alternatives) {
    let matches = true;
    for (const comparison of all) {
      if (version.prerelease !== '' && !namesPrerelease && options.includePrerelease !== true) {
        matches = false;
        if (saidPrerelease) continue;
        const subject = goQuote(formatVersion(version));
        problems.push(`${subject} is a prerelease version and the constraint is only looking for release versions`);
        saidPrerelease = true;
        continue;
      }
      const problem = compare(version, comparison);
      if (problem === undefined) continue;
      matches = false;
      problems.push(`${goQuote(formatVersion(version))} ${problem(goQuote(comparison.written))}`);
    }
    if (matches) return [];
  }
  return problems;
}

/** The constraint as the Go library prints it: single spaces for "and", ` || ` for "or", ranges as two comparisons. */
export function formatConstraint(constraint: Constraint): string {
  const group = (all: readonly Comparison[]) => all.map(({ operator, written }) => operator + written).join(' ');
  return constraint.alternatives.map(({ all }) => group(all)).join(' || ');
}

function rewriteRanges(text: string): string {
  if (!text.includes('-')) return text;
  let rewritten = text;
  for (const match of text.matchAll(RANGE)) {
    // 1 + the four inner groups of a pattern precede the second version.
    rewritten = rewritten.replace(match[0], () => `>= ${match[1]}, <= ${match[6]} `);
  }
  return rewritten;
}

function parseGroup(group: string, text: string): Comparison[] {
  const improper = () => invalidConstraint(`improper constraint: ${goQuote(group)}`, text);
  // The whole group is read before any version in it is judged: a malformed rest wins over a bad number.
  const matches: RegExpExecArray[] = [];
  let at = skipSpaces(group, 0);
  for (;;) {
    COMPARISON.lastIndex = at;
    const match = COMPARISON.exec(group);
    if (match === null) throw improper();
    matches.push(match);
    const end = at + match[0].length;
    at = skipSpaces(group, end);
    if (at === group.length) return matches.map((each) => toComparison(each, text));
    if (group[at] === ',') at = skipSpaces(group, at + 1);
    else if (at === end) throw improper();
  }
}

function skipSpaces(text: string, from: number): number {
  SPACES.lastIndex = from;
  SPACES.exec(text);
  return SPACES.lastIndex;
}

function toComparison(match: RegExpExecArray, text: string): Comparison {
  const [, operator = '', written = '', major = '', minor = '', patch = '', prerelease = ''] = match;
  const flags = { dirty: false, minorDirty: false, patchDirty: false };
  let concrete = written;
  if (isWildcard(major)) {
    flags.dirty = true;
    concrete = `0.0.0${prerelease}`;
  } else if (isWildcard(minor.slice(1))) {
    flags.dirty = flags.minorDirty = true;
    concrete = `${major}.0.0${prerelease}`;
  } else if (isWildcard(patch.slice(1))) {
    flags.dirty = flags.patchDirty = true;
    concrete = `${major}${minor}.0${prerelease}`;
  }
  try {
    return { operator, written, version: parseVersion(concrete), ...flags };
  } catch (error) {
    throw new SemverError('InvalidConstraint', 'constraint parser error', { text }, { cause: error });
  }
}

function isWildcard(part: string): boolean {
  return part === '' || part === 'x' || part === 'X' || part === '*';
}

function invalidConstraint(message: string, text: string): SemverError {
  return new SemverError('InvalidConstraint', message, { text });
}

/** What is wrong, as a function of the quoted constraint text; undefined when the comparison holds. */
type Problem = ((wanted: string) => string) | undefined;

const lessThan: Problem = (wanted) => `is less than ${wanted}`;
const lessOrEqual: Problem = (wanted) => `is less than or equal to ${wanted}`;
const greaterThan: Problem = (wanted) => `is greater than ${wanted}`;
const greaterOrEqual: Problem = (wanted) => `is greater than or equal to ${wanted}`;
const equal: Problem = (wanted) => `is equal to ${wanted}`;
const notEqual: Problem = (wanted) => `is not equal to ${wanted}`;
const otherMajor: Problem = (wanted) => `does not have same major version as ${wanted}`;
const otherMajorOrMinor: Problem = (wanted) => `does not have same major and minor version as ${wanted}`;
const otherMinor: Problem = (wanted) => `does not have same minor version as ${wanted}`;
const otherMinorOfZero: Problem = (wanted) =>
  `does not have same minor version as ${wanted}. Expected minor versions to match when constraint major version is 0`;
const otherPatchOfZero: Problem = (wanted) =>
  `does not equal ${wanted}. Expect version and constraint to equal when major and minor versions are 0`;

function compare(version: Version, wanted: Comparison): Problem {
  switch (wanted.operator) {
    case '!=':
      return checkNotEqual(version, wanted);
    case '>':
      return checkGreater(version, wanted);
    case '<':
      return compareVersions(version, wanted.version) < 0 ? undefined : greaterOrEqual;
    case '>=':
    case '=>':
      return compareVersions(version, wanted.version) >= 0 ? undefined : lessThan;
    case '<=':
    case '=<':
      return checkLessOrEqual(version, wanted);
    case '~':
    case '~>':
      return checkTilde(version, wanted);
    case '^':
      return checkCaret(version, wanted);
    default:
      if (wanted.dirty) return checkTilde(version, wanted);
      return compareVersions(version, wanted.version) === 0 ? undefined : notEqual;
  }
}

function checkNotEqual(version: Version, wanted: Comparison): Problem {
  const other = wanted.version;
  if (wanted.dirty) {
    if (other.major !== version.major) return undefined;
    if (wanted.minorDirty) return equal;
    if (other.minor !== version.minor) return undefined;
    if (wanted.patchDirty) return other.prerelease === version.prerelease ? equal : undefined;
    if (other.patch !== version.patch) return undefined;
  }
  return compareVersions(version, other) === 0 ? equal : undefined;
}

function checkGreater(version: Version, wanted: Comparison): Problem {
  const other = wanted.version;
  if (wanted.dirty) {
    if (version.major > other.major) return undefined;
    // `>11` starts at 12, `>11.1` at 11.2.
    if (version.major < other.major || wanted.minorDirty) return lessOrEqual;
    if (wanted.patchDirty) return version.minor > other.minor ? undefined : lessOrEqual;
  }
  return compareVersions(version, other) > 0 ? undefined : lessOrEqual;
}

function checkLessOrEqual(version: Version, wanted: Comparison): Problem {
  const other = wanted.version;
  if (!wanted.dirty) return compareVersions(version, other) <= 0 ? undefined : greaterThan;
  if (version.major > other.major) return greaterThan;
  return version.major === other.major && version.minor > other.minor && !wanted.minorDirty ? greaterThan : undefined;
}

function checkTilde(version: Version, wanted: Comparison): Problem {
  const other = wanted.version;
  if (compareVersions(version, other) < 0) return lessThan;
  // `~*` and `~0.0.0` accept everything from there on.
  const isOrigin = !wanted.minorDirty && !wanted.patchDirty && isZero(other);
  if (isOrigin) return undefined;
  if (version.major !== other.major) return otherMajor;
  return version.minor !== other.minor && !wanted.minorDirty ? otherMajorOrMinor : undefined;
}

function checkCaret(version: Version, wanted: Comparison): Problem {
  const other = wanted.version;
  if (compareVersions(version, other) < 0) return lessThan;
  if (other.major > 0 || wanted.minorDirty) return version.major === other.major ? undefined : otherMajor;
  if (version.major > 0) return otherMajor;
  if (other.minor > 0 || wanted.patchDirty) return version.minor === other.minor ? undefined : otherMinorOfZero;
  if (version.minor > 0) return otherMinor;
  return other.patch === version.patch ? undefined : otherPatchOfZero;
}

function isZero(version: Version): boolean {
  return version.major === 0 && version.minor === 0 && version.patch === 0;
}
