// Owns the encoders and decoders behind toYaml, toJson, toToml and their opposites, with the errors that templates see.
import { isLimit } from '../../lang/gotemplate/execution.ts';
import { GoError, type GoValue } from '../../lang/gotemplate/value.ts';
import { checkNodeCount, toJson } from '../../lang/gotemplate/value-json.ts';
import { parseGoJson } from '../../lib/gojson.ts';
import { emitDocuments } from '../../lib/goyaml/emit.ts';
import { fromYaml, toYaml } from '../../lib/goyaml/sigs.ts';
import type { JsonValue } from '../../lib/json.ts';
import { formatJsonText } from './json-text.ts';
import { parseToml } from './toml-decode.ts';
import { encodeToml as encodeTomlDocument } from './toml-encode.ts';
import { prettyNode } from './yaml-pretty.ts';

/** Values as YAML without the final line break. Throws GoError for what JSON cannot hold. */
export function encodeYaml(value: GoValue): string {
  return toYaml(toJson(value)).replace(/\n$/, '');
}

/** Values as a YAML 1.2 emitter writes them, lists deeper than their keys. */
export function encodeYamlPretty(value: GoValue): string {
  checkNodeCount(value);
  return emitDocuments([prettyNode(value)], { indent: 2, sequenceStyle: 'wide' }).replace(/\n$/, '');
}

export function encodeJson(value: GoValue): string {
  checkNodeCount(value);
  return formatJsonText(value);
}

/** The first document of a YAML text. */
export function decodeYaml(text: string): JsonValue {
  return fromYaml(text);
}

/** Throws GoJsonError with Go's text. */
export function decodeJson(text: string): JsonValue {
  return parseGoJson(text);
}

/** Go's complaint that a decoded value has another type than the variable it should go into. */
export function mismatch(value: JsonValue, wanted: string, decode: (text: string) => JsonValue): string {
  const kind = Array.isArray(value)
    ? 'array'
    : typeof value === 'boolean'
      ? 'bool'
      : typeof value === 'object'
        ? 'object'
        : typeof value === 'string'
          ? 'string'
          : 'number';
  const prefix = decode === decodeYaml ? 'error unmarshaling JSON: while decoding JSON: ' : '';
  return `${prefix}json: cannot unmarshal ${kind} into Go value of type ${wanted}`;
}

/** Throws GoError with the encoder's text. */
export function encodeToml(value: GoValue): string {
  checkNodeCount(value);
  return encodeTomlDocument(value);
}

/** As `encodeToml`, but a failure is the text. A nil value fails in any case: the encoder cannot even look at it. */
export function encodeTomlOrMessage(value: GoValue): string {
  if (value === undefined || value === null) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  try {
    return encodeToml(value);
  } catch (error) {
    if (isLimit(error)) throw error;
    return (error as Error).message;
  }
}

/** A TOML document as a map; an error becomes its entry `Error`, beside nothing else. */
export function decodeToml(text: string): GoValue {
  try {
    return parseToml(text);
  } catch (error) {
    if (isLimit(error)) throw error;
    return new Map([['Error', (error as Error).message]]);
  }
}
