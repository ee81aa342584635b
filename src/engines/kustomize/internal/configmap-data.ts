// Owns the data of generated ConfigMaps and Secrets: which field a value goes to, base64, and merging two of them.
import { createNode, type YamlNode } from '../../../lib/goyaml/node.ts';
import { clearField, fieldOf, isNull, lookupCreate, nodeValue, scalarNode, setField, TAG_STR } from './node.ts';
import { compareText } from './resid.ts';

/** Bytes of values by key. */
type DataMap = ReadonlyMap<string, Uint8Array>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes as text; undefined when they are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

const LINE_LENGTH = 70;

/** Base64; longer than 70 characters it is wrapped at 70, with a line break at the end. */
function encodeBase64Lines(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64');
  if (text.length < LINE_LENGTH) return text;
  const lines: string[] = [];
  for (let i = 0; i < text.length; i += LINE_LENGTH) lines.push(`${text.slice(i, i + LINE_LENGTH)}\n`);
  return lines.join('');
}

function textNode(text: string): YamlNode {
  const node = createNode('scalar', TAG_STR, text);
  if (text.includes('\n')) node.style = { scalar: 'literal' };
  return node;
}

/** Text goes to `data`, what is no UTF-8 to `binaryData`; nothing makes no field. */
export function loadConfigMapData(root: YamlNode, data: DataMap): void {
  for (const key of sortedKeys(data)) {
    const bytes = data.get(key)!;
    const text = decodeUtf8(bytes);
    const field = text === undefined ? 'binaryData' : 'data';
    setField(lookupCreate(root, [field], 'mapping')!, key, textNode(text ?? encodeBase64Lines(bytes)));
  }
}

/** All goes to `data` as base64; the field is always there. */
export function loadSecretData(root: YamlNode, data: DataMap): void {
  const map = lookupCreate(root, ['data'], 'mapping')!;
  for (const key of sortedKeys(data)) setField(map, key, textNode(encodeBase64Lines(data.get(key)!)));
}

function sortedKeys(data: ReadonlyMap<string, unknown>): readonly string[] {
  return [...data.keys()].sort(compareText);
}

/** Adds `data` and `binaryData` of an older version; what is in both stays as it is. */
export function mergeDataFrom(node: YamlNode, older: YamlNode): void {
  for (const field of ['data', 'binaryData']) {
    const merged = new Map([...textMap(older, field), ...textMap(node, field)]);
    clearField(node, field);
    if (merged.size === 0) continue;
    const content = sortedKeys(merged).flatMap((key) => [scalarNode(key), textNode(merged.get(key)!)]);
    setField(node, field, createNode('mapping', '', '', content));
  }
}

function textMap(node: YamlNode, field: string): ReadonlyMap<string, string> {
  const map = fieldOf(node, field);
  const result = new Map<string, string>();
  if (isNull(map) || map!.kind !== 'mapping') return result;
  const { content } = map!;
  for (let i = 0; i < content.length; i += 2) result.set(nodeValue(content[i]), nodeValue(content[i + 1]));
  return result;
}
