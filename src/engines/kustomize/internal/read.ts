// Owns reading resource files: splitting documents, expanding anchors, inlining lists, and refusing what is no object.
import { errorMessage } from '../../../lib/errors.ts';
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { type JsonValue, stringifyJson } from '../../../lib/json.ts';
import { buildError, withPrefix, wrapError } from '../errors.ts';
import { expandAnchors } from './anchors.ts';
import { fieldOf, isNilOrEmpty, isNull, nodeValue } from './node.ts';
import { createResource, type Resource } from './resource.ts';
import type { Scopes } from './scope.ts';
import { decodeYamlText } from './utf8.ts';
import { decodeNode, parseNode } from './yaml.ts';

/** Reads all objects of a YAML text. Throws with the reference's text, without the file's name. */
export function readResources(text: string, scopes: Scopes): Resource[] {
  const nodes = dropBad(readNodes(text));
  return inlineLists(nodes).map((node) => createResource(node, scopes));
}

/** As `readResources` from the bytes of a file, naming it where the reference does. */
export function readResourceFile(bytes: Uint8Array, path: string, scopes: Scopes): Resource[] {
  try {
    const text = withPrefix('MalformedYAMLError', () => decodeYamlText(bytes));
    return readResources(text, scopes);
  } catch (error) {
    const message = errorMessage(error);
    if (/error converting YAML to JSON|error unmarshaling JSON/.test(message)) {
      throw buildError(`YAML file [${path}] encounters a format error.\n${message}\n`, 'ResourceInvalid');
    }
    if (isMalformedYaml(error)) throw buildError(`${message} in File: ${path}`, 'ResourceInvalid');
    throw error;
  }
}

/** True for faults of the YAML text itself. */
export function isMalformedYaml(error: unknown): boolean {
  return errorMessage(error).includes('MalformedYAMLError');
}

const SEPARATOR = /\n---[^\n]*\n/g;

/** Documents of a text; a separator must begin a line, and only a comment may follow it. */
function splitDocuments(text: string): string[] {
  if (text === '') return [];
  if (!text.includes('\n---')) return [text];
  const documents: string[] = [];
  let previous = 0;
  for (const match of text.matchAll(SEPARATOR)) {
    const rest = match[0].slice(4).trim();
    if (rest !== '' && !rest.startsWith('#')) throw buildError(`invalid document separator: ${match[0].trim()}`);
    documents.push(`${text.slice(previous, match.index)}\n`);
    previous = match.index + match[0].length;
  }
  documents.push(text.slice(previous));
  return documents;
}

function readNodes(text: string): YamlNode[] {
  const documents = splitDocuments(text.includes('\r') ? text.replaceAll('\r\n', '\n') : text);
  const nodes: YamlNode[] = [];
  for (const document of documents) {
    const node = parseDocument(document);
    if (isNull(node)) continue;
    requireDepth(node!, 0);
    const items = documents.length === 1 ? wrappedItems(node!) : undefined;
    if (items === undefined) nodes.push(node!);
    else nodes.push(...items);
  }
  return nodes.map(expandAnchors);
}

function parseDocument(text: string): YamlNode | undefined {
  try {
    return parseNode(text);
  } catch (error) {
    throw wrapError(error, 'MalformedYAMLError');
  }
}

/** Items of a `List` or `ResourceList` that is alone in its file. */
function wrappedItems(node: YamlNode): readonly YamlNode[] | undefined {
  const kind = nodeValue(fieldOf(node, 'kind'));
  if (kind !== 'List' && kind !== 'ResourceList') return undefined;
  const items = fieldOf(node, 'items');
  if (items === undefined && fieldOf(node, 'functionConfig') === undefined) return undefined;
  return items?.content ?? [];
}

function dropBad(nodes: readonly YamlNode[]): YamlNode[] {
  const result: YamlNode[] = [];
  for (const node of nodes) {
    if (isNilOrEmpty(node)) continue;
    validate(node);
    result.push(node);
  }
  return result;
}

