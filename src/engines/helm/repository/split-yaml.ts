// Owns finding the charts of an index in YAML without parsing the whole: `helm repo index` and every program like it
// write block style, in which indentation alone tells where a version begins. What is written otherwise is left to a
// full parse by the caller.

/** One version of a chart as text, a list of one item; a chart itself comes first, with an empty text. */
export interface YamlItem {
  readonly chart: string;
  readonly text: string;
}

/** An index cut into its parts: what stands beside `entries`, and the versions, in order. */
export interface YamlIndex {
  /** The document without its entries. */
  readonly head: string;
  readonly items: Iterable<YamlItem>;
}

const ENTRIES = /^entries:[ \t]*(?:#.*)?$/;
const CHART = /^( +)(?:([A-Za-z0-9][\w.-]*)|"([\w./-]+)"|'([\w./-]+)'):[ \t]*(?:#.*)?$/;

/** A layout that indentation alone does not explain; the whole document has to be parsed. */
export class UnusualLayout extends Error {}

/** Cuts an index in block style; undefined when it has another style. Iterating throws UnusualLayout. */
export function splitYamlIndex(bytes: Buffer): YamlIndex | undefined {
  const lines = new Lines(bytes);
  const head: string[] = [];
  let body: { readonly start: number; readonly end: number } | undefined;
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    if (/^[{[%&*!|>?]|^\t|^-/.test(line.text) && !line.text.startsWith('---')) return undefined;
    if (ENTRIES.test(line.text)) {
      if (body !== undefined) return undefined;
      const end = lines.skipIndented();
      body = { start: line.end, end };
      continue;
    }
    if (line.text.startsWith('entries')) return undefined;
    head.push(line.text);
  }
  if (body === undefined) return undefined;
  return { head: `${head.join('\n')}\n`, items: itemsOf(bytes.subarray(body.start, body.end)) };
}

function* itemsOf(bytes: Buffer): Generator<YamlItem> {
  const lines = new Lines(bytes);
  let chart: { readonly name: string; readonly indent: number } | undefined;
  let item: { readonly start: number; readonly indent: number } | undefined;
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const { text, start } = line;
    const indent = text.search(/[^ ]/);
    if (indent < 0 || text[indent] === '#') continue;
    if (item !== undefined && indent > item.indent) continue;
    if (item !== undefined && chart !== undefined) yield cut(bytes, chart.name, item.start, start);
    if (chart !== undefined && text[indent] === '-' && /[ \t]|$/.test(text[indent + 1] ?? '')) {
      if (indent < chart.indent || (item !== undefined && indent !== item.indent)) throw new UnusualLayout();
      item = { start, indent };
      continue;
    }
    const match = CHART.exec(text);
    if (match === null || (chart !== undefined && chart.indent !== indent)) throw new UnusualLayout();
    chart = { name: match[2] ?? match[3] ?? match[4] ?? '', indent };
    item = undefined;
    yield { chart: chart.name, text: '' };
  }
  if (item !== undefined && chart !== undefined) yield cut(bytes, chart.name, item.start, bytes.length);
}

function cut(bytes: Buffer, chart: string, start: number, end: number): YamlItem {
  return { chart, text: bytes.toString('utf8', start, end) };
}

/** The lines of a text, one at a time. */
class Lines {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): { readonly text: string; readonly start: number; readonly end: number } | undefined {
    if (this.#at >= this.#bytes.length) return undefined;
    const start = this.#at;
    const newline = this.#bytes.indexOf(0x0a, start);
    const end = newline < 0 ? this.#bytes.length : newline + 1;
    this.#at = end;
    return { text: this.#bytes.toString('utf8', start, newline < 0 ? end : newline).replace(/\r$/, ''), start, end };
  }

  /** Passes over lines that belong to the entry above: indented, empty or comments. Answers where they end. */
  skipIndented(): number {
    for (;;) {
      const { length } = this.#bytes;
      const byte = this.#bytes[this.#at];
      if (this.#at >= length || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x23)) return this.#at;
      const newline = this.#bytes.indexOf(0x0a, this.#at);
      this.#at = newline < 0 ? length : newline + 1;
    }
  }
}
