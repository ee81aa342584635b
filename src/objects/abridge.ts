// Owns the short form of objects whose values are large and only ever compared: digests stand in their place, so that
// a cache can tell whether an object has changed without keeping what it holds.
import { createHash, type Hash } from 'node:crypto';
import { isJsonObject, type JsonValue } from '../lib/json.ts';
import { annotationsOf, labelsOf, type Manifest } from './manifest.ts';

const ABRIDGED: ReadonlySet<string> = new Set(['ConfigMap', 'Secret', 'CustomResourceDefinition']);
const VALUES = ['data', 'binaryData', 'stringData', 'spec'] as const;

/** True for kinds that have a short form of their own. */
export function isAbridged(kind: string): boolean {
  return ABRIDGED.has(kind);
}

/**
 * The object with digests in place of its values; the argument itself for other kinds. Two objects with equal values,
 * in whatever order of keys, have equal short forms. The short form of a short form is the same.
 */
export function abridge(object: Manifest): Manifest {
  if (!ABRIDGED.has(object.kind)) return object;
  const short: Manifest = { ...object };
  for (const field of VALUES) {
    const value = short[field];
    if (isJsonObject(value)) short[field] = digestOf(value);
  }
  return short;
}

/** A digest of labels, annotations and all else but metadata and status: of an object the same as of its short form. */
export function contentDigest(object: Manifest): string {
  const { metadata: _metadata, status: _status, ...content } = abridge(object);
  return digestOf({ content, labels: labelsOf(object), annotations: annotationsOf(object) });
}

function digestOf(value: JsonValue): string {
  const hash = createHash('sha256');
  addValue(hash, value);
  return `sha256:${hash.digest('hex')}`;
}

/** Every token ends with a line break, which no JSON text of a scalar holds: none runs into the next. */
function addValue(hash: Hash, value: JsonValue): void {
  if (Array.isArray(value)) {
    hash.update('[\n');
    for (const item of value) addValue(hash, item);
    hash.update(']\n');
  } else if (isJsonObject(value)) {
    hash.update('{\n');
    for (const key of Object.keys(value).sort()) {
      hash.update(`${JSON.stringify(key)}\n`);
      addValue(hash, value[key]!);
    }
    hash.update('}\n');
  } else {
    hash.update(`${typeof value === 'bigint' ? value : JSON.stringify(value)}\n`);
  }
}
