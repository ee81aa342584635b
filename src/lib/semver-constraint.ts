// Owns version constraints by the rules of Masterminds/semver v3: which texts parse, which versions satisfy them and why
// one does not. Choosing a version from a repository is the caller's business.
import { goQuote } from './goquote.ts';
import { compareVersions, formatVersion, parseVersion, SemverError, type Version } from './semver.ts';

const MAX_CONSTRAINT_BYTES = 512;
const MAX_CONSTRAINT_GROUPS = 32;

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
