// Owns reading and editing single YAML nodes with the reference's rules (kyaml): what counts as missing, how a field
// is looked up, created, set and cleared. Walking whole field specs is fieldspec.ts, merging is merge.ts.
import { createNode, type NodeKind, plainStyle, type YamlNode } from '../../../lib/goyaml/node.ts';
import { BuildError, buildError } from '../errors.ts';
import { isYaml11NonString, nodeText } from './yaml.ts';

export const TAG_NULL = '!!null';
export const TAG_STR = '!!str';
const KIND_NAMES: Readonly<Record<NodeKind, string>> = {
  document: 'DocumentNode',
  mapping: 'MappingNode',
  sequence: 'SequenceNode',
  scalar: 'ScalarNode',
  alias: 'AliasNode',
};

/** Missing, or tagged as null. */
export function isNull(node: YamlNode | undefined): boolean {
  return node === undefined || node.tag === TAG_NULL;
}

/** Missing, null, or a map or list without content. */
export function isNilOrEmpty(node: YamlNode | undefined): boolean {
  if (node === undefined || node.tag === TAG_NULL) return true;
  return (node.kind === 'mapping' || node.kind === 'sequence') && node.content.length === 0;
}

export function isEmptyMap(node: YamlNode | undefined): boolean {
  return node === undefined || node.tag === TAG_NULL || (node.kind === 'mapping' && node.content.length === 0);
}

/** Text of a node; '' for none and for null. */
export function nodeValue(node: YamlNode | undefined): string {
  return isNull(node) ? '' : node!.value;
}

/** A scalar whose type its text decides. */
export function scalarNode(value: string): YamlNode {
  return createNode('scalar', '', value);
}

/** A scalar that stays a string whatever its text looks like. */
export function stringNode(value: string): YamlNode {
  return createNode('scalar', TAG_STR, value);
}

/** Deep copy; comments, styles and positions too. */
export function copyNode(node: YamlNode): YamlNode {
  return { ...node, content: node.content.length === 0 ? [] : node.content.map(copyNode) };
}

/** Makes `target` what `source` is, in place. Content is shared from then on, as the reference shares it. */
export function assignNode(target: YamlNode, source: YamlNode): void {
  if (target !== source) Object.assign(target, source);
}

/** Throws unless the node is of that kind; null and missing nodes pass. */
export function requireKind(node: YamlNode | undefined, kind: NodeKind): void {
  if (isNull(node) || node!.kind === kind) return;
  const actual = KIND_NAMES[node!.kind];
  const message = `wrong node kind: expected ${KIND_NAMES[kind]} but got ${actual}: node contents:\n${nodeText(node!)}`;
  throw new BuildError('WrongNodeKind', message, { actualKind: node!.kind });
}

function fieldIndex(content: readonly YamlNode[], name: string): number {
  for (let i = 0; i < content.length; i += 2) if (content[i]!.value === name) return i;
  return -1;
}

/** Value of a field of a map; undefined for anything that is no map. Of double keys the first counts. */
export function fieldOf(node: YamlNode | undefined, name: string): YamlNode | undefined {
  if (node === undefined || node.kind !== 'mapping') return undefined;
  const index = fieldIndex(node.content, name);
  return index < 0 ? undefined : node.content[index + 1];
}

/** Key node of a field, for its comments. */
export function keyOf(node: YamlNode | undefined, name: string): YamlNode | undefined {
  if (node === undefined || node.kind !== 'mapping') return undefined;
  const index = fieldIndex(node.content, name);
  return index < 0 ? undefined : node.content[index];
}

/** Value of a field; undefined when absent or under null. Throws when the node is no map. */
export function getField(node: YamlNode | undefined, name: string): YamlNode | undefined {
  if (isNull(node)) return undefined;
  if (node!.kind !== 'mapping') requireKind(node, 'mapping');
  const index = fieldIndex(node!.content, name);
  return index < 0 ? undefined : node!.content[index + 1];
}

