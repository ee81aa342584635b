// Owns turning JSON values into typed configuration as Go's encoding/json does: field names in any case, nulls that
// change nothing, and its texts for unknown fields and wrong types. Two moods: the kustomization file is strict, plugin
// files turn numbers and booleans into strings where a string is wanted and pass unknown fields over.
import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json.ts';
import { buildError } from '../errors.ts';
import { compareText } from './resid.ts';
import { readYamlValue } from './yaml.ts';

interface DecodeContext {
  readonly strict: boolean;
  /** Turns scalars into strings where a string is wanted. */
  readonly coerce: boolean;
  /** Innermost struct and the fields down to here. */
  readonly structName: string;
  readonly fields: readonly string[];
  /** The first complaint; decoding goes on after it as Go's does. */
  readonly report: (message: string) => void;
}

/** Reads one Go type. */
export interface Decoder<T> {
  /** What an absent or null value becomes. */
  readonly zero: T;
  /** Go's name of the type. */
  readonly goType: string;
  decode(value: JsonValue, context: DecodeContext): T;
}

function jsonWord(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
    case 'bigint':
      return 'number';
    default:
      return 'object';
  }
}

function mismatch<T>(
  decoder: { readonly goType: string; readonly zero: T },
  value: JsonValue,
  context: DecodeContext,
): T {
  const place =
    context.fields.length === 0 ? 'Go value' : `Go struct field ${context.structName}.${context.fields.join('.')}`;
  const word = jsonWord(value);
  const what = word === 'number' && decoder.goType.startsWith('int') ? `number ${String(value)}` : word;
  context.report(`json: cannot unmarshal ${what} into ${place} of type ${decoder.goType}`);
  return decoder.zero;
}

export const stringDecoder: Decoder<string> = stringOf('string');

/** A string of a named Go type. */
export function stringOf(goType: string): Decoder<string> {
  const decoder: Decoder<string> = {
    zero: '',
    goType,
    decode: (value, context) => {
      if (typeof value === 'string') return value;
      if (context.coerce && value !== null && typeof value !== 'object') return String(value);
      return mismatch(decoder, value, context);
    },
  };
  return decoder;
}

export const booleanDecoder: Decoder<boolean> = {
  zero: false,
  goType: 'bool',
  decode: (value, context) => (typeof value === 'boolean' ? value : mismatch(booleanDecoder, value, context)),
};

/** A whole number; `goType` is `int` or `int64`. */
export function intOf(goType: 'int' | 'int64'): Decoder<bigint> {
  const decoder: Decoder<bigint> = {
    zero: 0n,
    goType,
    decode: (value, context) => {
      const fits = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
      if (!fits || BigInt(value) !== BigInt.asIntN(64, BigInt(value))) return mismatch(decoder, value, context);
      return BigInt(value);
    },
  };
  return decoder;
}

export function arrayOf<T>(element: Decoder<T>): Decoder<readonly T[]> {
  const decoder: Decoder<readonly T[]> = {
    zero: [],
    goType: `[]${element.goType}`,
    decode: (value, context) => {
      if (!Array.isArray(value)) return mismatch(decoder, value, context);
      return value.map((item: JsonValue) => (item === null ? element.zero : element.decode(item, context)));
    },
  };
  return decoder;
}

export function mapOf<T>(element: Decoder<T>): Decoder<ReadonlyMap<string, T>> {
  const decoder: Decoder<ReadonlyMap<string, T>> = {
    zero: new Map<string, T>(),
    goType: `map[string]${element.goType}`,
    decode: (value, context) => {
      if (!isJsonObject(value)) return mismatch(decoder, value, context);
      const result = new Map<string, T>();
      for (const key of Object.keys(value).sort(compareText)) {
        const item = value[key]!;
        result.set(key, item === null ? element.zero : element.decode(item, context));
      }
      return result;
    },
  };
  return decoder;
}

/** Any object as it is. */
export const objectDecoder: Decoder<JsonObject | undefined> = {
  zero: undefined,
  goType: 'map[string]interface {}',
  decode: (value, context) => (isJsonObject(value) ? value : mismatch(objectDecoder, value, context)),
};

/** Undefined when absent or null: a pointer in Go. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return { zero: undefined, goType: decoder.goType, decode: decoder.decode };
}

/**
 * A Go struct; every field of the result is there.
 * @param embedded embedded structs that fields come from (`GeneratorArgs.KvPairSources`), which Go's errors name.
 */
export function objectOf<T extends object>(
  structName: string,
  fields: { readonly [Field in keyof T]-?: Decoder<T[Field]> },
  embedded: Readonly<Record<string, string>> = {},
): Decoder<T> {
  const byFoldedName = new Map(Object.keys(fields).map((field) => [field.toLowerCase(), field]));
  const zero = Object.fromEntries(
    Object.entries(fields).map(([field, decoder]) => [field, (decoder as Decoder<unknown>).zero]),
  );
  const decoder: Decoder<T> = {
    zero: zero as T,
    goType: `types.${structName}`,
    decode: (value, context) => {
      if (!isJsonObject(value)) return mismatch(decoder, value, context);
      const result: Record<string, unknown> = { ...zero };
      for (const key of Object.keys(value).sort(compareText)) {
        const field = Object.hasOwn(fields, key) ? key : byFoldedName.get(key.toLowerCase());
        if (field === undefined) {
          if (context.strict) context.report(`json: unknown field ${JSON.stringify(key)}`);
          continue;
        }
        const item = value[key]!;
        if (item === null) continue;
        const place = Object.hasOwn(embedded, field) ? `${embedded[field]!}.${field}` : field;
        const inner = { ...context, structName, fields: [...context.fields, place] };
        result[field] = (fields[field as keyof T] as Decoder<unknown>).decode(item, inner);
      }
      return result as T;
    },
  };
  return decoder;
}

/** Decodes a value; throws with Go's text at the first thing that does not fit. */
export function decodeValue<T>(
  value: JsonValue,
  decoder: Decoder<T>,
  options: { readonly strict: boolean; readonly coerce: boolean },
): T {
  let first: string | undefined;
  const report = (message: string): void => {
    first ??= message;
  };
  const result =
    value === null ? decoder.zero : decoder.decode(value, { ...options, structName: '', fields: [], report });
  if (first !== undefined) throw buildError(first);
  return result;
}

/**
 * Reads a YAML file into a type as sigs.k8s.io/yaml does.
 * @param options `strict` refuses unknown fields and double keys.
 */
export function decodeLoose<T>(text: string, decoder: Decoder<T>, options: { readonly strict?: boolean } = {}): T {
  const strict = options.strict === true;
  const value = readYamlValue(text, strict);
  try {
    return decodeValue(value, decoder, { strict, coerce: true });
  } catch (error) {
    const message = (error as Error).message;
    throw buildError(`error unmarshaling JSON: while decoding JSON: ${message}`);
  }
}
