// Owns the engine's use of lib/goyaml: reading documents, the text of a node, and turning a node into the value that
// the reference would read back after printing it. The quirks of that round trip live here and nowhere else.
import { errorMessage } from '../../../lib/errors.ts';
import { emitDocuments } from '../../../lib/goyaml/emit.ts';
import { createNode, type NodeStyle, plainStyle, type YamlNode } from '../../../lib/goyaml/node.ts';
import { parseFirstDocument } from '../../../lib/goyaml/parse.ts';
import { isOldBool, plainTag, resolvePlain } from '../../../lib/goyaml/resolve.ts';
import { fromYaml, toYaml } from '../../../lib/goyaml/sigs.ts';
import { nodeToValue } from '../../../lib/goyaml/value.ts';
import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import { buildError } from '../errors.ts';

/** Root of the first document of a text, without the document around it; undefined when there is none. */
export function parseNode(text: string): YamlNode | undefined {
  const document = parseFirstDocument(text);
  return document?.kind === 'document' ? document.content[0] : document;
}

/** A node as the reference prints it: two spaces, lists not indented. */
export function nodeText(node: YamlNode): string {
  return emitDocuments([node], { indent: 2, sequenceStyle: 'compact' });
}

/** The value of a YAML text by the rules of sigs.k8s.io/yaml. */
export function readYamlValue(text: string, strict: boolean): JsonValue {
  return fromYaml(text, { strict });
}

/** As `readYamlValue`, with the bare text of faults: some callers convert where others decode. */
export function convertYaml(text: string): JsonValue {
  try {
    return fromYaml(text);
  } catch (error) {
    throw buildError(errorMessage(error).replace(/^error converting YAML to JSON: /, ''));
  }
}

/** A value as YAML by the rules of sigs.k8s.io/yaml: the form of all output. */
export function writeYamlValue(value: JsonValue): string {
  return toYaml(value);
}

/** Value of a node as it stands, without printing it first (go-yaml v3's Decode). */
export function decodeNode(node: YamlNode): JsonValue {
  return nodeToValue(node);
}

const SIMPLE_TEXT = /^[\w./][\w./@:-]*(?<!:)$/;

/** True when YAML 1.1 reads the text as something else than a string. */
export function isYaml11NonString(text: string): boolean {
  if (text === '' || text.includes('\n')) return false;
  if (SIMPLE_TEXT.test(text)) {
    const resolved = resolvePlain(text, 'v2');
    return resolved !== undefined && typeof resolved.value !== 'string';
  }
  try {
    return typeof fromYaml(text) !== 'string';
  } catch {
    return false;
  }
}

/** A map with a key that is no string, below the top: JSON has no form for it. */
const BAD_KEY = 'json: unsupported type: map[interface {}]interface {}';

/** Thrown inside `nodeToJson` when only the long way round gives the right answer. */
const roundTrip = Symbol('round trip');

/** The JSON that the reference makes of a node: printed as YAML, read again, written as JSON. */
export function nodeToJson(node: YamlNode): JsonValue {
  const root = node.kind === 'document' ? node.content[0]! : node;
  try {
    return convert(root, false, true);
  } catch (error) {
    if (error !== roundTrip) throw error;
  }
  const again = parseNode(nodeText(root));
  if (again === undefined) return null;
  return requireFinite(nodeToValue(again));
}

function requireFinite(value: JsonValue): JsonValue {
  if (typeof value === 'number' && !Number.isFinite(value)) throw unsupportedNumber(value);
  if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) requireFinite(item);
  return value;
}

function unsupportedNumber(value: number): Error {
  const text = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  return buildError(`json: unsupported value: ${text}`);
}

function convert(node: YamlNode, inFlow: boolean, top: boolean): JsonValue {
  switch (node.kind) {
    case 'mapping':
      return convertMap(node, inFlow || node.style.flow === true, top);
    case 'sequence': {
      if (node.tag !== '' && node.tag !== '!!seq') throw roundTrip;
      const flow = inFlow || node.style.flow === true;
      return node.content.map((child) => convert(child, flow, false));
    }
    case 'scalar':
      return convertScalar(node, inFlow);
    default:
      throw roundTrip;
  }
}

