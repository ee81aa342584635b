// Owns choosing a version: of a chart in an index, of a tag in a registry (helm.md §22.2). Texts are Flux's.
import { errorMessage } from '../../../lib/errors.ts';
import { isJsonObject, type JsonValue } from '../../../lib/json.ts';
import { compareVersions, parseVersion, type Version } from '../../../lib/semver.ts';
import { parseConstraint, satisfies } from '../../../lib/semver-constraint.ts';
import { RepositoryError } from './index-error.ts';

/** A version of a chart as an index has it. */
export interface ChartVersion {
  readonly name: string;
  readonly version: string;
  /** Where the archive is, relative to the repository; the first that works is the first. */
  readonly urls: readonly string[];
  /** SHA-256 of the archive in hex, with or without `sha256:`; empty when the index does not say. */
  readonly digest: string;
  readonly created: string;
}

// Flux's pattern, in a form that does not backtrack.
const NAME = /^[-a-z0-9]+(?:(?:\/\.?|\.)[-a-z0-9]+)*(?:\/\.?|\.)?$/;

/** Throws RepositoryError `ChartUnknown` for a name that no repository has. */
export function checkChartName(name: string): void {
  if (name === '') throw unknown('no name set for remote chart reference');
  if (NAME.test(name)) return;
  throw unknown(
    `invalid chart name '${name}': a valid name must be lower case letters and numbers and MAY be separated with dashes (-), slashes (/) or periods (.)`,
  );
}

/**
 * The version of a chart that is wanted: that very text, else the newest within the range; nothing and `*` mean the
 * newest that is no prerelease. Throws RepositoryError `ChartUnknown`.
 * @param versions the list of an index, newest first
 */
export function chooseVersion(name: string, versions: JsonValue, wanted: string): ChartVersion {
  const all = Array.isArray(versions)
    ? (versions as readonly JsonValue[]).flatMap((entry) => toChartVersion(entry))
    : [];
  if (all.length === 0) throw unknown('no chart version found');
  const exact = wanted === '' ? undefined : all.find(({ version }) => version === wanted);
  if (exact !== undefined) return exact;
  const best = newest(all, wanted, (chart) => chart.version);
  if (best === undefined) throw unknown(`no '${name}' chart with version matching '${wanted}' found`);
  return best;
}

/** The error of a chart that an index does not have at all. */
export function noSuchChart(): RepositoryError {
  return unknown('no chart name found');
}

/** The tag of a chart that is wanted, by the same rules; `_` in a tag stands for `+`. */
export function chooseTag(tags: readonly string[], wanted: string): string {
  const versions = tags.map((tag) => tag.replaceAll('_', '+'));
  if (wanted !== '' && versions.includes(wanted)) return wanted;
  const best = newest(versions, wanted, (version) => version);
  if (best === undefined) throw unknown(`could not locate a version matching provided version string ${wanted}`);
  return best;
}

function newest<T extends string | ChartVersion>(all: readonly T[], wanted: string, textOf: (item: T) => string) {
  const constraint = readConstraint(wanted);
  let best: { readonly item: T; readonly version: Version } | undefined;
  for (const item of all) {
    const version = versionOf(textOf(item));
    if (version === undefined || !satisfies(version, constraint)) continue;
    const order = best === undefined ? 1 : compareVersions(version, best.version) || compareCreated(item, best.item);
    if (order > 0) best = { item, version };
  }
  return best?.item;
}

function readConstraint(wanted: string) {
  try {
    return parseConstraint(wanted === '' ? '*' : wanted);
  } catch (error) {
    throw new RepositoryError('ChartUnknown', errorMessage(error), {}, { cause: error });
  }
}

/** Flux reads versions strictly in three parts, with or without a `v`. */
function versionOf(text: string): Version | undefined {
  if (text.split('.').length < 3) return undefined;
  try {
    return parseVersion(text);
  } catch {
    return undefined;
  }
}

function compareCreated(a: string | ChartVersion, b: string | ChartVersion): number {
  if (typeof a === 'string' || typeof b === 'string') return 0;
  const difference = Date.parse(a.created) - Date.parse(b.created);
  return Number.isNaN(difference) ? 0 : difference;
}

function toChartVersion(entry: JsonValue): ChartVersion[] {
  if (!isJsonObject(entry)) return [];
  const text = (key: string): string => (typeof entry[key] === 'string' ? (entry[key] as string) : '');
  const urls = Array.isArray(entry['urls']) ? (entry['urls'] as readonly JsonValue[]) : [];
  return [
    {
      name: text('name'),
      version: text('version'),
      urls: urls.filter((url) => typeof url === 'string'),
      digest: text('digest'),
      created: text('created'),
    },
  ];
}

function unknown(message: string): RepositoryError {
  return new RepositoryError('ChartUnknown', message, {});
}
