// Owns `vars`: collecting them up the tree of kustomizations, reading their values, and putting them in for `$(NAME)`.
import { plainStyle, type YamlNode } from '../../../lib/goyaml/node.ts';
import { resolveScalar } from '../../../lib/goyaml/resolve.ts';
import { buildError } from '../errors.ts';
import { applyFieldSpecs, createSpecIndex, type FieldSpec } from './fieldspec.ts';
import type { VarEntry } from './kustomization-fields.ts';
import { isNull, lookup, splitBracketPath, TAG_STR } from './node.ts';
import { formatGvk, gvkEquals, type ResId, resIdEquals } from './resid.ts';
import { type ResMap, withName } from './resmap.ts';
import { allIds, type Resource } from './resource.ts';

/** A variable with its defaults filled in. */
export interface Var {
  readonly name: string;
  readonly target: ResId;
  readonly fieldPath: string;
}

/** Variables by name. */
export type VarSet = Map<string, Var>;

type Primitive = string | number | bigint | boolean;

function toVar(entry: VarEntry, withDefaults: boolean): Var {
  const { apiVersion, ...objref } = entry.objref;
  let { group, version } = objref;
  const parts = apiVersion === '' ? [] : apiVersion.split('/');
  if (parts.length === 2) [group, version] = parts as [string, string];
  if (parts.length === 1) version = parts[0]!;
  return {
    name: entry.name,
    target: { ...objref, group, version, clusterScoped: false },
    fieldPath: entry.fieldref.fieldPath || (withDefaults ? 'metadata.name' : ''),
  };
}

/** Go's `%v` of a variable; the type stands for the whole target. */
function formatVar(variable: Var): string {
  return `{${variable.name} ${formatGvk(variable.target)} {${variable.fieldPath}}}`;
}

/** Go's `%v` of the variables as a kustomization file has them. */
export function formatVarEntries(entries: readonly VarEntry[]): string {
  const texts = entries.map(({ name, objref, fieldref }) => `{${name} ${formatGvk(objref)} {${fieldref.fieldPath}}}`);
  return `[${texts.join(' ')}]`;
}

/** Adds the variables of one kustomization and marks the resources they mean. */
export function addVars(set: VarSet, entries: readonly VarEntry[], map: ResMap): void {
  for (const entry of entries) {
    const variable = toVar(entry, false);
    const { target } = variable;
    const matches = withName(map, target.name).filter((resource) =>
      allIds(resource).some((id) => (target.namespace === '' ? sameTypeAndName(id, target) : resIdEquals(target, id))),
    );
    if (matches.length > 1) {
      throw buildError(`found ${matches.length} resId matches for var ${formatVar(variable)} (unable to disambiguate)`);
    }
    matches[0]?.refVarNames.push(entry.name);
  }
  for (const entry of entries) addVar(set, toVar(entry, true));
}

function sameTypeAndName(a: ResId, b: ResId): boolean {
  return a.name === b.name && gvkEquals(a, b);
}

function addVar(set: VarSet, variable: Var): void {
  if (set.has(variable.name)) throw buildError(`var '${variable.name}' already encountered`);
  set.set(variable.name, variable);
}

/** Adds what a kustomization further down brought. */
export function mergeVars(set: VarSet, added: VarSet): void {
  for (const variable of added.values()) addVar(set, variable);
}

/** Replaces `$(NAME)` in the fields that may hold variables. A line goes to `log` for variables nobody used. */
export function resolveVars(map: ResMap, set: VarSet, specs: readonly FieldSpec[], log: (line: string) => void): void {
  if (set.size === 0) return;
  const values = new Map<string, Primitive | undefined>();
  for (const name of [...set.keys()].sort()) values.set(name, valueOfVar(map, set.get(name)!));
  const used = new Set<string>();
  const expand = (name: string): Primitive => {
    const value = values.get(name);
    if (value === undefined) return `$(${name})`;
    used.add(name);
    return value;
  };
  const specsFor = createSpecIndex(specs);
  for (const { node } of map.resources)
    applyFieldSpecs(node!, specsFor(node!), { set: (field) => replaceIn(field, expand) });
  const unused = [...values.keys()].filter((name) => !used.has(name));
  if (unused.length > 0) log(`well-defined vars that were never replaced: ${unused.join(',')}`);
}

