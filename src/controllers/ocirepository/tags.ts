// Owns choosing a tag by a range of versions (flux.md §3.1). Pure.
import { CodedError } from '../../lib/errors.ts';
import { compileRegexp } from '../../lib/regexp.ts';
import { compareVersions, parseVersion, type Version } from '../../lib/semver.ts';
import { parseConstraint, satisfies } from '../../lib/semver-constraint.ts';

/** No tag fits. */
export class TagError extends CodedError<'NoTagMatches', Record<string, never>> {}

/** Which tags are looked at. */
export interface TagChoice {
  readonly range: string;
  /** Regular expression, linear in time whatever a user writes. */
  readonly filter?: string | undefined;
  /** Of the layer that is taken: tags of charts write `_` where versions have `+`. */
  readonly mediaType?: string | undefined;
}

const CHART_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

/** The highest tag within the range. Throws TagError, RegexpError, SemverError. */
export function chooseSemverTag(tags: readonly string[], { range, filter, mediaType }: TagChoice): string {
  const pattern = filter ? compileRegexp(filter) : undefined;
  const constraint = parseConstraint(range);
  const isChart = mediaType === CHART_LAYER;
  let best: { readonly tag: string; readonly version: Version } | undefined;
  for (const tag of tags) {
    if (pattern?.test(tag) === false) continue;
    const version = versionOf(isChart ? tag.replaceAll('_', '+') : tag);
    if (version === undefined || !satisfies(version, constraint)) continue;
    if (best === undefined || compareVersions(version, best.version) > 0) best = { tag, version };
  }
  if (best !== undefined) return best.tag;
  throw new TagError('NoTagMatches', `no match found for semver: ${range}`, {});
}

function versionOf(text: string): Version | undefined {
  if (text.split('.').length < 3) return undefined;
  try {
    return parseVersion(text);
  } catch {
    return undefined;
  }
}
