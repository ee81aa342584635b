// Owns a JSON Schema document: its draft, what its references point to, and the check that all of them lead somewhere.
// Judging values is validate.ts. Nothing is ever fetched: references to files and hosts are refused.
import { goQuote } from '../../../lib/goquote.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json.ts';
import { compileRegexp, type Regexp } from '../../../lib/regexp.ts';
import { HelmError } from '../errors.ts';
import { duplicate, typeName } from './compare.ts';
import { quote } from './finding.ts';

/** A schema or a part of one: an object of keywords, or true or false. */
export type Schema = JsonObject | boolean;

/** The drafts that are told apart; everything later is read as 2020-12. */
export type Draft = 4 | 6 | 7 | 2019 | 2020;

/** A schema document, ready to judge values. */
export interface SchemaDocument {
  readonly root: Schema;
  readonly draft: Draft;
  /** Whether any part of it asks for what nothing else has judged. */
  readonly tracksUnevaluated: boolean;
  /** Where a schema stands in the document, as a JSON pointer. */
  readonly locate: (schema: Schema) => string;
  /** What a `$ref` (or `$dynamicRef`, `$recursiveRef`) points to. */
  readonly resolve: (reference: string) => Schema;
  readonly pattern: (source: string) => Regexp;
}

export const SCHEMA_URL = 'file:///values.schema.json';
const MAX_DEPTH = 250;

const DRAFTS: Readonly<Record<string, Draft>> = {
  'draft-04/schema': 4,
  'draft-06/schema': 6,
  'draft-07/schema': 7,
  'draft/2019-09/schema': 2019,
  'draft/2020-12/schema': 2020,
  schema: 2020,
};

function draftOf(root: JsonValue): Draft {
  const stated = isJsonObject(root) ? root['$schema'] : undefined;
  if (typeof stated !== 'string') return 2020;
  const name = /^https?:\/\/json-schema\.org\/(.*?)#?$/.exec(stated)?.[1] ?? '';
  if (Object.hasOwn(DRAFTS, name)) return DRAFTS[name]!;
  throw unread(stated);
}

/**
 * Reads a schema. `warn` hears of references that are passed over.
 * Throws HelmError `SchemaViolation`: a broken reference or pattern, a reference out of the document.
 */
export function createSchemaDocument(root: JsonValue, warn: (text: string) => void): SchemaDocument {
  const draft = draftOf(root);
  if (typeof root !== 'boolean' && !isJsonObject(root)) {
    throw invalidSchema(draft, [''], [`- at '': got ${typeName(root)}, want boolean or object`]);
  }
  const anchors = new Map<string, Schema>();
  const references: string[] = [];
  const patterns = new Map<string, Regexp>();
  const pattern = (source: string): Regexp => {
    let compiled = patterns.get(source);
    if (compiled === undefined) patterns.set(source, (compiled = compileRegexp(source)));
    return compiled;
  };
  const places = new Map<JsonValue, string>();
  const findings: Findings = { draft, anchors, references, patterns, places, tracksUnevaluated: false };
  walk(root, [''], findings);
  const targets = new Map<string, Schema>();
  for (const reference of new Set(references)) targets.set(reference, resolveReference(root, reference, anchors, warn));
  return {
    root,
    draft,
    pattern,
    tracksUnevaluated: findings.tracksUnevaluated,
    locate: (schema) => places.get(schema) ?? '',
    resolve: (reference) => targets.get(reference) ?? true,
  };
}

interface Findings {
  readonly draft: Draft;
  readonly anchors: Map<string, Schema>;
  readonly references: string[];
  readonly patterns: Map<string, Regexp>;
  readonly places: Map<JsonValue, string>;
  tracksUnevaluated: boolean;
}

const ONE = ['not', 'if', 'then', 'else', 'contains', 'propertyNames', 'additionalProperties', 'additionalItems'];
const ONE_LATE = ['unevaluatedItems', 'unevaluatedProperties', 'items'];
const MANY = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'];
const NAMED = ['properties', 'patternProperties', 'dependentSchemas', 'dependencies', '$defs', 'definitions'];
const TYPES = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];

