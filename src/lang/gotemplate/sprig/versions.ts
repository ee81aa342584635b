// Owns sprig's semver functions and the version object they give.

import { compareVersions, formatVersion, incrementVersion, parseVersion, type Version } from '../../../lib/semver.ts';
import { parseConstraint, satisfies } from '../../../lib/semver-constraint.ts';
import { func, type GoFunction, method } from '../function.ts';
import { GoInt, type GoMethod, GoObject, type GoType, type GoValue, int, STRING, UINT64 } from '../value.ts';

export function versionFunctions(): [string, GoFunction][] {
  return [
    ['semver', func([STRING], (text) => new GoVersion(parseVersion(text)))],
    ['semverCompare', func([STRING, STRING], compare)],
  ];
}

function compare(constraint: string, version: string): boolean {
  const parsed = parseConstraint(constraint);
  return satisfies(parseVersion(version), parsed);
}

/** A *semver.Version. */
export class GoVersion extends GoObject {
  readonly type = VERSION;
  readonly version: Version;

  constructor(version: Version) {
    super();
    this.version = version;
  }

  fields(): readonly (readonly [string, GoValue])[] {
    const { major, minor, patch, prerelease, metadata, original } = this.version;
    return [
      ['major', uint(major)],
      ['minor', uint(minor)],
      ['patch', uint(patch)],
      ['pre', prerelease],
      ['metadata', metadata],
      ['original', original],
    ];
  }

  override goString(): string {
    return formatVersion(this.version);
  }

  override toJson(): GoValue {
    return formatVersion(this.version);
  }
}

/** Filled below: some methods take a version themselves. */
const METHODS = new Map<string, GoMethod>();
const VERSION: GoType<GoVersion> = { name: '*semver.Version', kind: 'ptr', methods: METHODS };

function uint(value: number | bigint): GoInt {
  return new GoInt(BigInt(value), UINT64);
}

function comparison(holds: (order: number) => boolean): GoMethod {
  return method([VERSION], (self: GoVersion, other) => holds(compareVersions(self.version, other.version)));
}

function increment(rank: 'major' | 'minor' | 'patch'): GoMethod {
  return method([], (self: GoVersion) => new GoVersion(incrementVersion(self.version, rank)));
}

const DEFINITIONS: readonly (readonly [string, GoMethod])[] = [
  ['Major', method([], (self: GoVersion) => uint(self.version.major))],
  ['Minor', method([], (self: GoVersion) => uint(self.version.minor))],
  ['Patch', method([], (self: GoVersion) => uint(self.version.patch))],
  ['Prerelease', method([], (self: GoVersion) => self.version.prerelease)],
  ['Metadata', method([], (self: GoVersion) => self.version.metadata)],
  ['Original', method([], (self: GoVersion) => self.version.original)],
  ['String', method([], (self: GoVersion) => formatVersion(self.version))],
  ['Compare', method([VERSION], (self: GoVersion, other) => int(compareVersions(self.version, other.version)))],
  ['Equal', comparison((order) => order === 0)],
  ['LessThan', comparison((order) => order < 0)],
  ['LessThanEqual', comparison((order) => order <= 0)],
  ['GreaterThan', comparison((order) => order > 0)],
  ['GreaterThanEqual', comparison((order) => order >= 0)],
  ['IncMajor', increment('major')],
  ['IncMinor', increment('minor')],
  ['IncPatch', increment('patch')],
];
for (const [name, fn] of DEFINITIONS) METHODS.set(name, fn);