function convertMap(node: YamlNode, inFlow: boolean, top: boolean): JsonObject {
  if (node.tag !== '' && node.tag !== '!!map') throw roundTrip;
  const result: JsonObject = {};
  const { content } = node;
  for (let i = 0; i < content.length; i += 2) {
    const key = content[i]!;
    if (key.kind !== 'scalar' || key.anchor !== '' || key.tag === '!!merge') throw roundTrip;
    const text = key.value;
    if (key.tag !== '!!str' && typeof convertScalar(key, inFlow) !== 'string') {
      // Go reads numbers and booleans as text when the whole object is a map of strings.
      if (!top || key.tag === '!!null' || text === '') throw buildError(BAD_KEY);
    }
    if (Object.hasOwn(result, text)) throw roundTrip;
    setOwn(result, text, convert(content[i + 1]!, inFlow, false));
  }
  return result;
}

/** Sets a property even when its name is `__proto__`. */
export function setOwn(object: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else object[key] = value;
}

const FLOW_SPECIAL = /[,?[\]{}:]/;

function convertScalar(node: YamlNode, inFlow: boolean): JsonValue {
  const { tag, value, style } = node;
  if (style.tagged === true || node.anchor !== '') throw roundTrip;
  if (tag === '!!str') return value;
  const resolved = resolvePlain(value, 'v3');
  const actual = resolved?.tag ?? '!!str';
  if (tag !== '' && tag !== actual) throw roundTrip;
  // Quotes win over the tag: they are printed, and an implied tag is not.
  if (resolved === undefined || style.scalar !== undefined || value.includes('\n')) return value;
  if (inFlow && (value === '' || FLOW_SPECIAL.test(value))) return value;
  const found = resolved.value;
  if (typeof found === 'number' && !Number.isFinite(found)) throw unsupportedNumber(found);
  return found;
}

const QUOTED: NodeStyle = Object.freeze({ scalar: 'double' });
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
/** Texts that the emitter cannot leave plain: indicators, `: `, ` #`, markers, spaces at the ends, control characters. */
const NOT_PLAIN =
  /^[#,[\]{}&*!|>'"%@`]|^[-?:](?:\s|$)|: |:$| #|^---|^\.\.\.|^\s|\s$|[^\t\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]|\t/;

/**
 * The node that the reference reads back after a JSON patch: every number went through a double, maps are in block
 * style, strings are quoted where they have to be (a later patch keeps the quotes).
 */
export function jsonToNode(value: JsonValue): YamlNode {
  if (value === null) return createNode('scalar', '!!null', 'null');
  switch (typeof value) {
    case 'string': {
      // Printed plain, and then read as a merge key wherever it stands.
      const node = createNode('scalar', value === '<<' ? '!!merge' : '!!str', value);
      const plain = plainTag(value) === '!!str' && !isOldBool(value) && !BASE_60.test(value) && !NOT_PLAIN.test(value);
      if (!plain) node.style = QUOTED;
      return node;
    }
    case 'boolean':
      return createNode('scalar', '!!bool', String(value));
    case 'number':
    case 'bigint': {
      const text = formatGoFloat(Number(value));
      return createNode('scalar', plainTag(text), text);
    }
    default:
      return Array.isArray(value) ? listToNode(value as readonly JsonValue[]) : mapToNode(value as JsonObject);
  }
}

function listToNode(values: readonly JsonValue[]): YamlNode {
  const node = createNode('sequence', '!!seq', '', values.map(jsonToNode));
  if (values.length === 0) node.style = { flow: true };
  return node;
}

function mapToNode(value: JsonObject): YamlNode {
  const content: YamlNode[] = [];
  for (const [key, item] of Object.entries(value)) content.push(jsonToNode(key), jsonToNode(item));
  const node = createNode('mapping', '!!map', '', content);
  node.style = content.length === 0 ? { flow: true } : plainStyle;
  return node;
}

/** A double as Go's strconv prints it with format `g` and the shortest digits: `8080`, `1e+06`, `1.5`. */
export function formatGoFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponentText] = value.toExponential().split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return String(value);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
