// Owns map keys: their text in JSON, duplicates, and what is said of keys that cannot be.
import type { JsonObject, JsonValue } from '../../json.ts';
import { YamlError, type YamlErrorData } from '../error.ts';
import type { YamlNode } from '../node.ts';
import { plainTag, type Resolved } from '../resolve.ts';
import { formatFloat32, quoteGo } from './goformat.ts';
import { goSyntax, mapType } from './gosyntax.ts';

/** A problem after which go-yaml goes on; all are reported together. */
export interface TypeProblem {
  readonly text: string;
  readonly line: number;
  readonly code: 'YamlDuplicateKey' | 'YamlValue';
}

/** Where a node stands, for an error. */
export function placeOf({ line, column }: YamlNode): YamlErrorData {
  return { line, column };
}

/** Sets a property of any name, `__proto__` too. */
export function setKey(map: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    map[key] = value;
  }
}

/**
 * Keys given twice, each with all that follow it, as yaml.v3 reports them, but `limit` at most; undefined for none.
 */
export function findDuplicates(node: YamlNode, limit: number): TypeProblem[] | undefined {
  const { content } = node;
  const first = new Map<string, number[]>();
  let found = false;
  for (let i = 0; i < content.length; i += 2) {
    const key = content[i]!;
    const identity = `${key.kind} ${key.value}`;
    const places = first.get(identity);
    if (places === undefined) {
      first.set(identity, [i]);
    } else {
      places.push(i);
      found = true;
    }
  }
  if (!found) return undefined;
  const problems: TypeProblem[] = [];
  for (let i = 0; i < content.length; i += 2) {
    const key = content[i]!;
    for (const j of first.get(`${key.kind} ${key.value}`)!) {
      if (j <= i) continue;
      if (problems.length >= limit) return problems;
      const later = content[j]!;
      problems.push({
        text: `line ${later.line}: mapping key ${quoteGo(later.value)} already defined at line ${key.line}`,
        line: later.line,
        code: 'YamlDuplicateKey',
      });
    }
  }
  return problems;
}

/** Go names the text of a scalar it cannot use, not that of a collection. */
export function isCollectionTag(tag: string): boolean {
  return tag === '!!map' || tag === '!!seq';
}

/** Go keeps a set of keys for a merge, and a list or map cannot be in it. */
export function unhashable(key: YamlNode): YamlError {
  const type = key.kind === 'mapping' ? mapType(key, 'v3') : '[]interface {}';
  return new YamlError('YamlValue', `yaml: runtime error: hash of unhashable type ${type}`, placeOf(key));
}

/** v3 makes a map with string keys only if all keys are strings. */
export function hasTextKeys(node: YamlNode): boolean {
  for (let i = 0; i < node.content.length; i += 2) {
    const key = node.content[i]!;
    const target = key.kind === 'alias' ? key.alias! : key;
    const isUntold = target.tag === '' || target.tag === '!';
    const tag = !isUntold ? target.tag : target.style.scalar === undefined ? plainTag(target.value) : '!!str';
    if (tag !== '!!str' && tag !== '!!merge') return false;
  }
  return true;
}

/** The text of a scalar key in JSON; undefined for null and uint64, which sigs.k8s.io/yaml refuses. */
export function keyText({ tag, value }: Resolved): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null || (typeof value === 'bigint' && value >= 1n << 63n)) return undefined;
  return tag === '!!float' ? formatFloat32(Number(value)) : String(value);
}

/** What sigs.k8s.io/yaml says about such a key. */
export function unsupportedKey({ value }: Resolved, valueNode: YamlNode): YamlError {
  const [type, key] = value === null ? ['%!s(<nil>)', '<nil>'] : ['uint64', `0x${value.toString(16)}`];
  const text = `unsupported map key of type: ${type}, key: ${key}, value: ${goSyntax(valueNode, 'v2')}`;
  return new YamlError('YamlValue', text, placeOf(valueNode));
}

/** How Go prints what JSON has no number for. */
export function infinityName(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
