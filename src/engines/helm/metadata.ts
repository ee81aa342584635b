// Owns Chart.yaml: its fields, how they are read and what makes them valid. The chart around it is chart.ts.
import { goQuote } from '../../lib/goquote.ts';
import type { JsonValue } from '../../lib/json.ts';
import { parseVersion } from '../../lib/semver.ts';
import { HelmError } from './errors.ts';
import { anything, type Decoded, dictionary, flag, list, nullable, struct, text } from './internal/decode.ts';

const maintainer = struct('Maintainer', 'chart.Maintainer', { name: text, email: text, url: text });

const dependency = struct('Dependency', 'chart.Dependency', {
  name: text,
  version: text,
  repository: text,
  condition: text,
  tags: list(text),
  enabled: flag,
  'import-values': list(anything),
  alias: text,
});

/** Chart.yaml, in the order in which Go prints the fields. */
export const metadataDecoder = struct('Metadata', 'chart.Metadata', {
  name: text,
  home: text,
  sources: list(text),
  version: text,
  description: text,
  keywords: list(text),
  maintainers: list(nullable(maintainer)),
  icon: text,
  apiVersion: text,
  condition: text,
  tags: text,
  appVersion: text,
  deprecated: flag,
  annotations: dictionary(text),
  kubeVersion: text,
  dependencies: list(nullable(dependency)),
  type: text,
});

/** Chart.lock and requirements.lock; only their form matters to a render. In the order in which Go prints the fields. */
export const lockDecoder = struct('Lock', 'chart.Lock', {
  generated: anything,
  digest: text,
  dependencies: list(nullable(dependency)),
});

/** What was locked. */
export type Lock = Decoded<typeof lockDecoder>;

/** A declared dependency. Resolving aliases, conditions and imports writes into it. */
export type Dependency = Decoded<typeof dependency> & {
  /** The `import-values` in long form, once they have been imported. */
  imported?: readonly { readonly child: string; readonly parent: string }[] | undefined;
};

/** The fields of Chart.yaml; text that is absent is empty. */
export type Metadata = Omit<Decoded<typeof metadataDecoder>, 'dependencies' | 'maintainers'> & {
  dependencies: Dependency[] | undefined;
  maintainers: Decoded<typeof maintainer>[] | undefined;
};

const ALIAS = /^[a-zA-Z0-9_-]+$/;
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const SPACE = /[\t\n\v\f\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/g;

/** Checks and cleans what was read. Throws HelmError `ChartInvalid` with Helm's `validation: …`. */
export function validateMetadata(read: Decoded<typeof metadataDecoder>): Metadata {
  for (const field of [
    'name',
    'description',
    'home',
    'icon',
    'condition',
    'tags',
    'appVersion',
    'kubeVersion',
  ] as const) {
    read[field] = sanitize(read[field]);
  }
  read.sources = read.sources?.map(sanitize);
  read.keywords = read.keywords?.map(sanitize);
  validateIdentity(read);
  const maintainers = read.maintainers?.map((person) => {
    if (person === null) throw invalid('maintainers must not contain empty or null nodes');
    return { name: sanitize(person.name), email: sanitize(person.email), url: sanitize(person.url) };
  });
  const seen = new Set<string>();
  const dependencies = read.dependencies?.map((each) => {
    const valid = validateDependency(each);
    const key = valid.alias === '' ? valid.name : valid.alias;
    if (seen.has(key)) throw invalid(`more than one dependency with name or alias ${goQuote(key)}`);
    seen.add(key);
    return valid;
  });
  return { ...read, maintainers, dependencies };
}

function validateIdentity({ apiVersion, name, version, type }: Decoded<typeof metadataDecoder>): void {
  if (apiVersion === '') throw invalid('chart.metadata.apiVersion is required');
  if (name === '') throw invalid('chart.metadata.name is required');
  if (name === '.' || name === '..') throw invalid(`chart.metadata.name ${goQuote(name)} is not allowed`);
  if (name.includes('/')) throw invalid(`chart.metadata.name ${goQuote(name)} is invalid`);
  if (version === '') throw invalid('chart.metadata.version is required');
  try {
    parseVersion(version);
  } catch (error) {
    throw new HelmError(
      'ChartInvalid',
      `validation: chart.metadata.version ${goQuote(version)} is invalid`,
      {},
      { cause: error },
    );
  }
  if (type !== '' && type !== 'application' && type !== 'library') {
    throw invalid('chart.metadata.type must be application or library');
  }
}

function validateDependency(read: Dependency | null): Dependency {
  if (read === null) throw invalid('dependencies must not contain empty or null nodes');
  const valid = { ...read, tags: read.tags?.map(sanitize) };
  for (const field of ['name', 'version', 'repository', 'condition'] as const) valid[field] = sanitize(valid[field]);
  if (valid.alias !== '' && !ALIAS.test(valid.alias)) {
    throw invalid(`dependency ${goQuote(valid.name)} has disallowed characters in the alias`);
  }
  return valid;
}

function sanitize(value: string): string {
  return value.replace(SPACE, ' ').replace(UNPRINTABLE, '');
}

function invalid(message: string): HelmError {
  return new HelmError('ChartInvalid', `validation: ${message}`, {});
}

/** One `import-values` entry: which table of the subchart goes where in the parent. */
export interface ImportedValues {
  readonly child: string;
  readonly parent: string;
  /** True for the short form, a name below `exports`. */
  readonly short: boolean;
}

/** Reads an `import-values` entry; undefined for a form that Helm ignores. */
export function parseImport(
  entry: JsonValue,
  format: (value: JsonValue | undefined) => string,
): ImportedValues | undefined {
  if (typeof entry === 'string') return { child: `exports.${entry}`, parent: '.', short: true };
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return undefined;
  const field = (name: string) =>
    format(Object.hasOwn(entry, name) ? (entry as Record<string, JsonValue>)[name] : undefined);
  return { child: field('child'), parent: field('parent'), short: false };
}
