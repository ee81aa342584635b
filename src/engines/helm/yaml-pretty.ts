// Owns how Go values become YAML nodes when no JSON lies between: floats in Go's short form, structs by their fields'
// lower-cased names. Only toYamlPretty writes this way.

import { toValidText } from '../../lang/gotemplate/gostring.ts';
import { formatNumber } from '../../lang/gotemplate/strconv.ts';
import {
  GoError,
  GoInt,
  type GoMap,
  GoObject,
  type GoValue,
  listItems,
  sortedKeys,
} from '../../lang/gotemplate/value.ts';
import { toJson } from '../../lang/gotemplate/value-json.ts';
import { createNode, type YamlNode } from '../../lib/goyaml/node.ts';
import { textToNode, valueToNode } from '../../lib/goyaml/value.ts';
import type { JsonObject } from '../../lib/json.ts';
import { isYamlObject } from './objects.ts';

const MAX_DEPTH = 1000;

/** The YAML node of a value. Throws GoError when it is nested too deep. */
export function prettyNode(value: GoValue, depth = 0): YamlNode {
  if (depth > MAX_DEPTH) throw new GoError('yaml: value is nested too deep');
  switch (typeof value) {
    case 'string':
      return textToNode(toValidText(value));
    case 'number':
      return floatNode(value);
    case 'boolean':
      return createNode('scalar', '!!bool', String(value));
    case 'undefined':
      return nullNode();
    default:
      return compoundNode(value, depth);
  }
}

function compoundNode(value: Exclude<GoValue, string | number | boolean | undefined>, depth: number): YamlNode {
  if (value instanceof GoInt) return createNode('scalar', '!!int', value.value.toString());
  const items = listItems(value);
  if (items !== undefined) {
    return createNode(
      'sequence',
      '!!seq',
      '',
      items.map((item) => prettyNode(item, depth + 1)),
    );
  }
  if (value instanceof Map) {
    const keys = orderedKeys(value);
    return mapping(
      keys.map((key) => [key, value.get(key)]),
      depth,
    );
  }
  if (isYamlObject(value)) return mapping(value.yamlFields(), depth);
  return value instanceof GoObject ? valueToNode(toJson(value)) : nullNode();
}

function mapping(entries: readonly (readonly [string, GoValue])[], depth: number): YamlNode {
  const content = entries.flatMap(([key, item]) => [textToNode(toValidText(key)), prettyNode(item, depth + 1)]);
  return createNode('mapping', '!!map', '', content);
}

/** The order in which the YAML library writes keys, which it applies when it makes nodes of an object. */
function orderedKeys(map: GoMap): string[] {
  const names = Object.create(null) as JsonObject;
  for (const key of sortedKeys(map)) names[key] = null;
  return valueToNode(names)
    .content.filter((_, index) => index % 2 === 0)
    .map((node) => node.value);
}

function nullNode(): YamlNode {
  return createNode('scalar', '!!null', 'null');
}

/** Go writes whole floats without a point, so they read back as integers. */
function floatNode(value: number): YamlNode {
  if (Number.isNaN(value)) return createNode('scalar', '!!float', '.nan');
  if (!Number.isFinite(value)) return createNode('scalar', '!!float', value > 0 ? '.inf' : '-.inf');
  const text = formatNumber(value);
  return createNode('scalar', /^-?[0-9]+$/.test(text) ? '!!int' : '!!float', text);
}
