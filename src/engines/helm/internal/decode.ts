// Owns typed reading of YAML documents the way Go's decoder fills structs: lenient text fields, null for absent, and
// the decoder's error texts. Which structs there are is the caller's business.
import { formatValue } from '../../../lang/gotemplate/printf.ts';
import { compareStrings } from '../../../lang/gotemplate/value.ts';
import { fromYaml } from '../../../lib/goyaml/sigs.ts';
import { isJsonObject, type JsonValue } from '../../../lib/json.ts';
import { HelmError } from '../errors.ts';

/** Where in the document the decoder stands, for its messages. */
interface Place {
  readonly struct: string;
  readonly path: readonly string[];
  /** Remembers a type mismatch; decoding goes on and the first one is reported at the end. */
  readonly mismatch: (found: JsonValue, wanted: string, place: Place) => void;
}

/** Reads one type. */
export interface Decoder<T> {
  /** Go's name of the type. */
  readonly type: string;
  /** What an absent or null field holds. */
  readonly zero: T;
  readonly read: (value: JsonValue, place: Place) => T;
}

export type Decoded<D> = D extends Decoder<infer T> ? T : never;

/** A string; numbers and booleans are taken as their text. */
export const text: Decoder<string> = {
  type: 'string',
  zero: '',
  read: (value, place) => {
    if (typeof value === 'string') return value;
    if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
    if (typeof value === 'number') return Number.isInteger(value) ? String(value) : formatValue(value);
    place.mismatch(value, 'string', place);
    return '';
  },
};

export const flag: Decoder<boolean> = {
  type: 'bool',
  zero: false,
  read: (value, place) => {
    if (typeof value === 'boolean') return value;
    place.mismatch(value, 'bool', place);
    return false;
  },
};

/** Any JSON value, as it is. */
export const anything: Decoder<JsonValue> = { type: 'interface {}', zero: null, read: (value) => value };

/** A list, or undefined where there is none. */
export function list<T>(element: Decoder<T>): Decoder<T[] | undefined> {
  const type = `[]${element.type}`;
  return {
    type,
    zero: undefined,
    read: (value, place) => {
      if (Array.isArray(value)) return value.map((item: JsonValue) => readOrZero(element, item, place));
      place.mismatch(value, type, place);
      return undefined;
    },
  };
}

/** A map of one type, or undefined where there is none. */
export function dictionary<T>(element: Decoder<T>): Decoder<Map<string, T> | undefined> {
  const type = `map[string]${element.type}`;
  return {
    type,
    zero: undefined,
    read: (value, place) => {
      if (isJsonObject(value)) {
        const keys = Object.keys(value).sort(compareStrings);
        return new Map(keys.map((key) => [key, readOrZero(element, value[key]!, place)]));
      }
      place.mismatch(value, type, place);
      return undefined;
    },
  };
}

/** A struct; field names match exactly or, failing that, in any case. `name` is empty for an anonymous struct. */
export function struct<Fields extends Record<string, Decoder<unknown>>>(
  name: string,
  type: string,
  fields: Fields,
): Decoder<{ [K in keyof Fields]: Decoded<Fields[K]> }> {
  type Result = { [K in keyof Fields]: Decoded<Fields[K]> };
  const byFold = new Map(Object.keys(fields).map((field) => [field.toLowerCase(), field]));
  const empty = () => Object.fromEntries(Object.entries(fields).map(([field, decoder]) => [field, decoder.zero]));
  return {
    type,
    get zero() {
      return empty() as Result;
    },
    read: (value, place) => {
      const result = empty();
      if (!isJsonObject(value)) {
        place.mismatch(value, type, place);
        return result as Result;
      }
      for (const key of Object.keys(value).sort(compareStrings)) {
        const field = Object.hasOwn(fields, key) ? key : byFold.get(key.toLowerCase());
        const item = value[key]!;
        if (field === undefined || item === null) continue;
        result[field] = fields[field]!.read(item, { ...place, struct: name, path: [...place.path, field] });
      }
      return result as Result;
    },
  };
}

/** A pointer: null stays null. */
export function nullable<T>(decoder: Decoder<T>): Decoder<T | null> {
  return { ...decoder, type: `*${decoder.type}`, zero: null, read: (value, place) => decoder.read(value, place) };
}

function readOrZero<T>(decoder: Decoder<T>, value: JsonValue, place: Place): T {
  return value === null ? decoder.zero : decoder.read(value, place);
}

/** Reads a YAML document; throws what Go's `yaml.Unmarshal` returns. */
export function decodeYaml<T>(source: string, decoder: Decoder<T>): T {
  return decodeValue(fromYaml(source), decoder);
}

/** Reads an already parsed document; throws a HelmError `ChartInvalid` on a type mismatch, as Go's text has it. */
export function decodeValue<T>(value: JsonValue, decoder: Decoder<T>): T {
  let problem: string | undefined;
  const mismatch = (found: JsonValue, wanted: string, place: Place) => {
    if (problem !== undefined) return;
    const target = place.path.length > 0 ? `struct field ${place.struct}.${place.path.join('.')}` : 'value';
    problem = `json: cannot unmarshal ${jsonKind(found)} into Go ${target} of type ${wanted}`;
  };
  const result = readOrZero(decoder, value, { struct: '', path: [], mismatch });
  if (problem !== undefined) {
    throw new HelmError('ChartInvalid', `error unmarshaling JSON: while decoding JSON: ${problem}`, {});
  }
  return result;
}

function jsonKind(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' ? 'number' : typeof value;
}
