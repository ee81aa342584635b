// Owns expanding anchors, aliases and merge keys in nodes that were read, with limits on what they may grow to.
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { buildError } from '../errors.ts';
import { copyNode } from './node.ts';

/** Nodes that the aliases of one document may make together. */
const MAX_EXPANDED = 400_000;

interface Budget {
  left: number;
}

/** The node without anchors, aliases and merge keys; changed in place where it has any. */
export function expandAnchors(node: YamlNode): YamlNode {
  return hasAnchors(node) ? expand(node, { left: MAX_EXPANDED }, new Set()) : node;
}

function hasAnchors(node: YamlNode): boolean {
  if (node.anchor !== '' || node.kind === 'alias' || node.tag === '!!merge') return true;
  return node.content.some(hasAnchors);
}

function expand(node: YamlNode, budget: Budget, open: Set<YamlNode>): YamlNode {
  node.anchor = '';
  switch (node.kind) {
    case 'scalar':
      return node;
    case 'alias': {
      const target = node.alias!;
      if (open.has(target)) throw buildError(`anchor '${node.value}' value contains itself`, 'ResourceInvalid');
      return spend(copyNode(expand(target, budget, open)), budget);
    }
    default: {
      open.add(node);
      if (node.kind === 'mapping') mergeKeys(node, budget);
      node.content = node.content.map((child) => expand(child, budget, open));
      open.delete(node);
      return node;
    }
  }
}

function spend(node: YamlNode, budget: Budget): YamlNode {
  budget.left -= 1;
  if (budget.left < 0) throw buildError('document contains excessive aliasing', 'ResourceInvalid');
  for (const child of node.content) spend(child, budget);
  return node;
}

/** Replaces `<<` by the fields it brings; own fields win, of several merged maps the first. */
function mergeKeys(node: YamlNode, budget: Budget): void {
  const at = node.content.findIndex((key, i) => i % 2 === 0 && key.tag === '!!merge');
  if (at < 0) return;
  if (node.content.some((key, i) => i % 2 === 0 && i !== at && key.tag === '!!merge')) {
    throw buildError('duplicate merge key', 'ResourceInvalid');
  }
  const sources = mergedMaps(node.content[at + 1]!);
  const own = node.content.filter((_child, i) => i !== at && i !== at + 1);
  const fields = new Map<string, readonly [YamlNode, YamlNode]>();
  const add = (content: readonly YamlNode[]): void => {
    for (let i = 0; i < content.length; i += 2) fields.set(content[i]!.value, [content[i]!, content[i + 1]!]);
  };
  for (const source of sources) add(spend(copyNode(source), budget).content);
  // Double keys are found out later, when the object is written.
  add(own);
  const repeated = own.filter((key, i) => i % 2 === 0 && fields.get(key.value)![0] !== key);
  node.content = [...fields.values()].flat();
  if (repeated.length > 0) node.content.push(...repeated.flatMap((key) => [key, own[own.indexOf(key) + 1]!]));
}

/** Maps that a merge key brings, the weakest first. */
function mergedMaps(value: YamlNode): readonly YamlNode[] {
  switch (value.kind) {
    case 'mapping':
      return [value];
    case 'alias':
      if (value.alias!.kind !== 'mapping') {
        throw buildError('invalid map merge: received alias for a non-map value', 'ResourceInvalid');
      }
      return [value.alias!];
    case 'sequence': {
      const maps: YamlNode[] = [];
      for (const item of value.content) {
        if (item.kind === 'sequence')
          throw buildError('invalid map merge: received a nested sequence', 'ResourceInvalid');
        maps.unshift(...mergedMaps(item));
      }
      return maps;
    }
    default:
      throw buildError('map merge requires map or sequence of maps as the value', 'ResourceInvalid');
  }
}
