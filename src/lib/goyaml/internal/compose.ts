// Owns the way from events to nodes: aliases, styles, tags, and which node a comment ends up on.
import { YamlError } from '../error.ts';
import { createNode, type NodeStyle, plainStyle, type YamlNode } from '../node.ts';
import { plainTag, shortTag } from '../resolve.ts';
import type { Dialect } from './cursor.ts';
import { ev } from './events.ts';
import { Grammar } from './grammar.ts';

type ScalarStyle = NonNullable<NodeStyle['scalar']>;
const scalarStyles: Readonly<Record<ScalarStyle, NodeStyle>> = {
  double: Object.freeze({ scalar: 'double' }),
  single: Object.freeze({ scalar: 'single' }),
  literal: Object.freeze({ scalar: 'literal' }),
  folded: Object.freeze({ scalar: 'folded' }),
};
const flowStyle: NodeStyle = Object.freeze({ flow: true });

/** Reads documents one by one. */
export class Composer {
  readonly #grammar: Grammar;
  readonly #dialect: Dialect;
  readonly #anchors = new Map<string, YamlNode>();

  constructor(text: string, dialect: Dialect) {
    this.#grammar = new Grammar(text, dialect);
    this.#dialect = dialect;
  }

  /** The next document; undefined at the end. */
  next(): YamlNode | undefined {
    const grammar = this.#grammar;
    // Only now: an error behind the last document asked for must not matter.
    grammar.next();
    if (grammar.type === ev.streamEnd) return undefined;
    // v3 lets an alias reach into an earlier document.
    if (this.#dialect === 'v2') this.#anchors.clear();
    const document = this.#node('document', '');
    grammar.next();
    this.#content(document);
    document.footComment = grammar.footComment;
    return document;
  }

  /** Reads the root node and all below it, without recursion. */
  #content(document: YamlNode): void {
    const grammar = this.#grammar;
    const open: YamlNode[] = [document];
    let parent = document;
    for (;;) {
      switch (grammar.type) {
        case ev.documentEnd:
          return;
        case ev.scalar:
          attach(parent, this.#scalar());
          break;
        case ev.alias:
          attach(parent, this.#alias());
          break;
        case ev.sequenceStart:
        case ev.mappingStart: {
          const node = this.#collection(grammar.type === ev.mappingStart ? 'mapping' : 'sequence');
          open.push(node);
          parent = node;
          break;
        }
        default: {
          const node = open.pop()!;
          close(node, grammar);
          parent = open[open.length - 1]!;
          attach(parent, node);
        }
      }
      grammar.next();
    }
  }

  #node(kind: YamlNode['kind'], tag: string, value = ''): YamlNode {
    const grammar = this.#grammar;
    const node = createNode(kind, tag, value);
    node.line = grammar.line + 1;
    node.column = grammar.column + 1;
    node.headComment = grammar.headComment;
    node.lineComment = grammar.lineComment;
    node.footComment = grammar.footComment;
    if (grammar.anchor !== '') {
      node.anchor = grammar.anchor;
      this.#anchors.set(grammar.anchor, node);
    }
    return node;
  }

  #scalar(): YamlNode {
    const { tag, value, style } = this.#grammar;
    const base = style === undefined ? plainStyle : scalarStyles[style];
    if (this.#dialect === 'v2') {
      const node = this.#node('scalar', shortTag(tag), value);
      node.style = base;
      return node;
    }
    if (tag !== '' && tag !== '!') {
      const node = this.#node('scalar', shortTag(tag), value);
      node.style = tagged(base);
      return node;
    }
    const guessed = style !== undefined ? '!!str' : value === '<<' ? '!!merge' : plainTag(value);
    const node = this.#node('scalar', guessed, value);
    node.style = base;
    return node;
  }

  #alias(): YamlNode {
    const grammar = this.#grammar;
    const target = this.#anchors.get(grammar.value);
    if (target === undefined) {
      throw new YamlError('YamlReference', `yaml: unknown anchor '${grammar.value}' referenced`, {
        line: grammar.line + 1,
        column: grammar.column + 1,
      });
    }
    const node = this.#node('alias', '', grammar.value);
    node.alias = target;
    return node;
  }

  #collection(kind: 'mapping' | 'sequence'): YamlNode {
    const { tag, flow } = this.#grammar;
    const base = flow ? flowStyle : plainStyle;
    const explicit = tag !== '' && tag !== '!';
    const node = this.#node(kind, explicit ? shortTag(tag) : kind === 'mapping' ? '!!map' : '!!seq');
    node.style = explicit ? tagged(base) : base;
    return node;
  }
}

function tagged(style: NodeStyle): NodeStyle {
  return { ...style, tagged: true };
}

/** Hangs a finished node below its parent, and moves feet to the key that they stand under. */
function attach(parent: YamlNode, node: YamlNode): void {
  const { content } = parent;
  content.push(node);
  if (parent.kind !== 'mapping' || node.footComment === '') return;
  if (content.length % 2 === 1) {
    // A foot read with a key stands under the pair before it.
    if (parent.style.flow === true || content.length < 3) return;
    content[content.length - 3]!.footComment = node.footComment;
    node.footComment = '';
    return;
  }
  const key = content[content.length - 2]!;
  if (key.footComment !== '') return;
  key.footComment = node.footComment;
  node.footComment = '';
}

/** Ends a collection: its last comments come with the end. */
function close(node: YamlNode, grammar: Grammar): void {
  node.lineComment = grammar.lineComment;
  node.footComment = grammar.footComment;
  if (node.kind !== 'mapping' || node.style.flow === true || node.footComment === '' || node.content.length < 2) return;
  node.content[node.content.length - 2]!.footComment = node.footComment;
  node.footComment = '';
}
