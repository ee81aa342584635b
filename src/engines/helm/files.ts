// Owns `.Files`: the chart's plain files as templates see them, with Get, Glob, Lines, AsConfig and AsSecrets.
import { method } from '../../lang/gotemplate/function.ts';
import { fromBytes } from '../../lang/gotemplate/gostring.ts';
import {
  BYTES,
  GoError,
  type GoMap,
  type GoType,
  type GoValue,
  STRING,
  sortedKeys,
  stringList,
  TypedMap,
} from '../../lang/gotemplate/value.ts';
import { compileGlob, GlobError } from '../../lib/glob.ts';
import { toYaml } from '../../lib/goyaml/sigs.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { ChartFile } from './chart.ts';
import type { Compat } from './compat.ts';

type Files = TypedMap;

function filesType(compat: Compat): GoType {
  const type: { -readonly [K in keyof GoType]: GoType[K] } = { name: 'engine.files', kind: 'map', elem: BYTES };
  type.methods = new Map([
    ['Get', method([STRING], (files: Files, name) => fromBytes(bytesOf(files, name)))],
    ['GetBytes', method([STRING], (files: Files, name) => bytesOf(files, name))],
    ['Glob', method([STRING], (files: Files, pattern) => glob(type, files, pattern))],
    ['Lines', method([STRING], (files: Files, name) => lines(files, name, compat))],
    ['AsConfig', method([], (files: Files) => asYaml(files, fromBytes))],
    ['AsSecrets', method([], (files: Files) => asYaml(files, (data) => Buffer.from(data).toString('base64')))],
  ]);
  return type;
}

const FILES: Record<Compat, GoType> = { helm3: filesType('helm3'), helm4: filesType('helm4') };

/** `.Files` of one chart. */
export function filesObject(files: readonly ChartFile[], compat: Compat): GoMap {
  return new TypedMap(
    FILES[compat],
    files.map(({ name, data }) => [name, data]),
  );
}

function bytesOf(files: Files, name: string): Uint8Array {
  const data = files.get(name);
  return data instanceof Uint8Array ? data : new Uint8Array();
}

function glob(type: GoType, files: Files, pattern: string): Files {
  const matches = matcher(pattern);
  return new TypedMap(
    type,
    [...files].filter(([name]) => matches(name)),
  );
}

/** A pattern that does not compile selects everything, as in Helm. */
function matcher(pattern: string): (name: string) => boolean {
  try {
    return compileGlob(pattern, '/');
  } catch (error) {
    if (!(error instanceof GlobError)) throw error;
    return () => true;
  }
}

function lines(files: Files, name: string, compat: Compat): GoValue {
  const data = bytesOf(files, name);
  if (data.length === 0) {
    // Helm 4 looks at the last byte of an existing file without asking whether there is one.
    if (compat === 'helm4' && files.has(name)) throw new GoError('runtime error: index out of range [-1]');
    return stringList([]);
  }
  return stringList(fromBytes(data).replace(/\n$/, '').split('\n'));
}

function asYaml(files: Files, encode: (data: Uint8Array) => string): string {
  const object = Object.create(null) as JsonObject;
  for (const name of sortedKeys(files)) object[baseName(name)] = encode(bytesOf(files, name));
  return toYaml(object).replace(/\n$/, '');
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
