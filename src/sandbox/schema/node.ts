// Owns the compiled form of an OpenAPI schema, one form for built-in kinds and custom resources alike. Merging,
// defaulting, pruning and validating walk it; this file only builds it.
import type { JsonValue } from '../../lib/json.ts';
import { getKey, isRecord } from '../object.ts';

export type RawSchema = Readonly<Record<string, unknown>>;

/** How an object merges and which keys it may have. */
export interface MapShape {
  /** One owner for the whole object. */
  readonly atomic: boolean;
  readonly fields: ReadonlyMap<string, SchemaNode>;
  /** Type of keys that are not declared; undefined means that there may be none. */
  readonly values: SchemaNode | undefined;
}

/** How a list merges. */
export interface ListShape {
  /** One owner for the whole list. */
  readonly atomic: boolean;
  /** Keys of a list of maps; empty for a set of scalars. Meaningless when atomic. */
  readonly keys: readonly string[];
  readonly items: SchemaNode;
}

export interface SchemaNode {
  /** Last part of the definition's name (`DeploymentSpec`); '' for an inlined type. */
  readonly typeName: string;
  /** Full name of the definition (`io.k8s.api.apps.v1.DeploymentSpec`); '' for an inlined type. */
  readonly definition: string;
  /** '' accepts any type. */
  readonly type: string;
  readonly raw: RawSchema;
  /** A scalar is allowed here. */
  readonly scalar: boolean;
  readonly map: MapShape | undefined;
  readonly list: ListShape | undefined;
  readonly default: JsonValue | undefined;
  /** Strategic merge patch: 'merge', 'retainKeys', 'replace' or both comma-separated; '' when not said. */
  readonly patchStrategy: string;
  readonly patchMergeKey: string;
  /** Undeclared keys below this node are kept by pruning. */
  readonly preserveUnknown: boolean;
}

/** Finds the schema a `$ref` names. Throws when there is none: generated data is complete by construction. */
export type ResolveRef = (name: string) => RawSchema;

export interface CompileContext {
  readonly resolve: ResolveRef;
  /** Compiled definitions by name, so that recursive types end. */
  readonly named: Map<string, SchemaNode>;
  /** `preserveUnknownFields` inherited from a parent schema. */
  readonly preserve: boolean;
}

const NO_FIELDS: ReadonlyMap<string, SchemaNode> = new Map();

/** Any value, each list and unknown part with one owner. */
export const UNTYPED_ATOMIC: SchemaNode = selfReferring((self) => ({
  list: { atomic: true, keys: [], items: self() },
  map: { atomic: true, fields: NO_FIELDS, values: self() },
}));

/** Any value; maps merge key by key, lists have one owner. */
export const DEDUCED: SchemaNode = selfReferring((self) => ({
  list: { atomic: true, keys: [], items: UNTYPED_ATOMIC },
  map: { atomic: false, fields: NO_FIELDS, values: self() },
}));

/** Makes a node whose shapes mention the node itself. */
function selfReferring(shapes: (self: () => SchemaNode) => { list: ListShape; map: MapShape }): SchemaNode {
  const node: { -readonly [K in keyof SchemaNode]: SchemaNode[K] } = {
    typeName: '',
    definition: '',
    type: '',
    raw: {},
    scalar: true,
    map: undefined,
    list: undefined,
    default: undefined,
    patchStrategy: '',
    patchMergeKey: '',
    preserveUnknown: true,
  };
  const { list, map } = shapes(() => node);
  node.list = list;
  node.map = map;
  return node;
}

function text(raw: RawSchema, key: string): string {
  const value = raw[key];
  return typeof value === 'string' ? value : '';
}

/** The definition's name behind `$ref`, alone or as the only `allOf` entry. */
function refName(raw: RawSchema): string {
  const direct = text(raw, '$ref');
  if (direct !== '') return direct.slice(direct.lastIndexOf('/') + 1);
  const allOf = raw['allOf'];
  if (Array.isArray(allOf) && allOf.length === 1 && isRecord(allOf[0])) return refName(allOf[0]);
  return '';
}

/** Compiles a schema. Fields are compiled when first asked for. */
export function compileSchema(raw: RawSchema, context: CompileContext): SchemaNode {
  const name = refName(raw);
  if (name === '') return compileInline(raw, context, '');
  const target = compileNamed(name, context);
  const mapType = raw['x-kubernetes-map-type'];
  if (raw['default'] === undefined && mapType === undefined && raw['x-kubernetes-patch-strategy'] === undefined)
    return target;
  return overlay(target, raw);
}

