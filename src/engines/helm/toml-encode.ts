// Owns writing TOML as Helm's encoder does: scalars and lists of a table first, then its sub-tables, keys sorted.
import { formatFloat } from '../../lang/gotemplate/strconv.ts';
import {
  GoError,
  GoInt,
  type GoMap,
  GoObject,
  type GoValue,
  isNil,
  listItems,
  sortedKeys,
  typeName,
} from '../../lang/gotemplate/value.ts';
import { isTimeObject } from './toml-time.ts';

/** Encodes a map or a struct as a document; other values give their own text. Throws GoError. */
export function encodeToml(value: GoValue): string {
  if (value === null || value === undefined) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  const writer = new Writer();
  writer.encode([], plain(value));
  return writer.text;
}

/** The exported fields of a struct, in the order of declaration; those of an embedded struct stand for it. */
class StructFields extends Map<string, GoValue> {}

function plain(value: GoValue): GoValue {
  if (!(value instanceof GoObject) || isTimeObject(value)) return value;
  return new StructFields(exportedFields(value));
}

function exportedFields(object: GoObject): (readonly [string, GoValue])[] {
  // The only struct that embeds another is the unnamed one of `.Chart`.
  const embeds = object.type.name.startsWith('struct {');
  return object.fields().flatMap(([name, value]) => {
    if (embeds && value instanceof GoObject) return exportedFields(value);
    return /^[A-Z]/.test(name) ? [[name, value] as const] : [];
  });
}

class Writer {
  text = '';

  encode(key: readonly string[], value: GoValue): void {
    if (isNil(value)) return;
    if (value instanceof Map) this.#table(key, value);
    else if (isTableList(value)) this.#tableList(key, listItems(value)!);
    else this.#keyValue(key, value);
  }

  #table(key: readonly string[], map: GoMap): void {
    if (key.length === 1) this.#newline();
    if (key.length > 0) {
      this.text += `${indent(key)}[${key.map(quoteKey).join('.')}]`;
      this.#newline();
    }
    this.#entries(key, map);
  }

  #tableList(key: readonly string[], items: readonly GoValue[]): void {
    if (key.length === 0) throw new GoError('toml: top-level values must be Go maps or structs');
    for (const item of items) {
      const map = plain(item);
      if (isNil(map)) continue;
      this.#newline();
      this.text += `${indent(key)}[[${key.map(quoteKey).join('.')}]]`;
      this.#newline();
      this.#entries(key, map as GoMap);
    }
  }

  #entries(key: readonly string[], map: GoMap): void {
    for (const name of orderedKeys(map)) this.encode([...key, name], plain(map.get(name)));
  }

  #keyValue(key: readonly string[], value: GoValue): void {
    if (key.length === 0) {
      this.text += element(value);
      return;
    }
    this.text += `${indent(key)}${quoteKey(key.at(-1)!)} = ${element(value)}`;
    this.#newline();
  }

  /** Nothing before the first thing written. */
  #newline(): void {
    if (this.text !== '') this.text += '\n';
  }
}

/** What belongs to the table itself before what opens a table of its own. */
function orderedKeys(map: GoMap): string[] {
  const keys = map instanceof StructFields ? [...map.keys()] : sortedKeys(map);
  const opensTable = (name: string): boolean => {
    const value = plain(map.get(name));
    if (isNil(value)) return false;
    return value instanceof Map || isTableList(value);
  };
  return [...keys.filter((name) => !opensTable(name)), ...keys.filter(opensTable)];
}

function isTableList(value: GoValue): boolean {
  const items = value instanceof Uint8Array ? undefined : listItems(value);
  if (items === undefined || items.length === 0) return false;
  let all = true;
  for (const item of items) {
    if (isNil(item)) throw new GoError('toml: cannot encode array with nil element');
    // Looks into nested lists as well, for their nil elements.
    if (listItems(item) !== undefined) isTableList(item);
    all &&= plain(item) instanceof Map;
  }
  return all;
}

function element(value: GoValue): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'boolean':
      return String(value);
    case 'number':
      return floatText(value);
    default:
      return compound(value);
  }
}

function compound(value: Exclude<GoValue, string | boolean | number>): string {
  if (value instanceof GoInt) return value.value.toString();
  if (isTimeObject(value)) return value.toToml();
  const items = listItems(value);
  if (items !== undefined) return `[${items.map((item) => element(plain(item))).join(', ')}]`;
  const map = plain(value);
  if (map instanceof Map) return inlineTable(map);
  throw new GoError(`unexpected type: ${typeName(value)}`);
}

/** The separators follow the encoder's own counting, in which absent values count as well. */
function inlineTable(map: GoMap): string {
  const isTable = (name: string) => plain(map.get(name)) instanceof Map;
  const keys = sortedKeys(map);
  const [direct, tables] = [keys.filter((name) => !isTable(name)), keys.filter(isTable)];
  const write = (names: readonly string[], more: boolean) =>
    names
      .map((name, index) => {
        const value = map.get(name);
        if (isNil(value)) return '';
        const comma = more || index !== names.length - 1 ? ', ' : '';
        return `${quoteKey(name)} = ${element(plain(value))}${comma}`;
      })
      .join('');
  return `{${write(direct, tables.length > 0)}${write(tables, false)}}`;
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const text = formatFloat(value, 'g', -1);
  return /[e.]/.test(text) ? text : `${text}.0`;
}

const SHORT = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\f', '\\f'],
  ['\r', '\\r'],
]);

function quoted(text: string): string {
  const toEscape = (character: string) =>
    SHORT.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `"${text.replace(/["\\\x00-\x1f\x7f]/g, toEscape)}"`;
}

function quoteKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : quoted(name);
}

function indent(key: readonly string[]): string {
  return '  '.repeat(key.length - 1);
}
