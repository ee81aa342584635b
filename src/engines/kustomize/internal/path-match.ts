// Owns the field paths of replacement targets: names, indexes, `*`, `[key=pattern]`, creation of what is missing, and
// paths that go on inside a text that is YAML itself.
import { createNode, type NodeKind, type YamlNode } from '../../../lib/goyaml/node.ts';
import { compileRegexp } from '../../../lib/regexp.ts';
import { buildError, wrapError } from '../errors.ts';
import {
  elementsOf,
  fieldOf,
  getField,
  indexOfPart,
  isListSelector,
  kindForNext,
  requireKind,
  scalarNode,
  setField,
  splitListSelector,
} from './node.ts';
import { nodeText, parseNode } from './yaml.ts';

/** Nodes that a path means; undefined when the way is not there. `create` is the kind of what is made at its end. */
export function matchPath(
  node: YamlNode | undefined,
  path: readonly string[],
  create: NodeKind | undefined,
): readonly YamlNode[] | undefined {
  if (path.length === 0) return node === undefined ? [] : [node];
  const part = path[0]!;
  const index = indexOfPart(part);
  if (index !== undefined && index >= 0) return matchIndex(node, index, path, create);
  if (isListSelector(part)) return matchSelector(node, path, create, true);
  if (part === '*') return matchEvery(elementsOf(node), path.slice(1), create);
  return matchField(node, path, create);
}

function matchEvery(
  elements: readonly YamlNode[],
  rest: readonly string[],
  create: NodeKind | undefined,
): readonly YamlNode[] | undefined {
  let found: YamlNode[] | undefined;
  for (const element of elements) {
    const inner = matchPath(element, rest, create);
    if (inner !== undefined) found = [...(found ?? []), ...inner];
  }
  return found;
}

function matchField(
  node: YamlNode | undefined,
  path: readonly string[],
  create: NodeKind | undefined,
): readonly YamlNode[] | undefined {
  const name = path[0]!;
  let field = getField(node, name);
  if (field === undefined) {
    if (create === undefined) return undefined;
    field = createNode(kindForNext(path[1] ?? '', create));
    if (node !== undefined) setField(node, name, field);
  }
  if (field.kind === 'scalar' && path.length > 1) {
    return matchPath(parseNode(field.value) ?? createNode('document'), path.slice(1), create);
  }
  return matchPath(field, path.slice(1), create);
}

function matchIndex(
  node: YamlNode | undefined,
  index: number,
  path: readonly string[],
  create: NodeKind | undefined,
): readonly YamlNode[] | undefined {
  const elements = elementsOf(node);
  if (elements.length === index && create !== undefined && node !== undefined) {
    node.content = [...node.content, createNode(kindForNext(path[1] ?? '', create))];
  }
  const element = elementsOf(node)[index];
  if (element === undefined) {
    throw buildError(`index ${index} specified but only ${elements.length} elements found`);
  }
  return matchPath(element, path.slice(1), create);
}

function matchSelector(
  node: YamlNode | undefined,
  path: readonly string[],
  create: NodeKind | undefined,
  mayCreate: boolean,
): readonly YamlNode[] | undefined {
  const { name, value: pattern } = splitListSelector(path[0]!);
  const elements = elementsOf(node);
  const compiled = elements.length === 0 ? undefined : compileRegexp(pattern);
  let found: YamlNode[] | undefined;
  for (const element of elements) {
    const text = name === '' ? element : fieldOf(element, name);
    if (text === undefined || !compiled!.test(nodeText(text).trim())) continue;
    const inner = name === '' ? [element] : matchPath(element, path.slice(1), create);
    if (inner !== undefined) found = [...(found ?? []), ...inner];
  }
  if (found !== undefined && found.length === 0) found = undefined;
  if (found !== undefined || create === undefined || !mayCreate || node === undefined) return found;
  appendSelected(node, name, pattern);
  return matchSelector(node, path, create, false);
}

function appendSelected(list: YamlNode, name: string, value: string): void {
  const element =
    name === '' ? scalarNode(value) : createNode('mapping', '', '', [scalarNode(name), scalarNode(value)]);
  try {
    requireKind(list, 'sequence');
  } catch (error) {
    throw wrapError(error, `failed to create element for "[${name}=${value}]"`);
  }
  list.content = [...list.content, element];
}
