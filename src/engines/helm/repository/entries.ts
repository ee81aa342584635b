// Owns the versions of a chart in an index: which are kept, and in which order (Helm's loadIndex). Reading files and
// writing the result is others' work.
import { errorMessage } from '../../../lib/errors.ts';
import { fromYaml } from '../../../lib/goyaml/sigs.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../../../lib/json.ts';
import { compareVersions, parseVersion, type Version } from '../../../lib/semver.ts';
import { decodeValue } from '../internal/decode.ts';
import { metadataDecoder, validateMetadata } from '../metadata.ts';
import { invalidIndex, type RepositoryError } from './index-error.ts';
import { splitJsonIndex } from './split-json.ts';
import { splitYamlIndex, UnusualLayout } from './split-yaml.ts';

/** The versions of one chart, newest first, each one JSON text. */
export interface IndexedChart {
  readonly name: string;
  readonly versions: readonly string[];
}

/** An index in block style is read piece by piece; one of another style is parsed whole, up to this size. */
const MAX_WHOLE_BYTES = 8 * 1024 * 1024;

/**
 * Reads an index, in YAML or JSON, chart by chart in order of their names. Versions that are not valid are left out, as
 * Helm does it. Throws RepositoryError `IndexInvalid`.
 */
export function readIndex(bytes: Buffer): IndexedChart[] {
  if (bytes.length === 0) throw invalidIndex('empty index.yaml file');
  try {
    const index = /^\s*\{/.test(bytes.toString('latin1', 0, 256)) ? readJson(bytes) : readYaml(bytes);
    return index.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  } catch (error) {
    throw isIndexError(error) ? error : invalidIndex(errorMessage(error), error);
  }
}

function isIndexError(error: unknown): error is RepositoryError {
  return error instanceof Error && (error as { code?: unknown }).code === 'IndexInvalid';
}

function readJson(bytes: Buffer): IndexedChart[] {
  const { apiVersion, charts } = splitJsonIndex(bytes);
  checkApiVersion(apiVersion);
  const collected = new Collector();
  for (const { name, start, end } of charts) {
    collected.addAll(name, JSON.parse(bytes.toString('utf8', start, end)) as JsonValue);
  }
  return collected.charts();
}

function readYaml(bytes: Buffer): IndexedChart[] {
  const parts = splitYamlIndex(bytes);
  if (parts === undefined) return readWhole(bytes);
  const head = fromYaml(parts.head, { strict: true });
  checkApiVersion(isJsonObject(head) ? head['apiVersion'] : undefined);
  const collected = new Collector();
  try {
    for (const { chart, text } of parts.items) collected.addAll(chart, readItem(text));
    return collected.charts();
  } catch (error) {
    // What one piece does not tell may be told by the whole: anchors, or an unusual layout.
    if (error instanceof UnusualLayout || isYamlError(error)) return readWhole(bytes);
    throw error;
  }
}

function isYamlError(error: unknown): boolean {
  return error instanceof Error && error.name === 'YamlError';
}

function readItem(text: string): JsonValue {
  return text === '' ? null : fromYaml(text, { strict: true });
}

function readWhole(bytes: Buffer): IndexedChart[] {
  if (bytes.length > MAX_WHOLE_BYTES) {
    throw invalidIndex(`an index of ${bytes.length} bytes must be JSON, or YAML in block style as Helm writes it`);
  }
  const index = fromYaml(bytes.toString('utf8'), { strict: true });
  if (!isJsonObject(index)) throw invalidIndex('index is no YAML mapping');
  checkApiVersion(index['apiVersion']);
  const entries = index['entries'] ?? {};
  if (!isJsonObject(entries)) throw invalidIndex('the entries of the index are no mapping');
  const collected = new Collector();
  for (const [name, versions] of Object.entries(entries)) collected.addAll(name, versions);
  return collected.charts();
}

function checkApiVersion(apiVersion: JsonValue | undefined): void {
  if (apiVersion === undefined || apiVersion === null || apiVersion === '')
    throw invalidIndex('no API version specified');
}

/** Versions by chart. Names are strangers' keys: they live in a Map. */
class Collector {
  readonly #charts = new Map<string, { readonly version: Version; readonly text: string }[]>();

  addAll(name: string, versions: JsonValue): void {
    let known = this.#charts.get(name);
    if (known === undefined) this.#charts.set(name, (known = []));
    if (versions === null) return;
    if (!Array.isArray(versions)) throw invalidIndex(`the versions of chart '${name}' are no list`);
    for (const entry of versions as readonly JsonValue[]) {
      const version = toVersion(name, entry);
      if (version !== undefined) known.push(version);
    }
  }

  charts(): IndexedChart[] {
    return [...this.#charts].map(([name, versions]) => {
      versions.sort((a, b) => compareVersions(b.version, a.version));
      return { name, versions: versions.map(({ text }) => text) };
    });
  }
}

/** One version, checked; undefined for one that Helm leaves out. */
function toVersion(name: string, entry: JsonValue): { readonly version: Version; readonly text: string } | undefined {
  if (entry === null) return undefined;
  if (!isJsonObject(entry)) throw invalidIndex(`chart '${name}' has a version that is no mapping`);
  const whole: JsonObject = entry['apiVersion'] ? entry : { ...entry, apiVersion: 'v1' };
  const metadata = decodeValue(whole, metadataDecoder);
  try {
    validateMetadata(metadata);
  } catch (error) {
    // The one fault that Helm lets pass: such charts were made by older versions of it.
    if (!errorMessage(error).includes('more than one dependency with name or alias')) return undefined;
  }
  return { version: parseVersion(metadata.version), text: stringifyJson(whole) };
}
