// Owns the template functions that Helm adds to sprig: include, tpl, required, fail, lookup and the encoders.
// One table per Helm release line; what a function needs of the running render comes through the execution's context.

import { type Execution, isLimit } from '../../lang/gotemplate/execution.ts';
import { type FunctionTable, func, funcWith, type GoFunction } from '../../lang/gotemplate/function.ts';
import { quote } from '../../lang/gotemplate/gostring.ts';
import { sprigFunctions } from '../../lang/gotemplate/sprig/functions.ts';
import { ANY, GoError, type GoValue, STRING } from '../../lang/gotemplate/value.ts';
import { fromJson } from '../../lang/gotemplate/value-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import type { Compat } from './compat.ts';
import * as encoders from './encoders.ts';

/** A cluster object that a template asked for and the render was not given. */
export interface Lookup {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  /** Empty asks for the list of them all. */
  readonly name: string;
}

/** State of one render, the template execution's `context`. */
export interface RenderContext {
  /** How deep each named template is nested in includes of itself, `gotpl` for tpl, and '' for all includes. */
  readonly included: Map<string, number>;
  /** Answers a lookup; undefined when it is not known yet, which is then reported as missing. */
  readonly lookup: (wanted: Lookup) => JsonObject | undefined;
}

/** More uses of one name inside each other than this are taken for endless recursion. */
const MAX_NESTED_INCLUDES = 1000;
/**
 * Bounds of our own: Helm would go on until its stack is full. Charts nest a dozen; here every level repeats the error
 * text of the one below.
 */
const MAX_ALL_INCLUDES = 2000;
const MAX_NESTED_TPL = 200;
const NO_VALUE = '<no value>';

/** Drops what Go prints for missing values, as Helm does with every rendered text. */
export function withoutNoValue(text: string): string {
  return text.includes(NO_VALUE) ? text.replaceAll(NO_VALUE, '') : text;
}

/** A message of `required` or `fail`: Helm shows it alone, at the place of the outermost template. */
export class UserError extends GoError {}

function contextOf(execution: Execution): RenderContext {
  return execution.context as RenderContext;
}

/** Runs something that counts as nested under a name. */
function nested<T>(execution: Execution, name: string, limit: number, run: () => T): T {
  const { included } = contextOf(execution);
  const depth = included.get(name) ?? 0;
  if (depth > limit) {
    const subject = name === '' ? 'include' : name;
    throw new GoError(`rendering template has a nested reference name: ${subject}: unable to execute template`);
  }
  included.set(name, depth + 1);
  try {
    return run();
  } finally {
    included.set(name, depth);
  }
}

function include(execution: Execution, name: string, data: GoValue): string {
  const run = () => execution.templates.execute(name, data, execution);
  return nested(execution, '', MAX_ALL_INCLUDES, () => nested(execution, name, MAX_NESTED_INCLUDES, run));
}

function tpl(execution: Execution, text: string, data: GoValue): string {
  // Most values run through tpl are plain text.
  if (!text.includes('{{')) return withoutNoValue(text);
  const templates = execution.templates.clone();
  try {
    templates.parse('gotpl', text);
  } catch (error) {
    throw wrap(`cannot parse template ${quote(text)}`, error);
  }
  try {
    const run = () => templates.execute('gotpl', data, { ...execution, templates });
    return withoutNoValue(nested(execution, 'gotpl', MAX_NESTED_TPL, run));
  } catch (error) {
    throw wrap(`error during tpl function execution for ${quote(text)}`, error);
  }
}

function wrap(prefix: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return new GoError(`${prefix}: ${error.message}`, { cause: error });
}

function required(message: string, value: GoValue): GoValue {
  if (value === undefined || value === null || value === '') throw new UserError(message);
  return value;
}

function lookup(execution: Execution, apiVersion: string, kind: string, namespace: string, name: string): GoValue {
  const found = contextOf(execution).lookup({ apiVersion, kind, namespace, name });
  return found === undefined ? new Map() : fromJson(found);
}

/** A decoder of maps: its error becomes the map's only entry. */
function decodesMap(decode: (text: string) => JsonValue): GoFunction {
  return func([STRING], (text) => {
    try {
      const value = decode(text);
      if (value === null) return new Map<string, GoValue>();
      if (isJsonObject(value)) return fromJson(value);
      throw new GoError(encoders.mismatch(value, 'map[string]interface {}', decode));
    } catch (error) {
      if (isLimit(error)) throw error;
      return new Map([['Error', (error as Error).message]]);
    }
  });
}

/** A decoder of lists: its error becomes the only element. */
function decodesList(decode: (text: string) => JsonValue): GoFunction {
  return func([STRING], (text) => {
    try {
      const value = decode(text);
      if (value === null) return [];
      if (Array.isArray(value)) return fromJson(value as JsonValue);
      throw new GoError(encoders.mismatch(value, '[]interface {}', decode));
    } catch (error) {
      if (isLimit(error)) throw error;
      return [(error as Error).message];
    }
  });
}

/** An encoder whose failure is an empty text. */
function orEmpty(encode: (value: GoValue) => string): GoFunction {
  return func([ANY], (value) => {
    try {
      return encode(value);
    } catch (error) {
      if (isLimit(error)) throw error;
      return '';
    }
  });
}

function helmFunctions(compat: Compat): [string, GoFunction][] {
  const table: [string, GoFunction][] = [
    ['include', funcWith([STRING, ANY], include)],
    ['tpl', funcWith([STRING, ANY], tpl)],
    ['required', func([STRING, ANY], required)],
    [
      'fail',
      func([STRING], (message) => {
        throw new UserError(message);
      }),
    ],
    ['lookup', funcWith([STRING, STRING, STRING, STRING], lookup)],
    ['getHostByName', func([STRING], () => '')],
    ['toYaml', orEmpty(encoders.encodeYaml)],
    ['toYamlPretty', orEmpty(encoders.encodeYamlPretty)],
    ['fromYaml', decodesMap(encoders.decodeYaml)],
    ['fromYamlArray', decodesList(encoders.decodeYaml)],
    ['toJson', orEmpty(encoders.encodeJson)],
    ['fromJson', decodesMap(encoders.decodeJson)],
    ['fromJsonArray', decodesList(encoders.decodeJson)],
    ['toToml', func([ANY], encoders.encodeTomlOrMessage)],
    ['fromToml', func([STRING], encoders.decodeToml)],
  ];
  if (compat === 'helm3') return table;
  return [
    ...table,
    ['mustToYaml', func([ANY], encoders.encodeYaml)],
    ['mustToJson', func([ANY], encoders.encodeJson)],
    ['mustToToml', func([ANY], encoders.encodeToml)],
  ];
}

function createTable(compat: Compat): FunctionTable {
  return new Map([...sprigFunctions(), ...helmFunctions(compat)]);
}

/** All functions that a chart's templates may call. */
export const FUNCTIONS: Readonly<Record<Compat, FunctionTable>> = {
  helm3: createTable('helm3'),
  helm4: createTable('helm4'),
};
