// Owns Kubernetes' semantic versions in CEL: `semver('1.2.3')` and what can be asked of one.
import { compareVersions, formatVersion, parseStrictVersion, SemverError, type Version } from '../../../lib/semver.ts';
import { failed } from '../errors.ts';
import { type CelFunction, fn, method } from '../function.ts';
import { Opaque } from '../value.ts';

const SEMVER = 'kubernetes.Semver';

export function semverFunctions(): CelFunction[] {
  const versionOf = (value: Opaque): Version => value.data as Version;
  const compare = (a: Opaque, b: Opaque): number => compareVersions(versionOf(a), versionOf(b));
  const part = (name: 'major' | 'minor' | 'patch'): CelFunction =>
    method(name, [SEMVER], 'int', (_call, value: Opaque) => BigInt(versionOf(value)[name]));
  return [
    fn('semver', ['string'], SEMVER, (_call, text: string) => toSemver(text)),
    fn('semver', ['string', 'bool'], SEMVER, (_call, text: string, lax: boolean) =>
      toSemver(lax ? normalize(text) : text),
    ),
    fn('isSemver', ['string'], 'bool', (_call, text: string) => parse(text) !== undefined),
    fn('isSemver', ['string', 'bool'], 'bool', (_call, text: string, lax: boolean) => {
      return parse(lax ? normalize(text) : text) !== undefined;
    }),
    part('major'),
    part('minor'),
    part('patch'),
    method('compareTo', [SEMVER, SEMVER], 'int', (_call, a: Opaque, b: Opaque) => BigInt(compare(a, b))),
    method('isLessThan', [SEMVER, SEMVER], 'bool', (_call, a: Opaque, b: Opaque) => compare(a, b) < 0),
    method('isGreaterThan', [SEMVER, SEMVER], 'bool', (_call, a: Opaque, b: Opaque) => compare(a, b) > 0),
  ];
}

function parse(text: string): Version | undefined {
  try {
    return parseStrictVersion(text);
  } catch (error) {
    if (error instanceof SemverError) return undefined;
    throw error;
  }
}

function toSemver(text: string): Opaque {
  const version = parse(text);
  if (version === undefined) throw failed(`semver parse error during conversion from string: ${JSON.stringify(text)}`);
  return new Opaque(SEMVER, formatVersion(version), version);
}

/** Leading `v` off, leading zeros off, missing numbers are 0. */
function normalize(text: string): string {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)$/s.exec(text);
  if (match === null) return text;
  const numbers = match.slice(1, 4).map((number) => (number ?? '0').replace(/^0+(?=\d)/, ''));
  return numbers.join('.') + match[4]!;
}
