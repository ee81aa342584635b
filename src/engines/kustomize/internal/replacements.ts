// Owns the replacement transformer: taking a value from one object and writing it to fields of others.

import { goQuote } from '../../../lib/goquote.ts';
import type { NodeKind, YamlNode } from '../../../lib/goyaml/node.ts';
import { buildError, wrapError } from '../errors.ts';
import { stringifyGoJson } from './go-json.ts';
import type {
  FieldOptions,
  ReplacementEntry,
  ReplacementSource,
  ReplacementTarget,
  Selector,
} from './kustomization-fields.ts';
import { assignNode, copyNode, isNilOrEmpty, lookup, nodeValue, scalarNode, splitBracketPath } from './node.ts';
import { matchPath } from './path-match.ts';
import { type CompiledSelector, compileSelector, isSelectedById } from './pattern.ts';
import { formatResId, type ResId } from './resid.ts';
import { type ResMap, touch } from './resmap.ts';
import { currentId, previousIds, type Resource } from './resource.ts';
import type { Transformer } from './transform.ts';
import { decodeNode, nodeText, parseNode } from './yaml.ts';

const DEFAULT_FIELD = 'metadata.name';

/** Applies replacements in order; each sees what the one before it did. */
export function replacementTransformer(entries: readonly ReplacementEntry[]): Transformer {
  return (map) => {
    for (const entry of entries) {
      if ((entry.source === undefined && entry.sourceValue === undefined) || entry.targets === undefined) {
        throw buildError('replacements must specify a source and at least one target');
      }
      const value = sourceValue(map, entry);
      for (const target of entry.targets) applyToTarget(map, value, target);
      touch(map);
    }
  };
}

/** Ids for replacements: the scope of a type is not asked, so an empty namespace always counts as `default`. */
function idsOf(resource: Resource): readonly ResId[] {
  return [{ ...currentId(resource), clusterScoped: false }, ...previousIds(resource.node)];
}

function sourceValue(map: ResMap, { source, sourceValue }: ReplacementEntry): YamlNode {
  if (source === undefined) return scalarNode(sourceValue!);
  if (sourceValue !== undefined) throw buildError('value and resource selectors are mutually exclusive');
  const resource = selectSource(map, source);
  const fieldPath = source.fieldPath || DEFAULT_FIELD;
  let node: YamlNode | undefined;
  try {
    node = lookup(resource.node, splitBracketPath(fieldPath, '.'));
  } catch (error) {
    throw wrapError(error, 'error looking up replacement source');
  }
  if (isNilOrEmpty(node)) {
    throw buildError(`fieldPath \`${fieldPath}\` is missing for replacement source ${formatResId(source)}`);
  }
  return refineValue(node!, source.options);
}

function selectSource(map: ResMap, source: ReplacementSource): Resource {
  let selected: Resource | undefined;
  for (const resource of map.resources) {
    if (!idsOf(resource).some((id) => isSelectedById(id, source))) continue;
    if (selected !== undefined) throw buildError(`multiple matches for selector ${formatSource(source)}`);
    selected = resource;
  }
  if (selected === undefined) throw buildError(`nothing selected by ${formatSource(source)}`);
  return selected;
}

function formatSource(source: ReplacementSource): string {
  const { options } = source;
  const parts = [formatResId(source)];
  if (source.fieldPath !== '') parts.push(source.fieldPath);
  if (options !== undefined && (options.delimiter !== '' || options.create)) {
    parts.push(`${options.delimiter}(${options.index}), create=${options.create}`);
  }
  return parts.join(':');
}

/** Go's strings.Split: an empty text has one part. */
function splitValue(text: string, delimiter: string): string[] {
  return text.split(delimiter);
}

function refineValue(node: YamlNode, options: FieldOptions | undefined): YamlNode {
  if (options === undefined || options.delimiter === '') return node;
  requireScalar(node);
  const parts = splitValue(nodeValue(node), options.delimiter);
  const { index } = options;
  if (index < 0n || index >= BigInt(parts.length)) {
    throw buildError(`options.index ${index} is out of bounds for value ${nodeValue(node)}`);
  }
  return { ...copyNode(node), value: parts[Number(index)]! };
}

function requireScalar(node: YamlNode): void {
  if (node.kind !== 'scalar') throw buildError('delimiter option can only be used with scalar nodes');
}

interface Rejection {
  readonly selector: Selector;
  readonly compiled: CompiledSelector;
}

