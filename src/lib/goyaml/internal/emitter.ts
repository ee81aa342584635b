// Owns the emitter's states: what is written between scalars, where lines break, and where comments go. What is known of
// the event being written is pending-event.ts.
import type { NodeStyle } from '../node.ts';
import type { Dialect } from './cursor.ts';
import type { EmitEvent } from './emit-event.ts';
import { PendingEvent } from './pending-event.ts';

export interface EmitterOptions {
  readonly dialect: Dialect;
  /** 2 to 9. */
  readonly indent: number;
  /** v3: `- ` counts as part of a sequence's indentation below a key. */
  readonly compact: boolean;
}

const st = Object.freeze({
  root: 0,
  documentEnd: 1,
  flowSequenceFirst: 2,
  flowSequence: 3,
  flowSequenceTrail: 4,
  flowMappingFirst: 5,
  flowMappingKey: 6,
  flowMappingTrail: 7,
  flowMappingSimpleValue: 8,
  flowMappingValue: 9,
  blockSequenceFirst: 10,
  blockSequence: 11,
  blockMappingFirst: 12,
  blockMappingKey: 13,
  blockMappingSimpleValue: 14,
  blockMappingValue: 15,
} as const);

const MAX_SIMPLE_KEY = 128;

/** Writes events as YAML, one document after another. */
export class Emitter extends PendingEvent {
  readonly #compact: boolean;
  #state: number = st.root;
  readonly #states: number[] = [];
  readonly #indents: number[] = [];
  #flowLevel = 0;
  #mappingContext = false;
  #keyContext = false;
  #first = true;
  #keyLine = '';

  constructor(options: EmitterOptions) {
    super(options.dialect, options.indent);
    this.#compact = options.compact;
  }

  get output(): string {
    return this.writer.output;
  }

  startDocument(head: string): void {
    const writer = this.writer;
    if (!this.#first) {
      writer.writeIndent();
      writer.writeIndicator('---', { space: true });
      writer.writeIndent();
    }
    this.#first = false;
    if (head !== '') this.head = head;
    if (this.head !== '') {
      this.writeHead();
      writer.putBreak();
    }
    this.#state = st.root;
  }

  endDocument(foot: string): void {
    const writer = this.writer;
    if (foot !== '') this.foot = foot;
    writer.footIndent = 0;
    this.writeFoot();
    writer.footIndent = -1;
    writer.writeIndent();
  }

  /** Writes one event of a document. */
  emit(event: EmitEvent) {
    this.analyze(event);
    switch (this.#state) {
      case st.root:
        this.#states.push(st.documentEnd);
        this.writeHead();
        this.#node(event, false, false);
        return this.writeLineAndFoot();
      case st.flowSequenceFirst:
        return this.#flowItem(event, true, false);
      case st.flowSequence:
        return this.#flowItem(event, false, false);
      case st.flowSequenceTrail:
        return this.#flowItem(event, false, true);
      case st.flowMappingFirst:
        return this.#flowKey(event, true, false);
      case st.flowMappingKey:
        return this.#flowKey(event, false, false);
      case st.flowMappingTrail:
        return this.#flowKey(event, false, true);
      case st.flowMappingSimpleValue:
        return this.#flowValue(event, true);
      case st.flowMappingValue:
        return this.#flowValue(event, false);
      case st.blockSequenceFirst:
        return this.#blockItem(event, true);
      case st.blockSequence:
        return this.#blockItem(event, false);
      case st.blockMappingFirst:
        return this.#blockKey(event, true);
      case st.blockMappingKey:
        return this.#blockKey(event, false);
      case st.blockMappingSimpleValue:
        return this.#blockValue(event, true);
      default:
        return this.#blockValue(event, false);
    }
  }

