// Owns sigs.k8s.io/yaml: YAML 1.1 in, JSON values out and back, as kubectl, Flux and Helm do it (go-yaml v2 rules).
import { isJsonObject, type JsonValue } from '../json.ts';
import { YamlError } from './error.ts';
import { Composer } from './internal/compose.ts';
import { decodeNode } from './internal/decode.ts';
import { createEvent, type EmitEvent } from './internal/emit-event.ts';
import { Emitter } from './internal/emitter.ts';
import { formatGoJson } from './internal/gojson.ts';
import { infinityName } from './internal/keys.ts';
import { formatNumber } from './internal/number.ts';
import { readPlainYaml } from './internal/plain-reader.ts';
import { compareBytes, compareKeys } from './internal/sort.ts';
import { textStyle } from './internal/text-style.ts';

/** How to read. */
export interface FromYamlOptions {
  /** Refuse a key given twice; else the last one wins. @default false */
  readonly strict?: boolean;
}

/**
 * Reads the first document of a text as sigs.k8s.io/yaml's Unmarshal does; an empty text is null.
 * Throws YamlError `error converting YAML to JSON: yaml: line 2: …`.
 */
export function fromYaml(text: string, options: FromYamlOptions = {}): JsonValue {
  try {
    return readFirst(text, options.strict === true);
  } catch (error) {
    throw wrapped(error);
  }
}

function readFirst(text: string, strict: boolean): JsonValue {
  const plain = readPlainYaml(text);
  if (plain !== undefined) return plain;
  const document = new Composer(text, 'v2').next();
  return document === undefined ? null : decodeNode(document, { dialect: 'v2', strict });
}

function wrapped(error: unknown): unknown {
  if (!(error instanceof YamlError)) return error;
  const json = error.message === 'exceeded max depth';
  const prefix = json ? 'error unmarshaling JSON: while decoding JSON' : 'error converting YAML to JSON';
  return new YamlError(error.code, `${prefix}: ${error.message}`, error.data);
}

/** One document of a stream, not yet read. */
interface Part {
  readonly text: string;
  /** Lines of the stream above it. */
  readonly above: number;
}

/**
 * Splits a stream at lines that begin with `---`, as Kubernetes' YAML reader does, without parsing it. A separator with
 * nothing before it stays with the document, CR LF becomes LF, and each document ends with a line break.
 * Behind the dashes only blanks and a comment may stand: else YamlError `invalid Yaml document separator: …`.
 */
export function splitYamlStream(text: string): string[] {
  return Array.from(splitParts(text), (part) => part.text);
}