function valueOfVar(map: ResMap, variable: Var): Primitive | undefined {
  const resource = map.resources.find((one) => one.refVarNames.includes(variable.name));
  if (resource === undefined) {
    throw buildError(`var '${formatVar(variable)}' cannot be mapped to a field in the set of known resources`);
  }
  try {
    return fieldValue(resource, variable.fieldPath);
  } catch {
    throw buildError(`field specified in var '${formatVar(variable)}' not found in corresponding resource`);
  }
}

/** `ports[0].name` has an index that the path language of nodes spells as a part of its own. */
function splitIndexes(parts: readonly string[]): readonly string[] {
  return parts.flatMap((part) => {
    const match = /^(.*)\[(\d+)\]$/.exec(part);
    if (match === null) return [part];
    return match[1] === '' ? [match[2]!] : [match[1]!, match[2]!];
  });
}

/** Value of a field; undefined for maps and lists, which cannot be put into texts. */
function fieldValue(resource: Resource, path: string): Primitive | undefined {
  const node = lookup(resource.node, splitIndexes(splitBracketPath(path, '.')));
  if (node === undefined) throw buildError(`no field named '${path}'`);
  if (node.kind !== 'scalar') return undefined;
  if (node.tag !== '!!int' && node.tag !== '!!float' && node.tag !== '!!bool') return node.value;
  const { value } = resolveScalar(node.tag, node.value, 'v3');
  return value === null ? node.value : value;
}

function replaceIn(field: YamlNode, expand: (name: string) => Primitive): void {
  if (isNull(field)) return;
  switch (field.kind) {
    case 'scalar':
      if (isText(field)) write(field, expand);
      return;
    case 'mapping':
      for (let i = 0; i < field.content.length; i += 2) {
        const key = field.content[i]!;
        if (!isText(key)) throw buildError(`invalid map key: value='${key.value}', tag='${key.tag}'`);
        if (isText(field.content[i + 1]!)) write(field.content[i + 1]!, expand);
      }
      return;
    case 'sequence':
      for (const item of field.content) {
        if (!isText(item)) throw buildError('invalid value type expect a string');
        write(item, expand);
      }
      return;
    default:
      throw buildError(`invalid type encountered ${field.kind}`);
  }
}

function isText(node: YamlNode): boolean {
  return node.kind === 'scalar' && (node.tag === TAG_STR || node.tag === '');
}

function write(node: YamlNode, expand: (name: string) => Primitive): void {
  const value = substitute(node.value, expand);
  node.value = String(value);
  node.style = node.value.includes('\n') ? { scalar: 'literal' } : plainStyle;
  switch (typeof value) {
    case 'string':
      node.tag = TAG_STR;
      break;
    case 'boolean':
      node.tag = '!!bool';
      break;
    case 'bigint':
      node.tag = '!!int';
      break;
    default:
      node.tag = Number.isInteger(value) ? '!!int' : '!!float';
  }
}

/** Expands a text; one that is a single reference takes the value's type. */
function substitute(text: string, expand: (name: string) => Primitive): Primitive {
  let result = '';
  let rest = 0;
  for (let at = 0; at + 1 < text.length; at++) {
    if (text[at] !== '$') continue;
    result += text.slice(rest, at);
    const next = text[at + 1];
    const close = next === '(' ? text.indexOf(')', at + 2) : -1;
    if (close >= 0) {
      const name = text.slice(at + 2, close);
      const value = expand(name);
      if (text === `$(${name})`) return value;
      result += String(value);
      at = close;
    } else {
      // `$$` is a dollar sign; anything else stays as it is.
      result += next === '$' ? '$' : `$${next}`;
      at += 1;
    }
    rest = at + 1;
  }
  return result + text.slice(rest);
}
