// Owns what a strategic merge needs to know of a type: its fields, and which lists merge by which keys. Reads the
// frozen built-in data and OpenAPI definitions that a user brings; merging itself is the engine's.
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import { definitionTypes, plainTypes, rootTypes, typeFields } from './kustomize-types.ts';

/** What is known of one place in an object. */
export interface MergeSchema {
  /** Schema of a field; undefined when the type has no such field. */
  field(name: string): MergeSchema | undefined;
  /** Keys that identify the elements of a list that merges: [''] is the element itself; undefined: the list is replaced. */
  readonly mergeKeys: readonly string[] | undefined;
  /** Schema of the elements of a list that merges. */
  readonly elements: MergeSchema | undefined;
}

/** Finds the schema of a whole object; undefined for a type that is not known. */
export type FindSchema = (apiVersion: string, kind: string) => MergeSchema | undefined;

/** A place that is known but holds nothing that merges. */
const opaque: MergeSchema = { field: () => opaque, mergeKeys: undefined, elements: undefined };
/** A place that is known and may hold anything. */
const open: MergeSchema = { field: () => undefined, mergeKeys: undefined, elements: undefined };

/** Fields of one type, read from its data line when first asked for. */
function parseType(line: string, types: ReadonlyMap<string, MergeSchema>): ReadonlyMap<string, MergeSchema> {
  const fields = new Map<string, MergeSchema>();
  for (const token of line.split(' ').slice(1)) {
    const match = /^([^+:!]+)(?:\+([^:]*))?(?::(\w+))?(!?)$/.exec(token)!;
    const [, name, keys, type] = match;
    const target = type === undefined ? undefined : types.get(type);
    if (keys !== undefined) fields.set(name!, list(keys.split(','), target ?? opaque));
    else fields.set(name!, target ?? (match[4] === '!' ? open : opaque));
  }
  return fields;
}

function list(mergeKeys: readonly string[], elements: MergeSchema | undefined): MergeSchema {
  return { field: () => undefined, mergeKeys, elements };
}

interface BuiltIn {
  readonly byType: ReadonlyMap<string, MergeSchema>;
  readonly byDefinition: ReadonlyMap<string, MergeSchema>;
}

function buildBuiltIn(): BuiltIn {
  const types = new Map<string, MergeSchema>();
  for (const line of typeFields) {
    let fields: ReadonlyMap<string, MergeSchema> | undefined;
    types.set(line.slice(0, line.indexOf(' ')), {
      field: (name) => {
        fields ??= parseType(line, types);
        return fields.get(name);
      },
      mergeKeys: undefined,
      elements: undefined,
    });
  }
  const roots = new Map<string, MergeSchema>();
  for (const line of rootTypes) {
    const at = line.lastIndexOf(' ');
    roots.set(line.slice(0, at), types.get(line.slice(at + 1))!);
  }
  for (const type of plainTypes) roots.set(type, opaque);
  const byDefinition = new Map<string, MergeSchema>();
  for (const line of definitionTypes) {
    const at = line.indexOf(' ');
    byDefinition.set(line.slice(0, at), types.get(line.slice(at + 1))!);
  }
  return { byType: roots, byDefinition };
}

const builtIn = buildBuiltIn();

/** The built-in schema: Kubernetes 1.21.2, exact versions only. */
export const findBuiltInSchema: FindSchema = (apiVersion, kind) => builtIn.byType.get(`${apiVersion} ${kind}`);

/** A schema that a user brings as an OpenAPI document. */
export interface CustomSchema {
  readonly find: FindSchema;
  /** `apiVersion kind` → true when namespaced, from the document's paths. */
  readonly scopes: ReadonlyMap<string, boolean>;
  /** Resolves a schema that stands in a comment; undefined when it is none. */
  compile(schema: JsonObject): MergeSchema;
}

/**
 * Reads an OpenAPI document's definitions and paths. What is no definition is passed over.
 * @param options.builtInReferences lets references lead to the built-in definitions. @default false
 */