/** Cuts off what Go takes for white space. Not a pattern: `\s+$` is quadratic in a run of blanks. */
function trimSpace(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isUnicodeSpace(text.charCodeAt(from))) from++;
  while (to > from && isUnicodeSpace(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isUnicodeSpace(c: number): boolean {
  if (c < 0x80) return c === 32 || (c >= 9 && c <= 13);
  return /[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/.test(String.fromCharCode(c));
}

/** One by one: what is wrong with a document is said before what is wrong with a separator below it. */
function* splitParts(stream: string): Generator<Part> {
  const text = stream.replaceAll('\r\n', '\n');
  let from = 0;
  let above = 0;
  let line = 0;
  for (let at = 0; at < text.length; line++) {
    const newline = text.indexOf('\n', at);
    const next = newline < 0 ? text.length : newline + 1;
    if (text.startsWith('---', at)) {
      const rest = trimSpace(text.slice(at + 3, next));
      if (rest !== '' && !rest.startsWith('#')) {
        throw new YamlError('YamlSyntax', `invalid Yaml document separator: ${rest}`, { line: line + 1, column: 1 });
      }
      if (at > from) {
        yield { text: text.slice(from, at), above };
        from = next;
        above = line + 1;
      }
    }
    at = next;
  }
  if (from < text.length) yield { text: text.slice(from) + (text.endsWith('\n') ? '' : '\n'), above };
}

/**
 * Reads all documents of a stream as Kubernetes' decoder does; documents without content are left out.
 * Throws YamlError as `fromYaml` does: as in Go its text counts lines from the document's beginning, its `data` from
 * the stream's.
 */
export function fromYamlDocuments(text: string, options: FromYamlOptions = {}): JsonValue[] {
  const values: JsonValue[] = [];
  for (const part of splitParts(text)) {
    const value = readPart(part, options);
    if (value !== null) values.push(value);
  }
  return values;
}

function readPart(part: Part, options: FromYamlOptions): JsonValue {
  try {
    return fromYaml(part.text, options);
  } catch (error) {
    if (!(error instanceof YamlError) || error.data.line === 0) throw error;
    const { line, column } = error.data;
    throw new YamlError(error.code, error.message, { line: line + part.above, column });
  }
}

/**
 * Writes a value as sigs.k8s.io/yaml's Marshal does: sorted keys, lists at their key's column, lines folded behind
 * column 80. Ends with a line break. Throws YamlError for what YAML cannot carry.
 */
export function toYaml(value: JsonValue): string {
  const output = tryEmit(value, { survived: false, compare: compareKeys });
  if (output !== undefined) return output;
  // Go writes JSON first and reads that as YAML. Some texts do not survive this: a NEL is a line break there.
  return tryEmit(readFirst(formatGoJson(value), false), { survived: true, compare: compareKeys })!;
}

/** The same as Flux writes values for their digest: keys in the order of their bytes, and texts straight from memory. */
export function toCanonicalYaml(value: JsonValue): string {
  return tryEmit(value, { survived: true, compare: compareBytes })!;
}

interface EmitOptions {
  /** Whether the texts are those that came through JSON, or need not. */
  readonly survived: boolean;
  readonly compare: (a: string, b: string) => number;
}

/** Writes a value; undefined if it has texts that may not survive the way through JSON. */
function tryEmit(value: JsonValue, options: EmitOptions): string | undefined {
  const emitter = new Emitter({ dialect: 'v2', indent: 2, compact: false });
  emitter.startDocument('');
  if (!emitTree(emitter, value, options)) return undefined;
  emitter.endDocument('');
  return emitter.output;
}

/** A collection being written: its values, and for a map its keys. */
interface Frame {
  readonly keys: readonly string[] | undefined;
  readonly value: JsonValue;
  index: number;
}

const MAX_DEPTH = 10_000;

function emitTree(emitter: Emitter, root: JsonValue, { survived, compare }: EmitOptions): boolean {
  const event = createEvent();
  const frames: Frame[] = [];
  let odd = false;
  const open = (value: JsonValue): void => {
    if (typeof value !== 'object' || value === null) {
      if (typeof value === 'string' && ODD_TEXT.test(value)) odd = true;
      fillScalar(event, value);
      emitter.emit(event);
      return;
    }
    const keys = isJsonObject(value) ? Object.keys(value).sort(compare) : undefined;
    event.type = keys === undefined ? 'sequenceStart' : 'mappingStart';
    event.empty = (keys ?? (value as readonly JsonValue[])).length === 0;
    emitter.emit(event);
    frames.push({ keys, value, index: 0 });
    if (frames.length > MAX_DEPTH) throw new YamlError('YamlLimit', `yaml: exceeded max depth of ${MAX_DEPTH}`);
  };
  open(root);
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const { keys, value } = frame;
    const size = (keys ?? (value as readonly JsonValue[])).length;
    if (frame.index >= size) {
      frames.pop();
      event.type = keys === undefined ? 'sequenceEnd' : 'mappingEnd';
      emitter.emit(event);
    } else if (keys === undefined) {
      open((value as readonly JsonValue[])[frame.index++]!);
    } else {
      const key = keys[frame.index++]!;
      if (ODD_TEXT.test(key) || key.length * 6 + 2 > LONGEST_KEY) odd = true;
      fillScalar(event, key);
      emitter.emit(event);
      open((value as Record<string, JsonValue>)[key]!);
    }
    if (odd && !survived) return false;
  }
  return !odd || survived;
}

function fillScalar(event: EmitEvent, value: Exclude<JsonValue, object> | null): void {
  event.type = 'scalar';
  event.style = undefined;
  switch (typeof value) {
    case 'string': {
      const style = textStyle(value, 'v2');
      event.value = value;
      event.style = style === 'plain' ? undefined : style;
      return;
    }
    case 'number':
    case 'bigint':
      event.value = formatJsonNumber(value);
      return;
    default:
      event.value = String(value);
  }
}

function formatJsonNumber(value: number | bigint): string {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const text = `error marshaling into JSON: json: unsupported value: ${infinityName(value)}`;
    throw new YamlError('YamlValue', text);
  }
  return formatNumber(value).text;
}

const ODD_TEXT = /[\x7f-\x9f\ufffe\uffff\ud800-\udfff]/;
/** A key longer than this in JSON is none for Go's reader. */
const LONGEST_KEY = 1024;
