// Owns the grammar of templates: tokens in, syntax trees out, with Go's messages for what does not parse.
// Each define and block of a text becomes a tree of its own. What stands inside an action is pipeline-parser.ts.
import {
  type BranchNode,
  isEmptyTree,
  type ListNode,
  type LoopExitNode,
  type Source,
  type StatementNode,
  type TemplateNode,
  type Tree,
} from './ast.ts';
import { quote, unquote } from './gostring.ts';
import type { Token } from './lexer.ts';
import { PipelineParser } from './pipeline-parser.ts';
import type { TokenCursor } from './token-cursor.ts';

/**
 * Parses a text into trees by template name, the text's own under `name`.
 * Throws TemplateError `TemplateParse` with `template: NAME:LINE: …`.
 * @param hasFunction tells which function names exist: unknown ones fail here, as in Go.
 */
export function parseTemplate(
  name: string,
  text: string,
  hasFunction: (name: string) => boolean,
): ReadonlyMap<string, Tree> {
  return new Parser({ name, text }, hasFunction).parseFile();
}

/** `{{end}}` and `{{else}}` end a list and never reach the tree. */
interface ListEnd {
  readonly type: 'end' | 'else';
  readonly pos: number;
}

class Parser {
  readonly #source: Source;
  readonly #pipelines: PipelineParser;
  readonly #tokens: TokenCursor;
  readonly #trees = new Map<string, Tree>();
  #rangeDepth = 0;

  constructor(source: Source, hasFunction: (name: string) => boolean) {
    this.#source = source;
    this.#pipelines = new PipelineParser(source, hasFunction);
    this.#tokens = this.#pipelines.tokens;
  }

  parseFile(): ReadonlyMap<string, Tree> {
    const nodes: StatementNode[] = [];
    const pos = this.#tokens.peek().pos;
    for (let token = this.#tokens.peek(); token.type !== 'eof'; token = this.#tokens.peek()) {
      if (token.type === 'leftDelim' && this.#startsDefine()) {
        this.#parseDefinition();
        continue;
      }
      const node = this.#textOrAction();
      if (node.type === 'end' || node.type === 'else') this.#pipelines.fail(`unexpected {{${node.type}}}`);
      nodes.push(node as StatementNode);
    }
    this.#add(this.#source.name, { type: 'list', source: this.#source, pos, nodes });
    return this.#trees;
  }

  // ---- definitions

  #startsDefine(): boolean {
    const start = this.#tokens.position;
    this.#tokens.take();
    if (this.#pipelines.isKeyword(this.#tokens.takeNonSpace(), 'define')) return true;
    this.#tokens.position = start;
    return false;
  }

