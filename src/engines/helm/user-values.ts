// Owns the order in which the values of a command line are read: files, then --set-json, --set, --set-string,
// --set-file, --set-literal, each over what came before. One flag's grammar is set.ts.
import { fromJson } from '../../lang/gotemplate/value-json.ts';
import { isJsonObject, type JsonValue } from '../../lib/json.ts';
import type { Compat } from './compat.ts';
import { HelmError, wrapError } from './errors.ts';
import { parseSet, type SetMode } from './set.ts';
import { mergeMaps, type Table } from './table.ts';
import { parseValues } from './values-file.ts';

/** Flags as given, in order; every list may be absent. */
export interface ValueFlags {
  readonly values?: readonly string[] | undefined;
  readonly setJson?: readonly string[] | undefined;
  readonly set?: readonly string[] | undefined;
  readonly setString?: readonly string[] | undefined;
  readonly setFile?: readonly string[] | undefined;
  readonly setLiteral?: readonly string[] | undefined;
}

/**
 * The values that flags give. `read` gets the path of a values file or of a --set-file; what it throws is reported as
 * it is, so its message should be `open PATH: no such file or directory`.
 * Throws HelmError `ValuesInvalid` with Helm's text.
 */
export function mergeUserValues(flags: ValueFlags, read: (path: string) => string, compat: Compat = 'helm3'): Table {
  let values: Table = new Map();
  for (const path of flags.values ?? []) {
    const text = read(path);
    try {
      values = mergeMaps(values, parseValues(text, compat));
    } catch (error) {
      throw wrapError('ValuesInvalid', `failed to parse ${path}`, error);
    }
  }
  for (const text of flags.setJson ?? []) values = applyJson(text, values, compat);
  const groups = [
    ['--set', flags.set, { kind: 'typed' }],
    ['--set-string', flags.setString, { kind: 'string' }],
    ['--set-file', flags.setFile, { kind: 'file', read }],
    ['--set-literal', flags.setLiteral, { kind: 'literal' }],
  ] as const satisfies readonly (readonly [string, readonly string[] | undefined, SetMode])[];
  for (const [flag, texts, mode] of groups) {
    for (const text of texts ?? []) {
      try {
        parseSet(text, values, mode, compat);
      } catch (error) {
        throw wrapError('ValuesInvalid', `failed parsing ${flag} data`, error);
      }
    }
  }
  return values;
}

function applyJson(text: string, values: Table, compat: Compat): Table {
  const isObject = compat === 'helm4' && text.trimStart().startsWith('{');
  try {
    if (isObject) return mergeMaps(values, parseObject(text));
    parseSet(text, values, { kind: 'json' }, compat);
    return values;
  } catch (error) {
    const message = `failed parsing --set-json data ${isObject ? 'JSON: ' : ''}${text}`;
    throw new HelmError('ValuesInvalid', message, {}, { cause: error });
  }
}

function parseObject(text: string): Table {
  const value = JSON.parse(text) as JsonValue;
  if (isJsonObject(value)) return fromJson(value) as Table;
  throw new HelmError('ValuesInvalid', 'not an object', {});
}
