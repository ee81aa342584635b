// Owns what the emitter knows of the event it is about to write: comments that wait for their place, tag and anchor, what
// forms its text may take. When they are written is emitter.ts.
import { analyze, simpleText } from './analyze.ts';
import type { Dialect } from './cursor.ts';
import type { EmitEvent } from './emit-event.ts';
import { Writer } from './writer.ts';

const NO_FOLDING = Number.POSITIVE_INFINITY;
const V2_WIDTH = 80;

/** The writer, and what waits to be written. */
export class PendingEvent {
  protected readonly writer: Writer;
  protected readonly isV2: boolean;
  protected head = '';
  protected line = '';
  protected foot = '';
  protected tail = '';
  protected tagHandle = '';
  protected tagSuffix = '';
  protected analysis = simpleText;

  constructor(dialect: Dialect, indent: number) {
    this.isV2 = dialect === 'v2';
    this.writer = new Writer(dialect, indent, this.isV2 ? V2_WIDTH : NO_FOLDING);
  }

  protected analyze(event: EmitEvent): void {
    if (event.head !== '') this.head = event.head;
    if (event.line !== '') this.line = event.line;
    if (event.foot !== '') this.foot = event.foot;
    if (event.tail !== '') this.tail = event.tail;
    this.tagHandle = '';
    this.tagSuffix = '';
    if (event.tag !== '') this.#splitTag(event.tag);
    if (event.type === 'scalar') this.analysis = analyze(event.value, this.isV2);
  }

  #splitTag(tag: string): void {
    const handle = tag.startsWith('!') ? '!' : tag.startsWith('tag:yaml.org,2002:') ? '!!' : '';
    this.tagHandle = handle;
    this.tagSuffix = handle === '' ? tag : tag.slice(handle === '!' ? 1 : 18);
  }

  protected hasTrailingComment(): boolean {
    return this.line !== '' || this.foot !== '' || this.tail !== '';
  }

  protected writeHead(): void {
    const writer = this.writer;
    if (this.tail !== '') {
      writer.writeIndent();
      writer.writeComment(this.tail);
      this.tail = '';
      writer.footIndent = Math.max(writer.indent, 0);
    }
    if (this.head === '') return;
    writer.writeIndent();
    writer.writeComment(this.head);
    this.head = '';
  }

  /** Writes the line comment; a block scalar needs the line break even without one. */
  protected writeLine(breaks: boolean): void {
    const writer = this.writer;
    if (this.line === '') {
      if (breaks) writer.putBreak();
      return;
    }
    if (!writer.whitespace) writer.put(' ');
    writer.writeComment(this.line);
    this.line = '';
  }

  protected writeFoot(): void {
    if (this.foot === '') return;
    const writer = this.writer;
    writer.writeIndent();
    writer.writeComment(this.foot);
    this.foot = '';
    writer.footIndent = Math.max(writer.indent, 0);
  }

  protected writeLineAndFoot(): void {
    if (this.line !== '') this.writeLine(false);
    if (this.foot !== '') this.writeFoot();
  }

  protected writeAnchorName(name: string): void {
    this.writer.put(name);
    this.writer.whitespace = false;
    this.writer.indention = false;
  }

  protected writeProperties(event: EmitEvent): void {
    if (event.anchor !== '') {
      this.writer.writeIndicator('&', { space: true });
      this.writeAnchorName(event.anchor);
    }
    if (this.tagHandle !== '' || this.tagSuffix !== '') this.writer.writeTag(this.tagHandle, this.tagSuffix);
  }
}