  #increaseIndent(flow: boolean, indentless: boolean, compact: boolean): void {
    const writer = this.writer;
    const { bestIndent } = writer;
    this.#indents.push(writer.indent);
    if (writer.indent < 0) {
      writer.indent = flow ? bestIndent : 0;
    } else if (!indentless) {
      if (this.isV2) {
        writer.indent += bestIndent;
      } else if (this.#states[this.#states.length - 1] === st.blockSequence) {
        // The first level inside a sequence only skips its `- `.
        writer.indent += 2;
      } else {
        writer.indent = bestIndent * Math.floor((writer.indent + bestIndent) / bestIndent) - (compact ? 2 : 0);
      }
    }
  }

  #decreaseIndent(): void {
    this.writer.indent = this.#indents.pop()!;
  }

  #endCollection(): void {
    this.#state = this.#states.pop()!;
  }

  #flowItem(event: EmitEvent, first: boolean, trail: boolean) {
    const writer = this.writer;
    if (first) {
      writer.writeIndicator('[', { space: true, opens: true });
      this.#increaseIndent(true, false, false);
      this.#flowLevel++;
    }
    if (event.type === 'sequenceEnd') {
      this.#flowLevel--;
      this.#decreaseIndent();
      if (writer.column === 0 && !this.isV2) writer.writeIndent();
      writer.writeIndicator(']');
      this.writeLineAndFoot();
      return this.#endCollection();
    }
    if (!first && !trail) writer.writeIndicator(',');
    this.writeHead();
    if (writer.column === 0 || writer.column > writer.width) writer.writeIndent();
    this.#states.push(this.hasTrailingComment() ? st.flowSequenceTrail : st.flowSequence);
    this.#node(event, false, false);
    if (this.hasTrailingComment()) writer.writeIndicator(',');
    this.writeLineAndFoot();
  }

  #flowKey(event: EmitEvent, first: boolean, trail: boolean) {
    const writer = this.writer;
    if (first) {
      writer.writeIndicator('{', { space: true, opens: true });
      this.#increaseIndent(true, false, false);
      this.#flowLevel++;
    }
    if (event.type === 'mappingEnd') {
      const commented = this.head !== '' || this.foot !== '' || this.tail !== '';
      if (commented && !first && !trail) writer.writeIndicator(',');
      this.writeHead();
      this.#flowLevel--;
      this.#decreaseIndent();
      writer.writeIndicator('}');
      this.writeLineAndFoot();
      return this.#endCollection();
    }
    if (!first && !trail) writer.writeIndicator(',');
    this.writeHead();
    if (writer.column === 0 || writer.column > writer.width) writer.writeIndent();
    if (this.#isSimpleKey(event)) {
      this.#states.push(st.flowMappingSimpleValue);
      return this.#node(event, true, true);
    }
    writer.writeIndicator('?', { space: true });
    this.#states.push(st.flowMappingValue);
    this.#node(event, true, false);
  }

  #flowValue(event: EmitEvent, simple: boolean): void {
    const writer = this.writer;
    if (simple) {
      writer.writeIndicator(':');
    } else {
      if (writer.column > writer.width) writer.writeIndent();
      writer.writeIndicator(':', { space: true });
    }
    this.#states.push(this.hasTrailingComment() ? st.flowMappingTrail : st.flowMappingKey);
    this.#node(event, true, false);
    if (this.hasTrailingComment()) writer.writeIndicator(',');
    this.writeLineAndFoot();
  }

  #blockItem(event: EmitEvent, first: boolean) {
    const writer = this.writer;
    if (first) {
      const belowKey = this.#mappingContext;
      if (this.isV2) {
        this.#increaseIndent(false, belowKey && !writer.indention, false);
      } else {
        const compact = belowKey && (writer.column === 0 || !writer.indention) && this.#compact;
        this.#increaseIndent(false, false, compact);
      }
    }
    if (event.type === 'sequenceEnd') {
      this.#decreaseIndent();
      return this.#endCollection();
    }
    this.writeHead();
    writer.writeIndent();
    writer.writeIndicator('-', { space: true, indents: true });
    this.#states.push(st.blockSequence);
    this.#node(event, false, false);
    this.writeLineAndFoot();
  }

  #blockKey(event: EmitEvent, first: boolean) {
    const writer = this.writer;
    if (first) this.#increaseIndent(false, false, false);
    this.writeHead();
    if (event.type === 'mappingEnd') {
      this.#decreaseIndent();
      return this.#endCollection();
    }
    writer.writeIndent();
    if (this.line !== '') {
      // A comment on the key's line is kept for the value.
      this.#keyLine = this.line;
      this.line = '';
    }
    if (this.#isSimpleKey(event)) {
      this.#states.push(st.blockMappingSimpleValue);
      return this.#node(event, true, true);
    }
    writer.writeIndicator('?', { space: true, indents: true });
    this.#states.push(st.blockMappingValue);
    this.#node(event, true, false);
  }

  #blockValue(event: EmitEvent, simple: boolean): void {
    const writer = this.writer;
    if (simple) {
      writer.writeIndicator(':');
    } else {
      writer.writeIndent();
      writer.writeIndicator(':', { space: true, indents: true });
    }
    if (this.#keyLine !== '') this.#placeKeyComment(event);
    this.#states.push(st.blockMappingKey);
    this.#node(event, true, false);
    this.writeLineAndFoot();
  }

  #placeKeyComment(event: EmitEvent): void {
    if (event.type === 'scalar') {
      if (this.line !== '') return;
      this.line = this.#keyLine;
      this.#keyLine = '';
    } else if (!event.flow && (event.type === 'mappingStart' || event.type === 'sequenceStart')) {
      // A block follows below, so the comment is written now.
      const own = this.line;
      this.line = this.#keyLine;
      this.writeLine(false);
      this.#keyLine = this.line;
      this.line = own;
    }
  }

  #node(event: EmitEvent, mapping: boolean, key: boolean) {
    this.#mappingContext = mapping;
    this.#keyContext = key;
    switch (event.type) {
      case 'alias':
        this.writer.writeIndicator('*', { space: true });
        this.writeAnchorName(event.anchor);
        return this.#endCollection();
      case 'scalar':
        return this.#scalar(event);
      case 'sequenceStart':
        this.writeProperties(event);
        this.#state = this.#isFlow(event) ? st.flowSequenceFirst : st.blockSequenceFirst;
        return;
      case 'mappingStart':
        this.writeProperties(event);
        this.#state = this.#isFlow(event) ? st.flowMappingFirst : st.blockMappingFirst;
        return;
      default:
        throw new TypeError(`unexpected ${event.type}`);
    }
  }

  #isFlow(event: EmitEvent): boolean {
    return this.#flowLevel > 0 || event.flow || event.empty;
  }

  #isSimpleKey(event: EmitEvent): boolean {
    const length = event.anchor.length + this.tagHandle.length + this.tagSuffix.length;
    switch (event.type) {
      case 'alias':
        return event.anchor.length <= MAX_SIMPLE_KEY;
      case 'scalar':
        return !this.analysis.multiline && length + byteLength(event.value) <= MAX_SIMPLE_KEY;
      case 'sequenceStart':
      case 'mappingStart':
        return event.empty && length <= MAX_SIMPLE_KEY;
      default:
        return false;
    }
  }

  #scalar(event: EmitEvent): void {
    const style = this.#selectStyle(event);
    this.writeProperties(event);
    this.#increaseIndent(true, false, false);
    const writer = this.writer;
    const mayFold = !this.#keyContext;
    switch (style) {
      case undefined:
        writer.writePlain(event.value, mayFold);
        break;
      case 'single':
        writer.writeSingleQuoted(event.value, mayFold);
        break;
      case 'double':
        writer.writeDoubleQuoted(event.value, mayFold);
        break;
      case 'literal':
      case 'folded':
        writer.writeIndicator(style === 'literal' ? '|' : '>', { space: true });
        writer.writeBlockHints(event.value);
        this.writeLine(true);
        if (style === 'literal') writer.writeLiteralLines(event.value);
        else writer.writeFoldedLines(event.value);
    }
    this.#decreaseIndent();
    this.#endCollection();
  }

  #selectStyle(event: EmitEvent): NodeStyle['scalar'] {
    const analysis = this.analysis;
    let style = event.style;
    if (this.#keyContext && analysis.multiline) style = 'double';
    if (style === undefined) {
      const allowed = this.#flowLevel > 0 ? analysis.flowPlain : analysis.blockPlain;
      if (!allowed || (event.value === '' && (this.#flowLevel > 0 || this.#keyContext))) style = 'single';
    }
    if (style === 'single' && !analysis.single) return 'double';
    if (style === 'literal' || style === 'folded') {
      if (!analysis.block || this.#flowLevel > 0 || this.#keyContext) return 'double';
    }
    return style;
  }
}

function byteLength(text: string): number {
  return text.length * 3 <= MAX_SIMPLE_KEY || text.length > MAX_SIMPLE_KEY ? text.length : Buffer.byteLength(text);
}