function compileNamed(name: string, context: CompileContext): SchemaNode {
  const known = context.named.get(name);
  if (known) return known;
  const node =
    name === 'io.k8s.apimachinery.pkg.runtime.RawExtension'
      ? UNTYPED_ATOMIC
      : compileInline(context.resolve(name), context, name);
  context.named.set(name, node);
  return node;
}

/** A referenced type as one field uses it: own default, own patch strategy, own map type. */
function overlay(target: SchemaNode, raw: RawSchema): SchemaNode {
  const mapType = raw['x-kubernetes-map-type'];
  return {
    typeName: target.typeName,
    definition: target.definition,
    type: target.type,
    raw: target.raw,
    scalar: target.scalar,
    get map() {
      const map = target.map;
      return map && mapType !== undefined ? { ...map, atomic: mapType === 'atomic' } : map;
    },
    get list() {
      return target.list;
    },
    default: raw['default'] as JsonValue | undefined,
    patchStrategy: text(raw, 'x-kubernetes-patch-strategy'),
    patchMergeKey: text(raw, 'x-kubernetes-patch-merge-key'),
    preserveUnknown: target.preserveUnknown,
  };
}

function compileInline(raw: RawSchema, outer: CompileContext, definition: string): SchemaNode {
  const preserveHere = raw['x-kubernetes-preserve-unknown-fields'] === true;
  const context = preserveHere && !outer.preserve ? { ...outer, preserve: true } : outer;
  const type = text(raw, 'type');
  let map: MapShape | undefined;
  let list: ListShape | undefined;
  return {
    typeName: definition.slice(definition.lastIndexOf('.') + 1),
    definition,
    type,
    raw,
    scalar: type !== 'object' && type !== 'array',
    get map() {
      if (map === undefined && (type === 'object' || type === '')) map = compileMap(raw, context);
      return map;
    },
    get list() {
      if (list === undefined && (type === 'array' || type === '')) list = compileList(raw, context);
      return list;
    },
    default: raw['default'] as JsonValue | undefined,
    patchStrategy: text(raw, 'x-kubernetes-patch-strategy'),
    patchMergeKey: text(raw, 'x-kubernetes-patch-merge-key'),
    preserveUnknown: preserveHere,
  };
}

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

function compileMap(raw: RawSchema, context: CompileContext): MapShape {
  const properties = isRecord(raw['properties']) ? raw['properties'] : {};
  // preserve-unknown-fields counts for the node that says so and for keys it does not declare, not for declared fields.
  const inner = context.preserve ? { ...context, preserve: false } : context;
  const fields = new Map<string, SchemaNode>();
  for (const key of Object.keys(properties)) {
    const property = getKey(properties, key);
    if (isRecord(property)) fields.set(key, compileSchema(property, inner));
  }
  if (raw['x-kubernetes-embedded-resource'] === true) {
    for (const key of ['apiVersion', 'kind']) fields.set(key, compileSchema({ type: 'string' }, inner));
    fields.set('metadata', compileSchema({ $ref: OBJECT_META }, inner));
  }
  return {
    atomic: raw['x-kubernetes-map-type'] === 'atomic',
    fields,
    values: compileValues(raw, context, fields.size),
  };
}

function compileValues(raw: RawSchema, context: CompileContext, declared: number): SchemaNode | undefined {
  const additional = raw['additionalProperties'];
  if (isRecord(additional)) return compileSchema(additional, { ...context, preserve: false });
  if (additional === true) return DEDUCED;
  if (additional === false) return undefined;
  return context.preserve || declared === 0 ? DEDUCED : undefined;
}

function compileList(raw: RawSchema, context: CompileContext): ListShape {
  const items = raw['items'];
  return {
    ...listRelationship(raw),
    items: isRecord(items) ? compileSchema(items, { ...context, preserve: false }) : UNTYPED_ATOMIC,
  };
}

/** The list type, or what older patch strategies imply of it. */
function listRelationship(raw: RawSchema): { atomic: boolean; keys: readonly string[] } {
  const listType = raw['x-kubernetes-list-type'];
  if (listType === 'set') return { atomic: false, keys: [] };
  if (listType === 'map')
    return { atomic: false, keys: (raw['x-kubernetes-list-map-keys'] as string[] | undefined) ?? [] };
  if (listType === undefined && text(raw, 'x-kubernetes-patch-strategy').startsWith('merge')) {
    const key = text(raw, 'x-kubernetes-patch-merge-key');
    return { atomic: false, keys: key === '' ? [] : [key] };
  }
  return { atomic: true, keys: [] };
}
