// Owns answering the oracle's requests with our own module, in the oracle's form.
import { emitDocuments } from '../../../src/lib/goyaml/emit.ts';
import { YamlError } from '../../../src/lib/goyaml/error.ts';
import type { YamlNode } from '../../../src/lib/goyaml/node.ts';
import { parseDocuments, parseFirstDocument } from '../../../src/lib/goyaml/parse.ts';
import { fromYaml, fromYamlDocuments, toYaml } from '../../../src/lib/goyaml/sigs.ts';
import { nodeToValue, valueToNode } from '../../../src/lib/goyaml/value.ts';
import { type JsonValue, parseJson, stringifyJson } from '../../../src/lib/json.ts';
import type { OracleAnswer, OracleRequest } from './oracle.ts';

/** What our module makes of a request; only a YamlError is an answer, anything else is thrown. */
export function answer(request: OracleRequest): OracleAnswer {
  try {
    return run(request);
  } catch (error) {
    if (error instanceof YamlError) return { out: '', error: error.message };
    throw error;
  }
}

function run(request: OracleRequest): OracleAnswer {
  const { op, text } = request;
  switch (op) {
    case 'tree':
      return { out: '', nodes: parseDocuments(text).map(toTree) };
    case 'emit': {
      const sequenceStyle = request.wide === true ? 'wide' : 'compact';
      return { out: emitDocuments(parseDocuments(text), { indent: request.indent ?? 2, sequenceStyle }) };
    }
    case 'value': {
      const document = parseFirstDocument(text);
      return { out: toSortedJson(document === undefined ? null : nodeToValue(document)) };
    }
    case 'json':
    case 'strict':
      return { out: toSortedJson(fromYaml(text, { strict: op === 'strict' })) };
    case 'stream':
      return { out: toSortedJson(fromYamlDocuments(text)) };
    case 'yaml':
      return { out: toYaml(parseJson(text)) };
    case 'marshal':
      return { out: emitDocuments([valueToNode(parseJson(text))]) };
  }
}

function toTree(node: YamlNode): unknown {
  const { style } = node;
  const styles = [style.tagged === true ? 'tagged' : '', style.scalar ?? '', style.flow === true ? 'flow' : ''];
  const comments = [node.headComment, node.lineComment, node.footComment];
  return [
    node.kind,
    styles.filter((word) => word !== '').join(' '),
    node.tag,
    node.value,
    node.anchor,
    ...comments,
    node.line,
    node.column,
    node.content.map(toTree),
  ];
}

/** JSON with sorted keys, so that maps compare equal whatever their order. */
export function toSortedJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(toSortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return stringifyJson(value);
  const map = value as { [key: string]: JsonValue };
  const entries = Object.keys(map).sort();
  return `{${entries.map((key) => `${JSON.stringify(key)}:${toSortedJson(map[key]!)}`).join(',')}}`;
}

/** One comparable string for an answer of either side. */
export function normalise(request: OracleRequest, { out, nodes, error }: OracleAnswer): string {
  // Which of several bad keys Go names is chance: it walks its map in random order.
  if (error?.includes('unsupported map key') === true) return 'error: unsupported map key';
  if (error !== undefined && error !== '') return `error: ${error}`;
  if (request.op === 'tree') return JSON.stringify(nodes ?? []);
  if (request.op === 'emit' || request.op === 'yaml' || request.op === 'marshal') return out;
  return toSortedJson(parseJson(out));
}
