// Owns validation rules of custom resources (`x-kubernetes-validations`): a rule bound to the schema it stands in, with
// values typed by that schema. Which rules run for which fields, and what a violation says, is the API server's.
import { isJsonObject, type JsonValue } from '../../lib/json.ts';
import { checkExpression, typeText } from './check.ts';
import { CelError } from './errors.ts';
import { evaluate, type Meter } from './evaluate.ts';
import type { ParameterType } from './function.ts';
import { parseDurationText, parseTimestamp } from './functions/time.ts';
import { kubernetesLibrary } from './libraries.ts';
import { childrenOf, type Node, parseExpression } from './parse.ts';
import { type CelValue, fromJson, type MapKey, Optional } from './value.ts';

/** A structural schema as a CRD has it. */
export type RuleSchema = Readonly<Record<string, unknown>>;

/** What a rule runs on. */
export interface RuleInput {
  readonly self: JsonValue;
  /** The value before; undefined when there was none. */
  readonly oldSelf?: JsonValue | undefined;
}

/** Counts the work of the rules of one object, and keeps the values that several of them look at. */
export interface RuleMeter extends Meter {
  readonly values: WeakMap<RuleSchema, WeakMap<object, CelValue>>;
}

/** A compiled rule. */
export interface Rule {
  /** True when the rule mentions `oldSelf`: it then only runs where there is an old value (see `optionalOldSelf`). */
  readonly isTransition: boolean;
  /** True when the value is valid. Throws CelError when the rule has no result. */
  holds(input: RuleInput, meter?: RuleMeter): boolean;
}

/** Compiles a rule against the schema of the field it stands at. Throws CelError `CelInvalid`. */
export function compileRule(
  text: string,
  schema: RuleSchema,
  options: { readonly optionalOldSelf?: boolean } = {},
): Rule {
  const evaluateRule = compileWith(text, schema, 'bool', options);
  return {
    isTransition: evaluateRule.usesOldSelf,
    holds: (input, meter) => evaluateRule.run(input, meter) === true,
  };
}

/** Compiles a `messageExpression`; its result is a text. */
export function compileMessage(
  text: string,
  schema: RuleSchema,
  options: { readonly optionalOldSelf?: boolean } = {},
): (input: RuleInput, meter?: RuleMeter) => string {
  const { run } = compileWith(text, schema, 'string', options);
  return (input, meter) => String(run(input, meter));
}

function compileWith(
  text: string,
  schema: RuleSchema,
  wanted: 'bool' | 'string',
  { optionalOldSelf = false }: { readonly optionalOldSelf?: boolean },
): { readonly usesOldSelf: boolean; readonly run: (input: RuleInput, meter?: RuleMeter) => CelValue } {
  const node = parseExpression(text);
  const own = schemaType(schema);
  const variables = new Map<string, ParameterType>([
    ['self', own],
    ['oldSelf', optionalOldSelf ? 'optional_type' : own],
  ]);
  const type = checkExpression(text, node, variables, kubernetesLibrary);
  if (type !== wanted && type !== 'any') {
    const message = `cel expression must evaluate to a ${wanted}, got ${typeText(type)}`;
    throw new CelError('CelInvalid', message, { expression: text });
  }
  const usesOldSelf = mentions(node, 'oldSelf');
  const run = ({ self, oldSelf }: RuleInput, meter?: RuleMeter): CelValue => {
    const values = new Map<string, CelValue>([['self', typedOnce(self, schema, meter)]]);
    const old = oldSelf === undefined || !usesOldSelf ? undefined : typedOnce(oldSelf, schema, meter);
    if (optionalOldSelf) values.set('oldSelf', new Optional(old));
    else if (old !== undefined) values.set('oldSelf', old);
    const result = evaluate(node, (name) => values.get(name), kubernetesLibrary, meter);
    if (typeof result === (wanted === 'bool' ? 'boolean' : 'string')) return result;
    throw new CelError('CelFailed', `cel expression evaluated to no ${wanted}`, { expression: text });
  };
  return { usesOldSelf, run };
}

function schemaType(schema: RuleSchema): ParameterType {
  if (schema['x-kubernetes-int-or-string'] === true) return 'any';
  switch (schema['type']) {
    case 'string':
      return formatType(schema['format']);
    case 'integer':
      return 'int';
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
    case 'array':
      return 'list';
    case 'object':
      return 'map';
    default:
      return 'any';
  }
}

function formatType(format: unknown): ParameterType {
  if (format === 'byte') return 'bytes';
  if (format === 'date' || format === 'date-time') return 'google.protobuf.Timestamp';
  return format === 'duration' ? 'google.protobuf.Duration' : 'string';
}

/** A value typed, once for all rules of its schema: a large object has many. Each part of it is a step. */
function typedOnce(value: JsonValue, schema: RuleSchema, meter: RuleMeter | undefined): CelValue {
  if (meter === undefined || typeof value !== 'object' || value === null) return typed(value, schema);
  let known = meter.values.get(schema);
  if (known === undefined) meter.values.set(schema, (known = new WeakMap()));
  let found = known.get(value);
  if (found === undefined) {
    found = typed(value, schema);
    meter.spent += countParts(value);
    known.set(value, found);
  }
  return found;
}

function countParts(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, item: JsonValue) => sum + countParts(item), 1);
}

/** A value as its schema types it: `number` is double even for whole numbers, formats become times and bytes. */
function typed(value: JsonValue, schema: RuleSchema): CelValue {
  if (value === null || schema['x-kubernetes-int-or-string'] === true) return fromJson(value);
  if (typeof value === 'string') return typedText(value, schema);
  if (typeof value === 'number' && schema['type'] === 'number') return value;
  if (Array.isArray(value)) {
    const items = isRecord(schema['items']) ? schema['items'] : {};
    return value.map((item: JsonValue) => typed(item, items));
  }
  if (!isJsonObject(value)) return fromJson(value);
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const others = isRecord(schema['additionalProperties']) ? schema['additionalProperties'] : undefined;
  const map = new Map<MapKey, CelValue>();
  for (const [key, item] of Object.entries(value)) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const inner = isRecord(property) ? property : others;
    // Keys of a map are data; names of declared fields are escaped so that they can be written after a dot.
    map.set(isRecord(property) ? escapeField(key) : key, inner === undefined ? fromJson(item) : typed(item, inner));
  }
  return map;
}

function typedText(value: string, schema: RuleSchema): CelValue {
  switch (schema['type'] === 'string' ? schema['format'] : undefined) {
    case 'byte':
      return new Uint8Array(Buffer.from(value, 'base64'));
    case 'date':
      return parseTimestamp(`${value}T00:00:00Z`);
    case 'date-time':
      return parseTimestamp(value);
    case 'duration':
      return parseDurationText(value);
    default:
      return value;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const KEYWORDS = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** A field's name as CEL can write it: `a-b` is `a__dash__b`. */
export function escapeField(name: string): string {
  if (KEYWORDS.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

function mentions(node: Node, name: string): boolean {
  return node.op === 'name' ? node.name === name : childrenOf(node).some((child) => mentions(child, name));
}
