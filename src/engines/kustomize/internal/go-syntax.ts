// Owns Go's `%#v` of decoded YAML maps, which one error shows in front of its message.

import { goQuote } from '../../../lib/goquote.ts';
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { resolveScalar } from '../../../lib/goyaml/resolve.ts';
import { compareText } from './resid.ts';
import { formatGoFloat } from './yaml.ts';

const NIL_MAP = 'map[string]interface {}(nil)';

/** The map as Go syntax; a nil map when it cannot be decoded (a key stands there twice). */
export function formatGoMap(node: YamlNode): string {
  const root = node.kind === 'document' ? node.content[0]! : node;
  if (hasDoubleKey(root)) return NIL_MAP;
  return formatMap(root, true);
}

function hasDoubleKey(node: YamlNode): boolean {
  if (node.kind === 'mapping') {
    const keys = new Set<string>();
    for (let i = 0; i < node.content.length; i += 2) {
      const key = `${node.content[i]!.tag} ${node.content[i]!.value}`;
      if (keys.has(key)) return true;
      keys.add(key);
    }
  }
  return node.content.some(hasDoubleKey);
}

function scalarOf(node: YamlNode): ReturnType<typeof resolveScalar> {
  const tag = node.style.scalar !== undefined && node.tag === '' ? '!!str' : node.tag;
  return resolveScalar(tag, node.value, 'v3');
}

function formatMap(node: YamlNode, top: boolean): string {
  const entries: { readonly rank: number; readonly sort: string; readonly text: string }[] = [];
  let allStrings = true;
  for (let i = 0; i < node.content.length; i += 2) {
    const key = node.content[i]!;
    const { value } = scalarOf(key);
    const isString = typeof value === 'string';
    allStrings &&= isString;
    const text = isString || top ? goQuote(key.value) : formatScalar(key);
    // Go sorts keys of mixed types by type first, strings before numbers.
    const rank = isString || top ? 0 : 1;
    entries.push({
      rank,
      sort: rank === 0 ? key.value : String(value).padStart(20, '0'),
      text: `${text}:${formatValue(node.content[i + 1]!)}`,
    });
  }
  entries.sort((a, b) => a.rank - b.rank || compareText(a.sort, b.sort));
  const type = top || allStrings ? 'map[string]interface {}' : 'map[interface {}]interface {}';
  return `${type}{${entries.map((entry) => entry.text).join(', ')}}`;
}

function formatValue(node: YamlNode): string {
  switch (node.kind) {
    case 'mapping':
      return formatMap(node, false);
    case 'sequence':
      return `[]interface {}{${node.content.map(formatValue).join(', ')}}`;
    default:
      return formatScalar(node);
  }
}

function formatScalar(node: YamlNode): string {
  const { tag, value } = scalarOf(node);
  switch (typeof value) {
    case 'string':
      return goQuote(value);
    case 'number':
      return tag === '!!float' ? formatGoFloat(value) : String(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    default:
      return 'interface {}(nil)';
  }
}