/** No manifest is nested as deeply as this; walks over deeper ones would exhaust the stack. */
const MAX_DEPTH = 500;

function requireDepth(node: YamlNode, depth: number): void {
  if (depth > MAX_DEPTH) throw buildError(`object is nested more than ${MAX_DEPTH} levels deep`, 'ResourceInvalid');
  for (const child of node.content) if (child.content.length > 0) requireDepth(child, depth + 1);
}

/** Refuses what has no kind, or no name where it needs one. */
export function validate(node: YamlNode): void {
  const known = ['apiVersion', 'kind'].some((field) => !isNilOrEmpty(fieldOf(node, field)));
  const metadata = fieldOf(node, 'metadata');
  const described = ['name', 'namespace', 'labels', 'annotations'].some(
    (field) => !isNilOrEmpty(metadata) && !isNilOrEmpty(fieldOf(metadata, field)),
  );
  if (!known && !described) throw buildError('missing Resource metadata', 'ResourceInvalid');
  const kind = fieldText(node, 'kind');
  if (kind === '') throw buildError(`missing kind in object ${formatMeta(node)}`, 'ResourceInvalid');
  if (kind.endsWith('List')) return;
  if (fieldText(isNilOrEmpty(metadata) ? undefined : metadata, 'name') === '') {
    throw buildError(`missing metadata.name in object ${formatMeta(node)}`, 'ResourceInvalid');
  }
}

function fieldText(node: YamlNode | undefined, field: string): string {
  const value = fieldOf(node, field);
  return isNilOrEmpty(value) ? '' : value!.value;
}

/** Go's `%v` of an object's type and metadata. */
function formatMeta(node: YamlNode): string {
  const metadata = fieldOf(node, 'metadata');
  const meta = isNilOrEmpty(metadata) ? undefined : metadata;
  const map = (field: string): string => {
    const value = fieldOf(meta, field);
    if (isNilOrEmpty(value) || value!.kind !== 'mapping') return 'map[]';
    const pairs = new Map<string, string>();
    const { content } = value!;
    for (let i = 0; i < content.length; i += 2) pairs.set(nodeValue(content[i]), nodeValue(content[i + 1]));
    return `map[${[...pairs.keys()]
      .sort()
      .map((key) => `${key}:${pairs.get(key)}`)
      .join(' ')}]`;
  };
  const names = `${fieldText(meta, 'name')} ${fieldText(meta, 'namespace')}`;
  return `{{${fieldText(node, 'apiVersion')} ${fieldText(node, 'kind')}} {{${names}} ${map('labels')} ${map('annotations')}}}`;
}

/** Puts the items of lists (`ConfigMapList`) behind all other objects, in the lists' place. */
function inlineLists(nodes: readonly YamlNode[]): YamlNode[] {
  const result: YamlNode[] = [];
  const queue = [...nodes];
  for (let next = 0; next < queue.length; next++) {
    const node = queue[next]!;
    const kind = fieldOf(node, 'kind')?.value ?? '';
    const items = kind.endsWith('List') ? fieldOf(node, 'items') : undefined;
    if (items === undefined) {
      result.push(node);
      continue;
    }
    if (isNull(items)) continue;
    if (items.kind !== 'sequence') {
      throw buildError(`expected array in ${kind}/items, but found ${goTypeOf(decodeNode(items))}`, 'ResourceInvalid');
    }
    // The reference sends items through JSON, so that numbers and styles come out as that leaves them.
    for (const item of items.content) queue.push(...dropBad(wrappedInList(item)));
  }
  return result;
}

function wrappedInList(item: YamlNode): readonly YamlNode[] {
  const node = parseNode(stringifyJson(decodeNode(item)));
  if (isNull(node)) return [];
  return wrappedItems(node!) ?? [node!];
}

function goTypeOf(value: JsonValue): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float64';
    case 'bigint':
      return value > 0x7fffffffffffffffn ? 'uint64' : 'int';
    default:
      return 'map[string]interface {}';
  }
}
