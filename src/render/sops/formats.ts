// Owns the file formats of SOPS: bytes → tree and metadata, tree → bytes. What is encrypted is tree.ts.
import { errorMessage } from '../../lib/errors.ts';
import { formatGoJson } from '../../lib/gojson.ts';
import { emitDocuments } from '../../lib/goyaml/emit.ts';
import { createNode, type YamlNode } from '../../lib/goyaml/node.ts';
import { parseDocuments } from '../../lib/goyaml/parse.ts';
import { nodeToValue, valueToNode } from '../../lib/goyaml/value.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../lib/json.ts';
import { emitIni, parseIni } from './ini.ts';
import { SopsBranch, type SopsItem, type SopsLeaf, type SopsValue, sopsInvalid } from './tree.ts';

export type SopsFormat = 'yaml' | 'json' | 'dotenv' | 'ini' | 'binary';

/** How Flux names formats in messages. */
export const formatNames: Readonly<Record<SopsFormat, string>> = {
  yaml: 'YAML',
  json: 'JSON',
  dotenv: 'dotenv',
  ini: 'INI',
  binary: 'binary',
};

/** An encrypted file: its documents (only YAML has several) and the metadata under `sops`. */
export interface SopsFile {
  readonly branches: readonly SopsBranch[];
  readonly metadata: JsonObject;
}

const MARKERS: readonly (readonly [SopsFormat, string])[] = [
  ['dotenv', 'sops_mac=ENC['],
  ['ini', '[sops]'],
  ['json', '"mac": "ENC['],
  ['yaml', 'mac: ENC['],
];

/** True when bytes look encrypted in a format. */
export function hasMarker(bytes: Uint8Array, format: SopsFormat): boolean {
  const wanted = format === 'binary' ? 'json' : format;
  return Buffer.from(bytes).includes(MARKERS.find(([name]) => name === wanted)![1]);
}

/** The format whose marker bytes carry; undefined when they do not look encrypted. */
export function detectFormat(bytes: Uint8Array): SopsFormat | undefined {
  const buffer = Buffer.from(bytes);
  return MARKERS.find(([, marker]) => buffer.includes(marker))?.[0];
}

/** The format of a file by its name; Docker configurations are JSON. */
export function formatForPath(path: string): SopsFormat {
  if (path.endsWith('.dockerconfigjson') || path.endsWith('.json')) return 'json';
  if (/\.ya?ml$/.test(path)) return 'yaml';
  if (path.endsWith('.env')) return 'dotenv';
  return path.endsWith('.ini') ? 'ini' : 'binary';
}

/** Reads an encrypted file. Throws SopsError `sops metadata not found` for one without metadata. */
export function loadEncrypted(bytes: Uint8Array, format: SopsFormat): SopsFile {
  const text = Buffer.from(bytes).toString('utf8');
  switch (format) {
    case 'json':
    case 'binary':
      return extractMetadata([fromJsonValue(readJson(text))]);
    case 'yaml':
      return extractMetadata(readYaml(text));
    case 'dotenv':
      return extractFlat(parseDotenv(text), 'sops_');
    case 'ini':
      return extractIni(parseIni(text));
  }
}

/** Writes decrypted documents. */
export function emitPlain(branches: readonly SopsBranch[], format: SopsFormat): Uint8Array {
  switch (format) {
    case 'json':
      return Buffer.from(`${formatGoJson(toJsonValue(branches[0]!), { indent: 1 }).replaceAll(/^ +/gm, toTabs)}\n`);
    case 'binary':
      return emitBinary(branches);
    case 'yaml':
      return Buffer.from(emitDocuments(branches.map(toDocument), { indent: 4, sequenceStyle: 'wide' }));
    case 'dotenv':
      return Buffer.from(emitDotenv(branches[0]!));
    case 'ini':
      return Buffer.from(emitIni(branches[0]!));
  }
}

function toTabs(spaces: string): string {
  return '\t'.repeat(spaces.length);
}

