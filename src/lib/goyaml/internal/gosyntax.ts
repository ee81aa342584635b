// Owns the Go syntax (`%#v`) of decoded YAML, which Go puts into its errors about map keys.
import type { YamlNode } from '../node.ts';
import { type Dialect, type Resolved, resolveScalar } from '../resolve.ts';
import { decodeBinary } from './base64.ts';
import { formatFloat, quoteGo } from './goformat.ts';

const DEEPEST = 200;

/** A node as Go prints its decoded value. `inInterface` says that it is an element of `interface {}` type. */
export function goSyntax(node: YamlNode, dialect: Dialect, inInterface = false, depth = 0): string {
  if (depth > DEEPEST) return '...';
  switch (node.kind) {
    case 'alias':
      return goSyntax(node.alias!, dialect, inInterface, depth + 1);
    case 'document':
      return node.content[0] === undefined ? '<nil>' : goSyntax(node.content[0], dialect, inInterface, depth + 1);
    case 'sequence':
      return `[]interface {}{${node.content.map((item) => goSyntax(item, dialect, true, depth + 1)).join(', ')}}`;
    case 'mapping':
      return mapSyntax(node, dialect, depth);
    case 'scalar':
      return scalarSyntax(node, dialect, inInterface);
  }
}

/** A key's place in Go's order of printing. */
interface Entry {
  readonly rank: number;
  readonly value: Resolved['value'];
  readonly text: string;
}

function mapSyntax(node: YamlNode, dialect: Dialect, depth: number): string {
  const type = mapType(node, dialect);
  const entries = new Map<string, Entry>();
  for (let i = 0; i + 1 < node.content.length; i += 2) {
    const keyNode = node.content[i]!;
    const target = keyNode.kind === 'alias' ? keyNode.alias! : keyNode;
    const key = goSyntax(target, dialect, true, depth + 1);
    const { tag, value } = target.kind === 'scalar' ? resolveNode(target, dialect) : { tag: '', value: key };
    const text = `${key}:${goSyntax(node.content[i + 1]!, dialect, true, depth + 1)}`;
    entries.set(key, { rank: rankOf(tag, value), value, text });
  }
  const sorted = [...entries.values()].sort(compareEntries);
  return `${type}{${sorted.map((entry) => entry.text).join(', ')}}`;
}

/** The Go type that a map is decoded to. */
export function mapType(node: YamlNode, dialect: Dialect): string {
  const textKeys = dialect === 'v3' && node.content.every((key, i) => i % 2 === 1 || key.tag === '!!str');
  return textKeys ? 'map[string]interface {}' : 'map[interface {}]interface {}';
}

/** Go sorts keys by type first, and types by where its linker has put them. */
function rankOf(tag: string, value: Resolved['value']): number {
  if (value === null) return 0;
  if (typeof value === 'string') return 1;
  if (typeof value === 'bigint' && value >= 1n << 63n) return 2;
  return tag === '!!int' ? 3 : tag === '!!float' ? 4 : 5;
}

function compareEntries(a: Entry, b: Entry): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.value === b.value || a.value === null || b.value === null) return 0;
  return a.value < b.value ? -1 : 1;
}

function resolveNode(node: YamlNode, dialect: Dialect): Resolved {
  if (node.style.scalar !== undefined && node.tag === '') return { tag: '!!str', value: node.value };
  const resolved = resolveScalar(node.tag, node.value, dialect);
  return resolved.tag === '!!binary' ? { tag: '!!str', value: decodeBinary(node.value) ?? node.value } : resolved;
}

function scalarSyntax(node: YamlNode, dialect: Dialect, inInterface: boolean): string {
  const { tag, value } = resolveNode(node, dialect);
  if (value === null) return inInterface ? 'interface {}(nil)' : '<nil>';
  if (typeof value === 'string') return quoteGo(value);
  if (tag === '!!float') {
    const number = Number(value);
    if (Number.isNaN(number)) return 'NaN';
    return Number.isFinite(number) ? formatFloat(number) : number > 0 ? '+Inf' : '-Inf';
  }
  if (typeof value === 'bigint' && value >= 1n << 63n) return `0x${value.toString(16)}`;
  return String(value);
}
