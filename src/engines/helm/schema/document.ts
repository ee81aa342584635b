// Owns a JSON Schema document: its draft, what its references point to, and the check that all of them lead somewhere.
// Judging values is validate.ts. Nothing is ever fetched: references to files and hosts are refused.
import { goQuote } from '../../../lib/goquote.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json.ts';
import { compileRegexp, type Regexp } from '../../../lib/regexp.ts';
import { HelmError } from '../errors.ts';

/** A schema or a part of one: an object of keywords, or true or false. */
export type Schema = JsonObject | boolean;

/** The drafts that are told apart; everything later is read as 2020-12. */
export type Draft = 4 | 6 | 7 | 2019 | 2020;

/** A schema document, ready to judge values. */
export interface SchemaDocument {
  readonly root: Schema;
  readonly draft: Draft;
  /** What a `$ref` (or `$dynamicRef`, `$recursiveRef`) points to. */
  readonly resolve: (reference: string) => Schema;
  readonly pattern: (source: string) => Regexp;
}

export const SCHEMA_URL = 'file:///values.schema.json';
const MAX_DEPTH = 250;

const DRAFTS: readonly (readonly [RegExp, Draft])[] = [
  [/draft-04/, 4],
  [/draft-06/, 6],
  [/draft-07/, 7],
  [/2019-09/, 2019],
];

/**
 * Reads a schema. `warn` hears of references that are passed over.
 * Throws HelmError `SchemaViolation`: a broken reference or pattern, a reference out of the document.
 */
export function createSchemaDocument(root: JsonValue, warn: (text: string) => void): SchemaDocument {
  if (typeof root !== 'boolean' && !isJsonObject(root)) throw invalidSchema('', 'got a value that is no schema');
  const stated = isJsonObject(root) && typeof root['$schema'] === 'string' ? root['$schema'] : '';
  const draft = DRAFTS.find(([pattern]) => pattern.test(stated))?.[1] ?? 2020;
  const anchors = new Map<string, Schema>();
  const references: string[] = [];
  const patterns = new Map<string, Regexp>();
  const pattern = (source: string): Regexp => {
    let compiled = patterns.get(source);
    if (compiled === undefined) patterns.set(source, (compiled = compilePattern(source)));
    return compiled;
  };
  walk(root, draft, 0, { anchors, references, pattern });
  const targets = new Map<string, Schema>();
  for (const reference of new Set(references)) targets.set(reference, resolveReference(root, reference, anchors, warn));
  return { root, draft, pattern, resolve: (reference) => targets.get(reference) ?? true };
}

function compilePattern(source: string): Regexp {
  try {
    return compileRegexp(source);
  } catch (error) {
    throw invalidSchema('', `invalid regex ${goQuote(source)}: ${(error as Error).message}`);
  }
}

interface Findings {
  readonly anchors: Map<string, Schema>;
  readonly references: string[];
  readonly pattern: (source: string) => Regexp;
}

const ONE = ['not', 'if', 'then', 'else', 'contains', 'propertyNames', 'additionalProperties', 'additionalItems'];
const ONE_LATE = ['unevaluatedItems', 'unevaluatedProperties', 'items'];
const MANY = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'];
const NAMED = ['properties', 'patternProperties', 'dependentSchemas', 'dependencies', '$defs', 'definitions'];
const TYPES = new Set(['null', 'boolean', 'number', 'integer', 'string', 'array', 'object']);

function walk(schema: JsonValue | undefined, draft: Draft, depth: number, findings: Findings): void {
  if (!isJsonObject(schema)) return;
  if (depth > MAX_DEPTH) throw invalidSchema('', `schema is nested more than ${MAX_DEPTH} deep`);
  for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef'] as const) {
    const reference = schema[keyword];
    if (typeof reference === 'string') findings.references.push(reference);
  }
  recordNames(schema, draft, findings.anchors);
  for (const type of [schema['type'] ?? []].flat()) {
    if (typeof type !== 'string' || !TYPES.has(type))
      throw invalidSchema('/type', `value must be one of ${[...TYPES].map((each) => `'${each}'`).join(', ')}`);
  }
  if (typeof schema['pattern'] === 'string') findings.pattern(schema['pattern']);
  const inner = (value: JsonValue | undefined) => walk(value, draft, depth + 1, findings);
  for (const keyword of [...ONE, ...ONE_LATE]) inner(schema[keyword]);
  for (const keyword of MANY) {
    const list = schema[keyword];
    if (Array.isArray(list)) list.forEach(inner);
  }
  for (const keyword of NAMED) {
    const named = schema[keyword];
    if (!isJsonObject(named)) continue;
    if (keyword === 'patternProperties') Object.keys(named).forEach(findings.pattern);
    Object.values(named).forEach(inner);
  }
}

function recordNames(schema: JsonObject, draft: Draft, anchors: Map<string, Schema>): void {
  const id = schema[draft === 4 ? 'id' : '$id'];
  if (typeof id === 'string') anchors.set(id.replace(/#$/, ''), schema);
  for (const keyword of ['$anchor', '$dynamicAnchor'] as const) {
    const name = schema[keyword];
    if (typeof name === 'string') anchors.set(`#${name}`, schema);
  }
}

function resolveReference(
  root: Schema,
  reference: string,
  anchors: ReadonlyMap<string, Schema>,
  warn: (text: string) => void,
): Schema {
  const [base = '', fragment = ''] = splitOnce(reference, '#');
  const known = anchors.get(reference) ?? anchors.get(`#${fragment}`);
  if (known !== undefined && (base === '' || anchors.has(reference))) return known;
  if (base === '' || base === SCHEMA_URL) return followPointer(root, fragment, `${SCHEMA_URL}#${fragment}`);
  const resource = anchors.get(base) ?? [...anchors].find(([id]) => id.endsWith(`/${base}`))?.[1];
  if (resource !== undefined) return followPointer(resource, fragment, reference);
  // Schemas about schemas: values are hardly ever schemas, and those are let pass.
  if (/^https?:\/\/json-schema\.org\/draft/.test(base)) return true;
  if (base.startsWith('urn:')) {
    warn(`WARNING: unresolved URN reference ignored; using permissive schema: ${base}`);
    return true;
  }
  throw invalidSchema('', `failing loading ${goQuote(base)}: schemas outside the chart are not read`);
}

function followPointer(from: Schema, fragment: string, shown: string): Schema {
  const pointer = decodeFragment(fragment);
  let here: JsonValue | undefined = from;
  if (pointer !== '' && !pointer.startsWith('/')) {
    throw invalidSchema('', `anchor in ${goQuote(shown)} not found in schema ${goQuote(SCHEMA_URL)}`);
  }
  for (const token of pointer === '' ? [] : pointer.slice(1).split('/')) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    const holder: JsonValue | undefined = here;
    if (Array.isArray(holder)) here = holder[Number(key)] as JsonValue | undefined;
    else here = isJsonObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
  }
  if (isJsonObject(here) || typeof here === 'boolean') return here;
  throw invalidSchema('', `json-pointer in ${goQuote(shown)} not found`);
}

function decodeFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    throw invalidSchema('', `invalid json-pointer ${goQuote(fragment)}`);
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function invalidSchema(pointer: string, detail: string): HelmError {
  const text =
    pointer === ''
      ? detail
      : `${goQuote(`${SCHEMA_URL}#`)} is not valid against metaschema: jsonschema validation failed\n- at '${pointer}': ${detail}`;
  return new HelmError('SchemaViolation', text, {});
}