function emitBinary(branches: readonly SopsBranch[]): Uint8Array {
  const data = branches[0]!.get('data');
  if (typeof data === 'string') return Buffer.from(data);
  const problem =
    data === undefined ? 'no binary data found in tree' : "'data' key in tree does not have a string value";
  throw sopsInvalid(`error emitting binary store: ${problem}`);
}

// ---- metadata -----------------------------------------------------------------------------------

function extractMetadata(branches: readonly SopsValue[]): SopsFile {
  let metadata: JsonObject | undefined;
  const rest = branches.map((branch) => {
    if (!(branch instanceof SopsBranch)) throw sopsInvalid('the document is no mapping');
    const own = branch.get('sops');
    if (own instanceof SopsBranch) metadata ??= toJsonValue(own) as JsonObject;
    return new SopsBranch(branch.items.filter((item) => !('key' in item) || item.key !== 'sops'));
  });
  if (metadata === undefined) throw sopsInvalid('sops metadata not found');
  return { branches: rest, metadata };
}

/** Metadata of dotenv and INI is flat: `age__list_0__map_enc`. */
function extractFlat(branch: SopsBranch, prefix: string): SopsFile {
  const isMeta = (item: SopsItem): boolean => 'key' in item && item.key.startsWith(prefix);
  const flat = branch.items.flatMap((item): [string, string][] =>
    'key' in item && isMeta(item) ? [[item.key.slice(prefix.length), String(item.value)]] : [],
  );
  if (flat.length === 0) throw sopsInvalid('sops metadata not found');
  return { branches: [new SopsBranch(branch.items.filter((item) => !isMeta(item)))], metadata: unflatten(flat) };
}

function extractIni(branch: SopsBranch): SopsFile {
  const section = branch.get('sops');
  if (!(section instanceof SopsBranch)) throw sopsInvalid('sops metadata not found');
  const { metadata } = extractFlat(section, '');
  const items = branch.items.filter((item) => !('key' in item) || item.key !== 'sops');
  return { branches: [new SopsBranch(items)], metadata };
}

function unflatten(flat: readonly (readonly [string, string])[]): JsonObject {
  const root: JsonObject = Object.create(null) as JsonObject;
  for (const [path, text] of flat) {
    // `a__list_0__map_b` is `a`, `[0]`, `b`.
    const steps = path.split(/__(?:map|list)_/);
    let here = root;
    for (const step of steps.slice(0, -1)) {
      const next = here[step];
      here = (here[step] = isJsonObject(next) ? next : (Object.create(null) as JsonObject)) as JsonObject;
    }
    here[steps.at(-1)!] = text.replaceAll('\\n', '\n');
  }
  return listsOf(root) as JsonObject;
}

/** Objects whose keys are 0, 1, 2… become lists. */
function listsOf(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value);
  const values = keys.map((key) => listsOf(value[key]!));
  if (keys.length > 0 && keys.every((key, index) => key === String(index))) return values;
  return Object.fromEntries(keys.map((key, index) => [key, values[index]!]));
}

// ---- JSON ---------------------------------------------------------------------------------------

function readJson(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch {
    // The parser's message quotes the text.
    throw sopsInvalid('Error unmarshalling input json');
  }
}

export function fromJsonValue(value: JsonValue): SopsValue {
  if (Array.isArray(value)) return value.map(fromJsonValue);
  if (!isJsonObject(value)) return value as SopsLeaf;
  return new SopsBranch(Object.entries(value).map(([key, item]) => ({ key, value: fromJsonValue(item) })));
}

export function toJsonValue(value: SopsValue): JsonValue {
  if (Array.isArray(value)) return value.map(toJsonValue);
  if (!(value instanceof SopsBranch)) return value as JsonValue;
  return Object.fromEntries(
    value.items.flatMap((item): [string, JsonValue][] => ('key' in item ? [[item.key, toJsonValue(item.value)]] : [])),
  );
}

// ---- YAML ---------------------------------------------------------------------------------------