/** `trail` are the pointers of the schemas down to this one. */
function walk(schema: JsonValue | undefined, trail: readonly string[], findings: Findings): void {
  if (!isJsonObject(schema)) return;
  if (trail.length > MAX_DEPTH) throw refuse(`schema is nested more than ${MAX_DEPTH} deep`);
  const here = trail.at(-1)!;
  if (!findings.places.has(schema)) findings.places.set(schema, here);
  for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef'] as const) {
    const reference = schema[keyword];
    if (typeof reference === 'string') findings.references.push(reference);
  }
  findings.tracksUnevaluated ||= 'unevaluatedItems' in schema || 'unevaluatedProperties' in schema;
  recordNames(schema, findings.draft, findings.anchors);
  checkTypes(schema['type'], trail, findings.draft);
  if (typeof schema['pattern'] === 'string') checkPattern(schema['pattern'], `${here}/pattern`, trail, findings);
  const inner = (value: JsonValue | undefined, pointer: string) => walk(value, [...trail, here + pointer], findings);
  for (const keyword of [...ONE, ...ONE_LATE]) inner(schema[keyword], `/${keyword}`);
  for (const keyword of MANY) {
    const list = schema[keyword];
    if (!Array.isArray(list)) continue;
    for (const [index, each] of list.entries()) inner(each as JsonValue, `/${keyword}/${index}`);
  }
  for (const keyword of NAMED) {
    const named = schema[keyword];
    if (!isJsonObject(named)) continue;
    for (const [name, each] of Object.entries(named)) {
      if (keyword === 'patternProperties') checkPattern(name, `${here}/${keyword}`, trail, findings);
      inner(each, `/${keyword}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    }
  }
}

function checkTypes(stated: JsonValue | undefined, trail: readonly string[], draft: Draft): void {
  if (stated === undefined) return;
  const pointer = `'${trail.at(-1)!}/type'`;
  const oneOf = `value must be one of ${TYPES.map((each) => `'${each}'`).join(', ')}`;
  const fail = (choice: string) => {
    const lines = [`- at ${pointer}: 'anyOf' failed`, `  - at ${pointer}: ${oneOf}`, `  - at ${choice}`];
    return invalidSchema(draft, trail, lines);
  };
  if (!Array.isArray(stated)) {
    if (typeof stated === 'string' && TYPES.includes(stated)) return;
    throw fail(`${pointer}: got ${typeName(stated)}, want array`);
  }
  const wrong = stated.findIndex((type) => typeof type !== 'string' || !TYPES.includes(type));
  if (wrong >= 0) throw fail(`'${trail.at(-1)!}/type/${wrong}': ${oneOf}`);
  const twice = duplicate(stated as JsonValue[]);
  if (twice !== undefined) throw fail(`${pointer}: items at ${twice[0]} and ${twice[1]} are equal`);
}

function checkPattern(source: string, pointer: string, trail: readonly string[], { draft, patterns }: Findings): void {
  try {
    patterns.set(source, compileRegexp(source));
  } catch (error) {
    const line = `- at '${pointer}': ${quote(source)} is not valid regex: ${(error as Error).message}`;
    throw invalidSchema(draft, trail, [line]);
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
  throw unread(base);
}

function followPointer(from: Schema, fragment: string, shown: string): Schema {
  const pointer = decodeFragment(fragment);
  let here: JsonValue | undefined = from;
  if (pointer !== '' && !pointer.startsWith('/')) {
    throw refuse(`anchor in ${goQuote(shown)} not found in schema ${goQuote(SCHEMA_URL)}`);
  }
  for (const token of pointer === '' ? [] : pointer.slice(1).split('/')) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    const holder: JsonValue | undefined = here;
    if (Array.isArray(holder)) here = holder[Number(key)] as JsonValue | undefined;
    else here = isJsonObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
  }
  if (isJsonObject(here) || typeof here === 'boolean') return here;
  throw refuse(`json-pointer in ${goQuote(shown)} not found`);
}

function decodeFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    throw refuse(`invalid json-pointer ${goQuote(fragment)}`);
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** The metaschemas from 2019 on are put together with allOf, which shows at every level. */
function invalidSchema(draft: Draft, trail: readonly string[], lines: readonly string[]): HelmError {
  const levels = draft >= 2019 && !lines[0]!.startsWith("- at '': got") ? trail : [];
  const outer = levels.map((pointer, depth) => `${'  '.repeat(depth)}- at '${pointer}': 'allOf' failed`);
  const inner = lines.map((line) => '  '.repeat(levels.length) + line);
  const [name] = Object.entries(DRAFTS).find(([, each]) => each === draft)!;
  const metaschema = `${draft < 2019 ? 'http' : 'https'}://json-schema.org/${name}#`;
  const head = `${goQuote(`${SCHEMA_URL}#`)} is not valid against metaschema: jsonschema validation failed with '${metaschema}'`;
  return refuse([head, ...outer, ...inner].join('\n'));
}

function unread(url: string): HelmError {
  return refuse(`failing loading ${goQuote(url)}: schemas outside the chart are not read`);
}

function refuse(text: string): HelmError {
  return new HelmError('SchemaViolation', text, {});
}