/** Removes the first field of that name. */
export function clearField(node: YamlNode | undefined, name: string): void {
  if (node === undefined) return;
  requireKind(node, 'mapping');
  const index = fieldIndex(node.content, name);
  if (index < 0) return;
  // A new array: the content may be shared with the node this one was assigned from.
  node.content = node.content.filter((_child, at) => at !== index && at !== index + 1);
}

/** Removes a field that is there but has no content. */
function clearEmptyField(node: YamlNode | undefined, name: string): void {
  const value = getField(node, name);
  if (value !== undefined && value.content.length === 0) clearField(node, name);
}

function settleStyle(value: YamlNode | undefined): void {
  if (value?.kind !== 'scalar' || (value.tag !== '' && value.tag !== TAG_STR) || value.style !== plainStyle) return;
  if (isYaml11NonString(value.value)) value.style = { scalar: 'double' };
}

/**
 * Sets a field of a map. An existing value is overwritten in place and keeps its style, which can decide the type:
 * a quoted number stays quoted. A missing or null value clears the field, unless `keepNull`.
 * Answers the node that now stands there.
 */
export function setField(
  node: YamlNode,
  name: string,
  value: YamlNode | undefined,
  keepNull = false,
): YamlNode | undefined {
  settleStyle(value);
  if (value === undefined || (value.tag === TAG_NULL && !keepNull)) {
    clearField(node, name);
    return undefined;
  }
  const field = getField(node, name);
  if (field !== undefined) {
    value.style = field.style;
    assignNode(field, value);
    return field;
  }
  node.content = [...node.content, createNode('scalar', '', name), value];
  return value;
}

/** Overwrites a scalar in place; its style stays. */
export function setScalar(node: YamlNode, value: YamlNode): void {
  settleStyle(value);
  requireKind(node, 'scalar');
  if (isNull(value)) return;
  value.style = node.style;
  assignNode(node, value);
}

/** A name that is nothing but a field's; spares the hot paths the question what a part may be. */
const FIELD_NAME = /^[A-Za-z][\w./-]*$/;
const LIST_INDEX = /^\[.*\]$/s;
const GO_INT = /^[+-]?\d+$/;

/** True for a path part that selects list elements by a field: `[name=x]`. */
export function isListSelector(part: string): boolean {
  return LIST_INDEX.test(part);
}

/** The number a path part stands for, as Go's Atoi reads it; undefined when it is none. */
export function indexOfPart(part: string): number | undefined {
  if (!GO_INT.test(part)) return undefined;
  const index = Number(part);
  return Number.isSafeInteger(index) ? index : undefined;
}

/** `[name=x]` → name and value. */
export function splitListSelector(part: string): { readonly name: string; readonly value: string } {
  const inner = part.replace(/\]$/, '').replace(/^\[/, '');
  const equals = inner.indexOf('=');
  if (equals < 0) throw buildError('list path element must contain fieldName=fieldValue for element to match');
  return { name: inner.slice(0, equals), value: inner.slice(equals + 1) };
}

/** Kind of node to make for a path part, judged by the part behind it. */
export function kindForNext(next: string, last: NodeKind): NodeKind {
  if (next === '') return last;
  const index = indexOfPart(next);
  return isListSelector(next) || (index !== undefined && index >= 0) ? 'sequence' : 'mapping';
}

/** Elements of a list; throws when the node is something else, none under null. */
export function elementsOf(node: YamlNode | undefined): readonly YamlNode[] {
  if (node === undefined) return [];
  requireKind(node, 'sequence');
  return node.content;
}

/** First element that is a map and has that value in that field. */
function findElement(list: YamlNode, name: string, value: string): YamlNode | undefined {
  requireKind(list, 'sequence');
  if (name === '') return list.content.find((element) => element.value === value);
  return list.content.find((element) => fieldOf(element, name)?.value === value);
}