export function createCustomSchema(
  document: JsonValue,
  options: { readonly builtInReferences?: boolean } = {},
): CustomSchema {
  const root = isJsonObject(document) ? document : {};
  const definitions: Definitions = {
    own: objectAt(root, 'definitions'),
    builtIn: options.builtInReferences === true ? builtIn.byDefinition : new Map(),
  };
  const compile = (schema: JsonObject): MergeSchema => compileSchema(schema, definitions, 0);
  const roots = new Map<string, JsonObject>();
  for (const definition of Object.values(definitions.own)) {
    if (!isJsonObject(definition)) continue;
    const types = own(definition, GVK);
    for (const type of Array.isArray(types) ? types : []) {
      const key = typeKey(type);
      if (key !== undefined) roots.set(key, definition);
    }
  }
  const compiled = new Map<string, MergeSchema>();
  const find: FindSchema = (apiVersion, kind) => {
    const key = `${apiVersion} ${kind}`;
    const definition = roots.get(key);
    if (definition === undefined) return undefined;
    let schema = compiled.get(key);
    if (schema === undefined) {
      schema = compile(definition);
      compiled.set(key, schema);
    }
    return schema;
  };
  return { find, scopes: readScopes(objectAt(root, 'paths')), compile };
}

const GVK = 'x-kubernetes-group-version-kind';
/** References may form rings; nobody's type refers to another more often than this before it says something. */
const MAX_REFS = 100;

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = own(object, key);
  return isJsonObject(value) ? value : {};
}

function typeKey(type: JsonValue | undefined): string | undefined {
  if (!isJsonObject(type)) return undefined;
  const { group, version, kind } = type;
  if (typeof version !== 'string' || typeof kind !== 'string') return undefined;
  return `${typeof group === 'string' && group !== '' ? `${group}/${version}` : version} ${kind}`;
}

function readScopes(paths: JsonObject): ReadonlyMap<string, boolean> {
  const scopes = new Map<string, boolean>();
  for (const [path, item] of Object.entries(paths)) {
    if (!isJsonObject(item)) continue;
    const key = typeKey(own(objectAt(item, 'get'), GVK));
    if (key === undefined) continue;
    const namespaced = path.includes('namespaces/{namespace}');
    if (namespaced || !scopes.has(key)) scopes.set(key, namespaced);
  }
  return scopes;
}

interface Definitions {
  readonly own: JsonObject;
  readonly builtIn: ReadonlyMap<string, MergeSchema>;
}

/** Follows a schema's reference and compiles what it leads to; undefined when it leads nowhere. */
function compileResolved(schema: JsonObject, definitions: Definitions, depth: number): MergeSchema | undefined {
  let current = schema;
  for (let i = 0; i < MAX_REFS; i++) {
    const ref = own(current, '$ref');
    if (typeof ref !== 'string' || ref === '') return compileSchema(current, definitions, depth);
    const name = ref
      .replace(/^#\/definitions\//, '')
      .replaceAll('~1', '/')
      .replaceAll('~0', '~');
    const next = own(definitions.own, name);
    if (!isJsonObject(next)) return definitions.builtIn.get(name);
    current = next;
  }
  return undefined;
}

function compileSchema(schema: JsonObject, definitions: Definitions, depth: number): MergeSchema {
  const keys = mergeKeysOf(schema);
  let elements: MergeSchema | undefined;
  const items = own(schema, 'items');
  if (keys !== undefined && own(schema, 'type') === 'array' && isJsonObject(items) && depth < MAX_REFS) {
    elements = compileResolved(items, definitions, depth + 1);
  }
  const properties = objectAt(schema, 'properties');
  const others = own(schema, 'additionalProperties');
  const fields = new Map<string, MergeSchema | undefined>();
  return {
    mergeKeys: keys,
    elements,
    field: (name) => {
      if (fields.has(name)) return fields.get(name);
      const property = own(properties, name) ?? others;
      const field = isJsonObject(property) ? compileResolved(property, definitions, depth) : undefined;
      fields.set(name, field);
      return field;
    },
  };
}

function mergeKeysOf(schema: JsonObject): readonly string[] | undefined {
  const strategy = own(schema, 'x-kubernetes-patch-strategy');
  if (typeof strategy !== 'string' || !strategy.split(',').includes('merge')) return undefined;
  const list = own(schema, 'x-kubernetes-list-map-keys');
  if (Array.isArray(list)) return list.filter((key) => typeof key === 'string');
  const key = own(schema, 'x-kubernetes-patch-merge-key');
  return typeof key === 'string' ? [key] : [];
}
