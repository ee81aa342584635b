// Owns the output: column, indentation, line breaks, and the text of scalars in each style.
import { isBlankOrEnd, isBreak, isPrintable, isWord } from './chars.ts';
import type { Dialect } from './cursor.ts';
import { TextBuilder } from './text-builder.ts';

const ENCODER = new TextEncoder();
/** Characters of a tag that need no `%XX`. */
const TAG_CHARS = ";/?:@&=+$,_.~*'()[]";

/** Collects text. Columns count characters. */
export class Writer {
  readonly dialect: Dialect;
  readonly bestIndent: number;
  /** Column behind which a line is folded at the next space. */
  readonly width: number;
  readonly #out = new TextBuilder();
  column = 0;
  indent = -1;
  /** The last character written was a blank or nothing. */
  whitespace = true;
  /** Only indentation has been written on this line. */
  indention = true;
  /** Indentation of a foot comment just written: what follows at the same place needs an empty line. */
  footIndent = -1;

  constructor(dialect: Dialect, indent: number, width: number) {
    this.dialect = dialect;
    this.bestIndent = indent;
    this.width = width;
  }

  get output(): string {
    return this.#out.toString();
  }

  put(text: string): void {
    this.#out.append(text);
    this.column += text.length;
    for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800) this.column--;
  }

  putBreak(text = '\n'): void {
    this.#out.append(text);
    this.column = 0;
    this.indention = true;
  }

  writeIndent(): void {
    const indent = Math.max(this.indent, 0);
    if (!this.indention || this.column > indent || (this.column === indent && !this.whitespace)) this.putBreak();
    if (this.footIndent === indent) this.putBreak();
    if (this.column < indent) {
      this.#out.append(' '.repeat(indent - this.column));
      this.column = indent;
    }
    this.whitespace = true;
    this.indention ||= this.dialect === 'v2';
    this.footIndent = -1;
  }

  writeIndicator(text: string, o: { space?: boolean; opens?: boolean; indents?: boolean } = {}): void {
    if (o.space === true && !this.whitespace) this.put(' ');
    this.#out.append(text);
    this.column += text.length;
    this.whitespace = o.opens === true;
    this.indention = this.indention && o.indents === true;
  }

  writeTag(handle: string, suffix: string): void {
    if (handle === '') {
      this.writeIndicator('!<', { space: true });
      this.put(escapeTag(suffix));
      this.writeIndicator('>');
    } else {
      if (!this.whitespace) this.put(' ');
      this.put(handle + escapeTag(suffix));
    }
    this.whitespace = false;
    this.indention = false;
  }

  writePlain(value: string, mayFold: boolean): void {
    if ((value !== '' || this.dialect === 'v2') && !this.whitespace) this.put(' ');
    if (mayFold && this.column + value.length > this.width) this.#writeLines(value, true, false);
    else this.put(value);
    if (value !== '' || this.dialect === 'v2') this.whitespace = false;
    this.indention = false;
  }

  writeSingleQuoted(value: string, mayFold: boolean): void {
    this.writeIndicator("'", { space: true });
    const simple = !/[\n\r\u0085\u2028\u2029]/.test(value);
    if (simple && !(mayFold && this.column + value.length > this.width)) this.put(value.replaceAll("'", "''"));
    else this.#writeLines(value, mayFold);
    this.writeIndicator("'");
    this.whitespace = false;
    this.indention = false;
  }

  /** Writes text with its line breaks doubled, broken at single spaces behind the width; `quoted` doubles quotes. */
  #writeLines(value: string, mayFold: boolean, quoted = true): void {
    let spaces = false;
    let breaks = false;
    for (let i = 0; i < value.length; i++) {
      const c = value.charCodeAt(i);
      if (c === 32) {
        const inside = !quoted || (i > 0 && i < value.length - 1);
        const folds = mayFold && !spaces && this.column > this.width && inside && value.charCodeAt(i + 1) !== 32;
        if (folds) this.writeIndent();
        else this.put(' ');
        spaces = true;
      } else if (isBreak(c)) {
        if (!breaks && c === 10) this.putBreak();
        this.putBreak(value[i]);
        breaks = true;
      } else {
        if (breaks) this.writeIndent();
        const to = runEnd(value, i);
        const run = value.slice(i, to);
        this.put(quoted ? run.replaceAll("'", "''") : run);
        i = to - 1;
        this.indention = false;
        spaces = false;
        breaks = false;
      }
    }
  }

  writeDoubleQuoted(value: string, mayFold: boolean): void {
    this.writeIndicator('"', { space: true });
    let spaces = false;
    // libyaml looks for the byte order mark at the text's beginning only, and then escapes everything.
    const escapesAll = value.charCodeAt(0) === 0xfeff;
    for (let i = 0; i < value.length; i++) {
      const c = value.charCodeAt(i);
      if (escapesAll || c === 34 || c === 92 || isBreak(c) || !isPrintable(c)) {
        const point = value.codePointAt(i)!;
        if (point > 0xffff) i++;
        this.put(escapeChar(point));
        spaces = false;
      } else if (c === 32) {
        if (mayFold && !spaces && this.column > this.width && i > 0 && i < value.length - 1) {
          this.writeIndent();
          if (value.charCodeAt(i + 1) === 32) this.put('\\');
        } else {
          this.put(' ');
        }
        spaces = true;
      } else {
        const to = ordinaryEnd(value, i + 1);
        this.put(value.slice(i, to));
        i = to - 1;
        spaces = false;
      }
    }
    this.writeIndicator('"');
    this.whitespace = false;
    this.indention = false;
  }

  /** The indicators behind `|` or `>`: indentation if the text begins with a blank, and how it ends. */
  writeBlockHints(value: string): void {
    const first = value.charCodeAt(0);
    if (first === 32 || isBreak(first)) this.writeIndicator(String(this.bestIndent));
    const last = value.length - 1;
    if (value === '' || !isBreak(value.charCodeAt(last))) this.writeIndicator('-');
    else if (last === 0 || isBreak(value.charCodeAt(last - 1))) this.writeIndicator('+');
  }

  /** The lines of a literal scalar; stands at the beginning of a line. */
  writeLiteralLines(value: string): void {
    this.indention = true;
    this.whitespace = true;
    let breaks = true;
    let from = 0;
    for (let i = 0; i <= value.length; i++) {
      const atBreak = i < value.length && isBreak(value.charCodeAt(i));
      if (i < value.length && !atBreak) continue;
      if (i > from) {
        if (breaks) this.writeIndent();
        this.put(value.slice(from, i));
        this.indention = false;
        breaks = false;
      }
      from = i + 1;
      if (atBreak) {
        this.putBreak(value[i]);
        breaks = true;
      }
    }
  }

  /** The lines of a folded scalar; stands at the beginning of a line. */
  writeFoldedLines(value: string): void {
    this.indention = true;
    this.whitespace = true;
    let breaks = true;
    let leadingSpaces = true;
    for (let i = 0; i < value.length; i++) {
      const c = value.charCodeAt(i);
      if (isBreak(c)) {
        // Go looks at the beginning of the text here, not behind the break.
        if (!breaks && !leadingSpaces && c === 10 && !isBlankOrEnd(afterBreaks(value))) this.putBreak();
        this.putBreak(value[i]);
        breaks = true;
        continue;
      }
      if (breaks) {
        this.writeIndent();
        leadingSpaces = c === 32 || c === 9;
      }
      if (!breaks && c === 32 && value.charCodeAt(i + 1) !== 32 && this.column > this.width) {
        this.writeIndent();
      } else {
        const to = c === 32 ? i + 1 : runEnd(value, i);
        this.put(value.slice(i, to));
        i = to - 1;
      }
      this.indention = false;
      breaks = false;
    }
  }

  writeComment(comment: string): void {
    let breaks = false;
    let marked = false;
    let from = 0;
    for (let i = 0; i <= comment.length; i++) {
      const atBreak = i < comment.length && isBreak(comment.charCodeAt(i));
      if (i < comment.length && !atBreak) continue;
      if (i > from) {
        if (breaks) this.writeIndent();
        if (!marked && comment.charCodeAt(from) !== 35) this.put('# ');
        marked = true;
        this.put(comment.slice(from, i));
        this.indention = false;
        breaks = false;
      }
      from = i + 1;
      if (!atBreak) continue;
      this.putBreak(comment[i]);
      breaks = true;
      marked = false;
    }
    if (!breaks) this.putBreak();
    this.whitespace = true;
  }
}