function hasMetadataSelector(selector: Selector): boolean {
  return selector.annotationSelector !== '' || selector.labelSelector !== '';
}

function hasId(selector: Selector): boolean {
  const { group, version, kind, name, namespace } = selector;
  return `${group}${version}${kind}${name}${namespace}` !== '';
}

function applyToTarget(map: ResMap, value: YamlNode, target: ReplacementTarget): void {
  if (target.select === undefined) throw buildError('target must specify resources to select');
  let select: CompiledSelector;
  let rejections: readonly Rejection[];
  try {
    select = compileSelector(target.select);
    rejections = target.reject.flatMap((one) =>
      one === undefined ? [] : [{ selector: one, compiled: compileSelector(one) }],
    );
  } catch (error) {
    throw wrapError(error, 'error creating target selector');
  }
  const matchesId = (compiled: CompiledSelector, id: ResId): boolean =>
    compiled.gvk(id) && compiled.name(id.name) && compiled.namespace(id.namespace);
  for (const resource of map.resources) {
    if (!select.metadata(resource)) continue;
    if (rejections.some((one) => hasMetadataSelector(one.selector) && one.compiled.metadata(resource))) continue;
    const ids = idsOf(resource);
    if (rejections.some((one) => hasId(one.selector) && ids.some((id) => matchesId(one.compiled, id)))) continue;
    if (ids.some((id) => matchesId(select, id))) writeFields(resource.node!, value, target);
  }
}

function writeFields(root: YamlNode, value: YamlNode, target: ReplacementTarget): void {
  const fieldPaths = target.fieldPaths.length === 0 ? [DEFAULT_FIELD] : target.fieldPaths;
  const create = target.options?.create === true ? value.kind : undefined;
  for (const fieldPath of fieldPaths) {
    const path = splitBracketPath(fieldPath, '.');
    if (writeStructured(root, value, path, create)) continue;
    const missing = `unable to find ${create === undefined ? '' : 'or create '}field ${goQuote(fieldPath)} in replacement target`;
    let fields: readonly YamlNode[] | undefined;
    try {
      fields = matchPath(root, path, create);
    } catch (error) {
      throw wrapError(error, missing);
    }
    if (fields === undefined || fields.length === 0) throw buildError(missing);
    for (const field of fields) writeField(field, value, target.options);
  }
}

function writeField(field: YamlNode, value: YamlNode, options: FieldOptions | undefined): void {
  const written = copyNode(value);
  if (options !== undefined && options.delimiter !== '') {
    requireScalar(field);
    const parts = splitValue(field.value, options.delimiter);
    const text = nodeValue(written);
    if (options.index < 0n) parts.unshift(text);
    else if (options.index >= BigInt(parts.length)) parts.push(text);
    else parts[Number(options.index)] = text;
    written.value = parts.join(options.delimiter);
  }
  overwrite(field, written);
}

/** A scalar keeps its type and quotes and gets the other's text; everything else is replaced whole. */
function overwrite(field: YamlNode, value: YamlNode): void {
  if (field.kind === 'scalar') field.value = value.value;
  else assignNode(field, value);
}

/** Writes inside a text that is YAML itself; false when the path leads into none, or anything fails on the way. */
function writeStructured(
  root: YamlNode,
  value: YamlNode,
  path: readonly string[],
  create: NodeKind | undefined,
): boolean {
  for (let length = 1; length < path.length; length++) {
    const scalar = tryOr(undefined, () => lookup(root, path.slice(0, length)));
    if (scalar?.kind !== 'scalar') continue;
    const inner = tryOr(undefined, () => parseNode(scalar.value));
    if (inner === undefined) continue;
    return tryOr(false, () => {
      const fields = matchPath(inner, path.slice(length), create);
      if (fields === undefined || fields.length === 0) return false;
      for (const field of fields) overwrite(field, value);
      scalar.value = serialize(inner, scalar.value);
      return true;
    });
  }
  return false;
}

function tryOr<T>(fallback: T, work: () => T): T {
  try {
    return work();
  } catch {
    return fallback;
  }
}

/** JSON stays JSON, indented when it was; all else is YAML. */
function serialize(node: YamlNode, original: string): string {
  const text = nodeText(node);
  if (!/^\s*[{[]/.test(original)) return text.trim();
  const again = parseNode(text);
  const value = again === undefined ? null : decodeNode(again);
  return stringifyGoJson(value, original.includes('\n') && original.includes('  ') ? '  ' : '');
}
