// Owns YAML's grammar: tokens in, events out, with an explicit stack, so that depth costs no call stack.
import { Events, ev } from './events.ts';
import { DEFAULT_TAGS, state } from './grammar-state.ts';
import { type Token, tok } from './token.ts';

/** Reads one event after another. */
export class Grammar extends Events {
  #state: number = state.implicitDocumentStart;
  readonly #states: number[] = [];
  readonly #starts: Token[] = [];
  readonly #tags = new Map<string, string>();
  /** Moves on to the next event. */
  next(): void {
    this.#step();
    if (this.putOff !== undefined) throw this.putOff;
  }

  #step() {
    switch (this.#state) {
      case state.implicitDocumentStart:
        return this.#documentStart(true);
      case state.documentStart:
        return this.#documentStart(false);
      case state.documentContent:
        return this.#documentContent();
      case state.documentEnd:
        return this.#documentEnd();
      case state.blockNode:
        return this.#node(this.peek(), true, false);
      case state.blockSequenceFirst:
        this.#open();
        return this.#blockSequence();
      case state.blockSequence:
        return this.#blockSequence();
      case state.indentlessSequence:
        return this.#indentlessSequence();
      case state.blockMappingFirst:
        this.#open();
        return this.#blockMappingKey();
      case state.blockMappingKey:
        return this.#blockMappingKey();
      case state.blockMappingValue:
        return this.#blockMappingValue();
      case state.flowSequenceFirst:
        this.#open();
        return this.#flowSequence(true);
      case state.flowSequence:
        return this.#flowSequence(false);
      case state.flowPairKey:
        return this.#flowPairKey();
      case state.flowPairValue:
        return this.#flowPairValue();
      case state.flowPairEnd:
        this.event(ev.mappingEnd, this.peek());
        this.#state = state.flowSequence;
        return;
      case state.flowMappingFirst:
        this.#open();
        return this.#flowMappingKey(true);
      case state.flowMappingKey:
        return this.#flowMappingKey(false);
      case state.flowMappingValue:
        return this.#flowMappingValue(false);
      case state.flowMappingEmpty:
        return this.#flowMappingValue(true);
      default:
        this.type = ev.streamEnd;
    }
  }

  #open(): void {
    this.#starts.push(this.peek());
    this.scanner.take();
  }

  #close(): void {
    this.#state = this.#states.pop()!;
    this.#starts.pop();
  }

  #documentStart(implicit: boolean): void {
    let token = this.peek();
    if (!implicit) while (token.type === tok.documentEnd) token = this.take();
    if (token.type === tok.streamEnd) {
      this.#state = state.end;
      this.event(ev.streamEnd, token);
      this.scanner.take();
      return;
    }
    const bare =
      implicit &&
      token.type !== tok.versionDirective &&
      token.type !== tok.tagDirective &&
      token.type !== tok.documentStart;
    const start = token;
    token = this.#directives(token);
    this.#states.push(state.documentEnd);
    if (bare) {
      this.#state = state.blockNode;
      this.event(ev.documentStart, start);
      this.headComment = this.splitDocumentHead();
      return;
    }
    if (token.type !== tok.documentStart) this.scanner.failGrammar('did not find expected <document start>', token);
    this.#state = state.documentContent;
    this.event(ev.documentStart, start);
    this.scanner.take();
  }

  #directives(token: Token): Token {
    let version = false;
    while (token.type === tok.versionDirective || token.type === tok.tagDirective) {
      if (token.type === tok.versionDirective) {
        if (version) this.scanner.failGrammar('found duplicate %YAML directive', token);
        if (token.suffix !== '1.1') this.scanner.failGrammar('found incompatible YAML document', token);
        version = true;
      } else {
        if (this.#tags.has(token.value)) this.scanner.failGrammar('found duplicate %TAG directive', token);
        this.#tags.set(token.value, token.suffix);
      }
      token = this.take();
    }
    for (const [handle, prefix] of DEFAULT_TAGS) if (!this.#tags.has(handle)) this.#tags.set(handle, prefix);
    return token;
  }

  #documentContent() {
    const token = this.peek();
    switch (token.type) {
      case tok.versionDirective:
      case tok.tagDirective:
      case tok.documentStart:
      case tok.documentEnd:
      case tok.streamEnd:
        this.#state = this.#states.pop()!;
        return this.empty(token, token.column);
    }
    this.#node(token, true, false);
  }

  #documentEnd(): void {
    const token = this.peek();
    this.event(ev.documentEnd, token);
    if (token.type === tok.documentEnd) this.scanner.take();
    this.#tags.clear();
    this.#state = state.documentStart;
    this.giveComments();
    if (this.headComment !== '' && this.footComment === '') {
      this.footComment = this.headComment;
      this.headComment = '';
    }
  }

  #node(token: Token, block: boolean, indentless: boolean): void {
    if (token.type === tok.alias) {
      this.#state = this.#states.pop()!;
      this.event(ev.alias, token);
      this.value = token.value;
      this.giveComments();
      this.scanner.take();
      return;
    }
    const start = token;
    let anchor = '';
    let tag: Token | undefined;
    if (token.type === tok.anchor) {
      anchor = token.value;
      token = this.take();
      if (token.type === tok.tag) {
        tag = token;
        token = this.take();
      }
    } else if (token.type === tok.tag) {
      tag = token;
      token = this.take();
      if (token.type === tok.anchor) {
        anchor = token.value;
        token = this.take();
      }
    }
    const fullTag = tag === undefined ? '' : this.#resolveTag(tag, start);
    this.#content(token, start, { block, indentless, bare: anchor === '' && fullTag === '' });
    this.anchor = anchor;
    this.tag = fullTag;
  }

  #resolveTag(tag: Token, start: Token): string {
    if (tag.value === '') return tag.suffix;
    const prefix = this.#tags.get(tag.value);
    const full = prefix === undefined ? '' : prefix + tag.suffix;
    if (full === '') {
      this.scanner.failGrammar('found undefined tag handle', tag, start);
    }
    return full;
  }

  #content(token: Token, start: Token, o: { block: boolean; indentless: boolean; bare: boolean }) {
    switch (token.type) {
      case tok.scalar:
        this.#state = this.#states.pop()!;
        this.event(ev.scalar, start);
        this.value = token.value;
        this.style = token.style;
        this.giveComments();
        this.scanner.take();
        return;
      case tok.flowSequenceStart:
        this.#state = state.flowSequenceFirst;
        this.event(ev.sequenceStart, start);
        this.flow = true;
        return this.giveComments();
      case tok.flowMappingStart:
        this.#state = state.flowMappingFirst;
        this.event(ev.mappingStart, start);
        this.flow = true;
        return this.giveComments();
      case tok.blockEntry:
        if (!o.indentless) break;
        this.#state = state.indentlessSequence;
        return this.event(ev.sequenceStart, start);
      case tok.blockSequenceStart:
        if (!o.block) break;
        this.#state = state.blockSequenceFirst;
        this.event(ev.sequenceStart, start);
        return this.giveStem();
      case tok.blockMappingStart:
        if (!o.block) break;
        this.#state = state.blockMappingFirst;
        this.event(ev.mappingStart, start);
        return this.giveStem();
    }
    if (!o.bare) {
      this.#state = this.#states.pop()!;
      return this.event(ev.scalar, start);
    }
    this.scanner.failGrammar('did not find expected node content', token, start);
  }

  #blockSequence() {
    const entry = this.peek();
    if (entry.type === tok.blockEntry) {
      const token = this.takeEntry();
      if (token.type !== tok.blockEntry && token.type !== tok.blockEnd) {
        this.#states.push(state.blockSequence);
        return this.#node(token, true, false);
      }
      this.#state = state.blockSequence;
      return this.empty(entry, entry.endColumn);
    }
    if (entry.type !== tok.blockEnd) {
      this.scanner.failGrammar("did not find expected '-' indicator", entry, this.#starts.at(-1)!);
    }
    this.#close();
    this.event(ev.sequenceEnd, entry);
    this.scanner.take();
  }

  #indentlessSequence() {
    const entry = this.peek();
    if (entry.type !== tok.blockEntry) {
      this.#state = this.#states.pop()!;
      return this.event(ev.sequenceEnd, entry);
    }
    const { type } = this.takeEntry();
    const token = this.peek();
    if (type !== tok.blockEntry && type !== tok.key && type !== tok.value && type !== tok.blockEnd) {
      this.#states.push(state.indentlessSequence);
      return this.#node(token, true, false);
    }
    this.#state = state.indentlessSequence;
    this.empty(entry, entry.endColumn);
  }

  #blockMappingKey() {
    const key = this.peek();
    if (key.type === tok.key) return this.#blockMappingNode(key, state.blockMappingValue);
    if (key.type !== tok.blockEnd) {
      this.scanner.failGrammar('did not find expected key', key, this.#starts.at(-1)!);
    }
    this.#close();
    this.event(ev.mappingEnd, key);
    this.giveComments();
    this.scanner.take();
  }

  #blockMappingValue() {
    const value = this.peek();
    if (value.type === tok.value) return this.#blockMappingNode(value, state.blockMappingKey);
    this.#state = state.blockMappingKey;
    this.empty(value, value.column);
  }

  /** What stands behind `?` or `:` in a block. */
  #blockMappingNode(indicator: Token, after: number) {
    const token = this.take();
    const { type } = token;
    if (type !== tok.key && type !== tok.value && type !== tok.blockEnd) {
      this.#states.push(after);
      return this.#node(token, true, true);
    }
    this.#state = after;
    this.empty(indicator, indicator.endColumn);
  }

  #flowSequence(first: boolean) {
    let token = this.peek();
    if (token.type !== tok.flowSequenceEnd) {
      if (!first) token = this.#flowSeparator(token, "did not find expected ',' or ']'");
      if (token.type === tok.key) {
        this.#state = state.flowPairKey;
        this.event(ev.mappingStart, token);
        this.flow = true;
        this.scanner.take();
        return;
      }
      if (token.type !== tok.flowSequenceEnd) {
        this.#states.push(state.flowSequence);
        return this.#node(token, false, false);
      }
    }
    this.#close();
    this.event(ev.sequenceEnd, token);
    this.giveComments();
    this.scanner.take();
  }

  #flowSeparator(token: Token, problem: string): Token {
    if (token.type === tok.flowEntry) return this.take();
    return this.scanner.failGrammar(problem, token, this.#starts.at(-1)!);
  }

  #flowPairKey() {
    const token = this.peek();
    if (token.type !== tok.value && token.type !== tok.flowEntry && token.type !== tok.flowSequenceEnd) {
      this.#states.push(state.flowPairValue);
      return this.#node(token, false, false);
    }
    // As in libyaml, the indicator is gone with the empty key.
    this.scanner.take();
    this.#state = state.flowPairValue;
    this.empty(token, token.endColumn);
  }

  #flowPairValue() {
    const value = this.peek();
    if (value.type === tok.value) {
      const token = this.take();
      if (token.type !== tok.flowEntry && token.type !== tok.flowSequenceEnd) {
        this.#states.push(state.flowPairEnd);
        return this.#node(token, false, false);
      }
    }
    this.#state = state.flowPairEnd;
    this.empty(value, value.column);
  }

  #flowMappingKey(first: boolean) {
    let token = this.peek();
    if (token.type !== tok.flowMappingEnd) {
      if (!first) token = this.#flowSeparator(token, "did not find expected ',' or '}'");
      if (token.type === tok.key) {
        token = this.take();
        if (token.type !== tok.value && token.type !== tok.flowEntry && token.type !== tok.flowMappingEnd) {
          this.#states.push(state.flowMappingValue);
          return this.#node(token, false, false);
        }
        this.#state = state.flowMappingValue;
        return this.empty(token, token.column);
      }
      if (token.type !== tok.flowMappingEnd) {
        this.#states.push(state.flowMappingEmpty);
        return this.#node(token, false, false);
      }
    }
    this.#close();
    this.event(ev.mappingEnd, token);
    this.giveComments();
    this.scanner.take();
  }

  #flowMappingValue(empty: boolean) {
    let token = this.peek();
    if (!empty && token.type === tok.value) {
      token = this.take();
      if (token.type !== tok.flowEntry && token.type !== tok.flowMappingEnd) {
        this.#states.push(state.flowMappingKey);
        return this.#node(token, false, false);
      }
    }
    this.#state = state.flowMappingKey;
    this.empty(token, token.column);
  }
}