function readYaml(text: string): SopsValue[] {
  let documents: YamlNode[];
  try {
    documents = parseDocuments(text);
  } catch (error) {
    throw sopsInvalid(`Error unmarshaling input YAML: ${errorMessage(error)}`);
  }
  const reader = new NodeReader();
  return documents.map((document) => {
    const root = document.kind === 'document' ? document.content[0] : document;
    const value = root === undefined ? null : reader.read(root);
    if (!(value instanceof SopsBranch) || root === document) return value;
    return new SopsBranch([...commentsOf(document.headComment), ...value.items, ...commentsOf(document.footComment)]);
  });
}

/** Nodes of one file, aliases counted as often as they are used: aliases of aliases multiply. */
const MAX_NODES = 500_000;

class NodeReader {
  #left = MAX_NODES;

  read(node: YamlNode): SopsValue {
    if (--this.#left < 0) throw sopsInvalid('Error unmarshaling input YAML: document contains excessive aliasing');
    if (node.kind === 'alias') {
      if (node.alias === undefined) throw sopsInvalid('Error unmarshaling input YAML: unknown anchor');
      return this.read(node.alias);
    }
    if (node.kind === 'sequence') return node.content.map((item) => this.read(item));
    return node.kind === 'mapping' ? this.#mapping(node) : (nodeToValue(node) as SopsLeaf);
  }

  /** A comment beside a value comes to stand above it, as in SOPS. Comments within lists are dropped. */
  #mapping(node: YamlNode): SopsBranch {
    const items: SopsItem[] = [];
    for (let i = 0; i + 1 < node.content.length; i += 2) {
      const key = node.content[i]!;
      const value = node.content[i + 1]!;
      const isLeaf = value.kind === 'scalar' || value.kind === 'alias';
      items.push(...commentsOf(key.headComment), ...commentsOf(key.lineComment));
      if (isLeaf) items.push(...commentsOf(value.headComment), ...commentsOf(value.lineComment));
      items.push({ key: key.value, value: this.read(value) });
      if (isLeaf) items.push(...commentsOf(value.footComment));
      items.push(...commentsOf(key.footComment));
    }
    return new SopsBranch(items);
  }
}

function commentsOf(text: string): SopsItem[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .map((line) => ({ comment: line.slice(1) }));
}

function toDocument(branch: SopsBranch): YamlNode {
  return createNode('document', '', '', [toNode(branch)]);
}

function toNode(value: SopsValue): YamlNode {
  if (Array.isArray(value)) return createNode('sequence', '!!seq', '', value.map(toNode));
  if (!(value instanceof SopsBranch)) return valueToNode(value as JsonValue);
  const node = createNode('mapping', '!!map');
  let comments: string[] = [];
  for (const item of value.items) {
    if ('comment' in item) {
      comments.push(`#${item.comment}`);
      continue;
    }
    const key = valueToNode(item.key);
    key.headComment = comments.join('\n');
    comments = [];
    node.content.push(key, toNode(item.value));
  }
  if (comments.length > 0) node.footComment = comments.join('\n');
  return node;
}

// ---- dotenv -------------------------------------------------------------------------------------

function parseDotenv(text: string): SopsBranch {
  const items = text.split('\n').flatMap((line): SopsItem[] => {
    if (line === '') return [];
    if (line.startsWith('#')) return [{ comment: line.slice(1) }];
    const equals = line.indexOf('=');
    if (equals < 0) throw sopsInvalid('invalid dotenv input line');
    return [{ key: line.slice(0, equals), value: line.slice(equals + 1).replaceAll('\\n', '\n') }];
  });
  return new SopsBranch(items);
}

function emitDotenv(branch: SopsBranch): string {
  return branch.items
    .map((item) => {
      if ('comment' in item) return `#${item.comment}\n`;
      if (typeof item.value === 'object' && item.value !== null) {
        throw sopsInvalid(`cannot use complex value in dotenv file; offending key ${item.key}`);
      }
      return `${item.key}=${String(item.value).replaceAll('\n', '\\n')}\n`;
    })
    .join('');
}