/** Where a run of characters ends that are neither spaces nor breaks. */
function runEnd(value: string, from: number): number {
  let i = from;
  while (i < value.length) {
    const c = value.charCodeAt(i);
    if (c === 32 || isBreak(c)) break;
    i++;
  }
  return i;
}

/** Where a run of characters ends that need no escape in double quotes and are no spaces. */
function ordinaryEnd(value: string, from: number): number {
  let i = from;
  while (i < value.length) {
    const c = value.charCodeAt(i);
    if (c === 32 || c === 34 || c === 92 || !isPrintable(c) || isBreak(c)) break;
    i++;
  }
  return i;
}

function afterBreaks(value: string): number {
  let k = 0;
  while (k < value.length && isBreak(value.charCodeAt(k))) k++;
  return k < value.length ? value.charCodeAt(k) : 0;
}

const ESCAPES: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  27: '\\e',
  34: '\\"',
  92: '\\\\',
  133: '\\N',
  160: '\\_',
  8232: '\\L',
  8233: '\\P',
};

function escapeChar(c: number): string {
  const hex = c.toString(16).toUpperCase();
  if (ESCAPES[c] !== undefined) return ESCAPES[c];
  if (c <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return c <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

function escapeTag(text: string): string {
  let out = '';
  for (const char of text) {
    if (isWord(char.codePointAt(0)!) || TAG_CHARS.includes(char)) {
      out += char;
      continue;
    }
    for (const byte of ENCODER.encode(char)) out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