  #parseDefinition(): void {
    const context = 'define clause';
    const token = this.#tokens.takeNonSpace();
    if (token.type !== 'string' && token.type !== 'rawString') this.#pipelines.unexpected(token, context);
    const name = this.#pipelines.convert(() => unquote(token.value));
    this.#pipelines.expect('rightDelim', context);
    this.#parseBody(name, context);
  }

  /** The list of a define or block, in which no variable of the text around is visible. */
  #parseBody(name: string, context: string): void {
    const outer = { vars: this.#pipelines.vars, rangeDepth: this.#rangeDepth, actionLine: this.#pipelines.actionLine };
    this.#pipelines.vars = ['$'];
    this.#rangeDepth = 0;
    this.#pipelines.actionLine = 0;
    const { list, end } = this.#itemList();
    if (end.type !== 'end') this.#pipelines.fail(`unexpected {{${end.type}}} in ${context}`);
    this.#add(name, list);
    this.#pipelines.vars = outer.vars;
    this.#rangeDepth = outer.rangeDepth;
    this.#pipelines.actionLine = outer.actionLine;
  }

  #add(name: string, root: ListNode): void {
    const existing = this.#trees.get(name);
    if (existing === undefined || isEmptyTree(existing.root)) {
      this.#trees.set(name, { name, source: this.#source, root });
    } else if (!isEmptyTree(root)) {
      this.#pipelines.fail(`template: multiple definition of template ${quote(name)}`);
    }
  }

  // ---- statements

  #itemList(): { list: ListNode; end: ListEnd } {
    const pos = this.#tokens.peekNonSpace().pos;
    const nodes: StatementNode[] = [];
    while (this.#tokens.peekNonSpace().type !== 'eof') {
      const node = this.#textOrAction();
      if (node.type === 'end' || node.type === 'else') {
        return { list: { type: 'list', source: this.#source, pos, nodes }, end: node as ListEnd };
      }
      nodes.push(node as StatementNode);
    }
    return this.#pipelines.fail('unexpected EOF');
  }

  #textOrAction(): StatementNode | ListEnd {
    const token = this.#tokens.takeNonSpace();
    if (token.type === 'text') return { type: 'text', source: this.#source, pos: token.pos, text: token.value };
    if (token.type !== 'leftDelim') this.#pipelines.unexpected(token, 'input');
    this.#pipelines.actionLine = token.line;
    const node = this.#pipelines.deeper(() => this.#action());
    this.#pipelines.actionLine = 0;
    return node;
  }

  #action(): StatementNode | ListEnd {
    const start = this.#tokens.position;
    const token = this.#tokens.takeNonSpace();
    if (token.type === 'keyword') {
      switch (token.value) {
        case 'block':
          return this.#block();
        case 'break':
        case 'continue':
          return this.#loopExit(token, token.value);
        case 'else':
          return this.#elseControl();
        case 'end':
          return { type: 'end', pos: this.#pipelines.expect('rightDelim', 'end').pos };
        case 'if':
        case 'range':
        case 'with':
          return this.#branch(token.value);
        case 'template':
          return this.#template();
      }
    }
    this.#tokens.position = start;
    const { pos } = this.#tokens.peekNonSpace();
    return { type: 'action', source: this.#source, pos, pipe: this.#pipelines.pipeline('command', 'rightDelim') };
  }

  #loopExit(token: Token, type: 'break' | 'continue'): LoopExitNode {
    const next = this.#tokens.takeNonSpace();
    if (next.type !== 'rightDelim') this.#pipelines.unexpected(next, `{{${type}}}`);
    if (this.#rangeDepth === 0) this.#pipelines.fail(`{{${type}}} outside {{range}}`);
    return { type, source: this.#source, pos: token.pos };
  }

  /** `{{else if` and `{{else with` leave their keyword for `#branch`. */
  #elseControl(): ListEnd {
    const next = this.#tokens.peekNonSpace();
    if (this.#pipelines.isKeyword(next, 'if') || this.#pipelines.isKeyword(next, 'with'))
      return { type: 'else', pos: next.pos };
    return { type: 'else', pos: this.#pipelines.expect('rightDelim', 'else').pos };
  }

  #branch(type: 'if' | 'with' | 'range'): BranchNode {
    const outerVars = this.#pipelines.vars.length;
    const pipe = this.#pipelines.pipeline(type, 'rightDelim');
    if (type === 'range') this.#rangeDepth++;
    const { list, end } = this.#itemList();
    if (type === 'range') this.#rangeDepth--;
    const elseList = end.type === 'else' ? this.#elseList(type, end) : undefined;
    this.#pipelines.vars.length = outerVars;
    return { type, source: this.#source, pos: pipe.pos, pipe, list, ...(elseList && { elseList }) };
  }

  #elseList(type: 'if' | 'with' | 'range', end: ListEnd): ListNode {
    if (type !== 'range' && this.#pipelines.isKeyword(this.#tokens.peek(), type)) {
      this.#tokens.take();
      const chained = this.#pipelines.deeper(() => this.#branch(type));
      return { type: 'list', source: this.#source, pos: end.pos, nodes: [chained] };
    }
    const { list, end: last } = this.#itemList();
    if (last.type !== 'end') this.#pipelines.fail(`expected end; found {{${last.type}}}`);
    return list;
  }

  #block(): TemplateNode {
    const context = 'block clause';
    const token = this.#tokens.takeNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.#pipelines.pipeline(context, 'rightDelim');
    this.#parseBody(name, context);
    return { type: 'template', source: this.#source, pos: token.pos, name, pipe };
  }

  #template(): TemplateNode {
    const context = 'template clause';
    const token = this.#tokens.takeNonSpace();
    const name = this.#templateName(token, context);
    const node = { type: 'template', source: this.#source, pos: token.pos, name } as const;
    if (this.#tokens.peekNonSpace().type === 'rightDelim') {
      this.#tokens.take();
      return node;
    }
    return { ...node, pipe: this.#pipelines.pipeline(context, 'rightDelim') };
  }

  #templateName(token: Token, context: string): string {
    if (token.type !== 'string' && token.type !== 'rawString') this.#pipelines.unexpected(token, context);
    return this.#pipelines.convert(() => unquote(token.value));
  }
}