function lookupPart(node: YamlNode, part: string, next: string, create: NodeKind | undefined): YamlNode | undefined {
  if (FIELD_NAME.test(part)) return lookupField(node, part, next, create);
  const index = part === '-' ? -1 : indexOfPart(part);
  if (index !== undefined) {
    if (index < 0 && part !== '-') throw buildError(`array index ${index} cannot be negative`);
    const elements = elementsOf(node);
    return index < 0 ? elements.at(-1) : elements[index];
  }
  if (part === '*') throw buildError('wildcard is not supported in PathGetter');
  if (isListSelector(part)) {
    const { name, value } = splitListSelector(part);
    const found = findElement(node, name, value);
    if (found !== undefined || create === undefined) return found;
    const element =
      name === '' ? scalarNode(value) : createNode('mapping', '', '', [scalarNode(name), scalarNode(value)]);
    node.content = [...node.content, element];
    return element;
  }
  return lookupField(node, part, next, create);
}

function lookupField(node: YamlNode, name: string, next: string, create: NodeKind | undefined): YamlNode | undefined {
  const field = getField(node, name);
  if (field !== undefined || create === undefined || isNull(node)) return field;
  return setField(node, name, createNode(kindForNext(next, create)));
}

/** Follows a path of field names, indexes and list selectors; undefined where something is missing. */
export function lookup(node: YamlNode | undefined, path: readonly string[]): YamlNode | undefined {
  return lookupCreate(node, path, undefined);
}

/** Follows a path and makes what is missing; the last part becomes a node of kind `create`. */
export function lookupCreate(
  node: YamlNode | undefined,
  path: readonly string[],
  create: NodeKind | undefined,
): YamlNode | undefined {
  let current = node;
  const parts = path.every((part) => FIELD_NAME.test(part))
    ? path
    : path.map((part) => part.trim()).filter((part) => part !== '');
  for (let i = 0; i < parts.length && current !== undefined; i++) {
    current = lookupPart(current, parts[i]!, parts[i + 1] ?? '', create);
  }
  return current;
}

/** One field that is there or is made; undefined under null. The name may still be an index or a list selector. */
export function fieldOrCreate(node: YamlNode, name: string, create: NodeKind | undefined): YamlNode | undefined {
  if (!FIELD_NAME.test(name)) return lookupCreate(node, [name], create);
  const field = getField(node, name);
  if (field !== undefined || create === undefined || isNull(node)) return field;
  return setField(node, name, createNode(create));
}

/** Sets `metadata.<field>.<key>` to a string, after removing empty annotations and metadata as the reference does. */
export function setMetadataEntry(root: YamlNode, field: 'labels' | 'annotations', key: string, value: string): void {
  if (field === 'annotations') {
    clearEmptyField(getField(root, 'metadata'), 'annotations');
    clearEmptyField(root, 'metadata');
  }
  const map = lookupCreate(root, ['metadata', field], 'mapping');
  if (map !== undefined) setField(map, key, stringNode(value));
}

/** Splits a path at the delimiter; a backslash before it makes it literal. A leading delimiter is dropped. */
export function splitPath(path: string, delimiter: string): string[] {
  const raw = path.split(delimiter);
  if (raw.length > 1 && raw[0] === '') raw.shift();
  const parts = [raw[0]!];
  for (const piece of raw.slice(1)) {
    const last = parts.at(-1)!;
    if (last.endsWith('\\')) parts[parts.length - 1] = last.slice(0, -1) + delimiter + piece;
    else parts.push(piece);
  }
  return parts;
}

/** As `splitPath`, but keeps `[key=a.b]` together and turns `[a.b]` into the key `a.b`. */
export function splitBracketPath(path: string, delimiter: string): string[] {
  const parts = splitPath(path, delimiter);
  const result: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (!part.startsWith('[') || part.endsWith(']')) {
      result.push(part);
      continue;
    }
    const pieces = [part];
    while (i < parts.length - 1) {
      i += 1;
      pieces.push(parts[i]!);
      if (parts[i]!.endsWith(']')) break;
    }
    const joined = pieces.join(delimiter);
    result.push(joined.includes('=') ? joined : joined.replace(/^[[\]]+|[[\]]+$/g, ''));
  }
  return result;
}
