// Owns the way between yaml.v3 nodes and JSON values, as kyaml goes it. sigs.k8s.io/yaml's way is sigs.ts.
import type { JsonValue } from '../json.ts';
import { isJsonObject } from '../json.ts';
import { decodeNode } from './internal/decode.ts';
import { formatNumber } from './internal/number.ts';
import { compareKeysV3 } from './internal/sort.ts';
import { textStyle } from './internal/text-style.ts';
import { createNode, type NodeStyle, type YamlNode } from './node.ts';

/**
 * The JSON value of a node (a document: of its root), with aliases expanded and `<<` merged.
 * Keys of the root map become text; below, other keys than strings are refused. Timestamps become RFC 3339 text.
 * Throws YamlError: duplicate keys (all of them, `yaml: unmarshal errors:`), excessive aliasing, `json: unsupported …`.
 */
export function nodeToValue(node: YamlNode): JsonValue {
  return decodeNode(node, { dialect: 'v3' });
}

const doubleStyle: NodeStyle = Object.freeze({ scalar: 'double' });
const literalStyle: NodeStyle = Object.freeze({ scalar: 'literal' });

/** A node for a text, with the style that yaml.v3 writes it in. */
export function textToNode(text: string): YamlNode {
  const node = createNode('scalar', '!!str', text);
  const style = textStyle(text, 'v3');
  if (style !== 'plain') node.style = style === 'literal' ? literalStyle : doubleStyle;
  return node;
}

/**
 * A node for a JSON value, as yaml.v3 would write and read it.
 * @param options.sortKeys false keeps the object's own order. @default true, Go's order
 */
export function valueToNode(value: JsonValue, options: { sortKeys?: boolean } = {}): YamlNode {
  const sorted = options.sortKeys !== false;
  const root = shallowNode(value);
  const todo: [JsonValue, YamlNode][] = [[value, root]];
  for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
    const [parent, node] = item;
    const add = (child: JsonValue): void => {
      const childNode = shallowNode(child);
      node.content.push(childNode);
      if (childNode.kind !== 'scalar') todo.push([child, childNode]);
    };
    if (isJsonObject(parent)) {
      const keys = Object.keys(parent);
      if (sorted) keys.sort(compareKeysV3);
      for (const key of keys) {
        node.content.push(textToNode(key));
        add(parent[key]!);
      }
    } else if (Array.isArray(parent)) {
      for (const child of parent as readonly JsonValue[]) add(child);
    }
  }
  return root;
}

/** A scalar, or a collection still empty. */
function shallowNode(value: JsonValue): YamlNode {
  switch (typeof value) {
    case 'string':
      return textToNode(value);
    case 'boolean':
      return createNode('scalar', '!!bool', String(value));
    case 'number':
    case 'bigint': {
      const { tag, text } = formatNumber(value);
      return createNode('scalar', tag, text);
    }
    default:
      if (value === null) return createNode('scalar', '!!null', 'null');
      return Array.isArray(value) ? createNode('sequence', '!!seq') : createNode('mapping', '!!map');
  }
}
