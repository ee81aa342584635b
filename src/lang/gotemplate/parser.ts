// Owns the grammar of templates: tokens in, syntax trees out, with Go's messages for what does not parse.
// Each define and block of a text becomes a tree of its own.
import {
  type BranchNode,
  type CommandNode,
  isEmptyTree,
  type ListNode,
  type LoopExitNode,
  type OperandNode,
  type PipeNode,
  type Source,
  type StatementNode,
  type TemplateNode,
  type Tree,
  type VariableNode,
} from './ast.ts';
import { TemplateError } from './errors.ts';
import { quote, unquote } from './gostring.ts';
import { describeToken, type Token } from './lexer.ts';
import { parseNumber } from './number.ts';
import { TokenCursor } from './token-cursor.ts';

/**
 * Deepest nesting of parentheses and of control structures. Go allows 10000 parentheses and any depth of blocks;
 * here each level takes stack, also when the tree is compiled and run.
 */
const MAX_DEPTH = 500;

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

const OPERAND_STARTS: ReadonlySet<string> = new Set([
  'bool',
  'charConstant',
  'complex',
  'field',
  'identifier',
  'number',
  'rawString',
  'string',
  'variable',
  'leftParen',
]);

class Parser {
  readonly #source: Source;
  readonly #hasFunction: (name: string) => boolean;
  readonly #tokens: TokenCursor;
  readonly #trees = new Map<string, Tree>();
  #vars: string[] = ['$'];
  #rangeDepth = 0;
  #depth = 0;
  /** Line of the action being parsed, 0 outside. */
  #actionLine = 0;

  constructor(source: Source, hasFunction: (name: string) => boolean) {
    this.#source = source;
    this.#hasFunction = hasFunction;
    this.#tokens = new TokenCursor(source.text);
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
      if (node.type === 'end' || node.type === 'else') this.#fail(`unexpected {{${node.type}}}`);
      nodes.push(node as StatementNode);
    }
    this.#add(this.#source.name, { type: 'list', source: this.#source, pos, nodes });
    return this.#trees;
  }

  #isKeyword(token: Token, word: string): boolean {
    return token.type === 'keyword' && token.value === word;
  }

  #expect(type: Token['type'], context: string): Token {
    const token = this.#tokens.takeNonSpace();
    if (token.type !== type) this.#unexpected(token, context);
    return token;
  }

  #fail(detail: string): never {
    const { name } = this.#source;
    const { line } = this.#tokens;
    throw new TemplateError('TemplateParse', `template: ${name}:${line}: ${detail}`, { file: name, line, detail });
  }

  #unexpected(token: Token, context: string): never {
    if (token.type !== 'error') this.#fail(`unexpected ${describeToken(token)} in ${context}`);
    if (this.#actionLine === 0 || this.#actionLine === token.line) this.#fail(token.value);
    const where = `started at ${this.#source.name}:${this.#actionLine}`;
    this.#fail(token.value.endsWith(' action') ? `${token.value} ${where}` : `${token.value} in action ${where}`);
  }

  /** Runs a step that turns token text into a value, giving its error the place. */
  #convert<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      return this.#fail((error as Error).message);
    }
  }

  #deeper<T>(make: () => T): T {
    if (this.#depth >= MAX_DEPTH) this.#fail('max expression depth exceeded');
    this.#depth++;
    const made = make();
    this.#depth--;
    return made;
  }

  // ---- definitions

  #startsDefine(): boolean {
    const start = this.#tokens.position;
    this.#tokens.take();
    if (this.#isKeyword(this.#tokens.takeNonSpace(), 'define')) return true;
    this.#tokens.position = start;
    return false;
  }

  #parseDefinition(): void {
    const context = 'define clause';
    const token = this.#tokens.takeNonSpace();
    if (token.type !== 'string' && token.type !== 'rawString') this.#unexpected(token, context);
    const name = this.#convert(() => unquote(token.value));
    this.#expect('rightDelim', context);
    this.#parseBody(name, context);
  }

  /** The list of a define or block, in which no variable of the text around is visible. */
  #parseBody(name: string, context: string): void {
    const outer = { vars: this.#vars, rangeDepth: this.#rangeDepth, actionLine: this.#actionLine };
    this.#vars = ['$'];
    this.#rangeDepth = 0;
    this.#actionLine = 0;
    const { list, end } = this.#itemList();
    if (end.type !== 'end') this.#fail(`unexpected {{${end.type}}} in ${context}`);
    this.#add(name, list);
    this.#vars = outer.vars;
    this.#rangeDepth = outer.rangeDepth;
    this.#actionLine = outer.actionLine;
  }

  #add(name: string, root: ListNode): void {
    const existing = this.#trees.get(name);
    if (existing === undefined || isEmptyTree(existing.root)) {
      this.#trees.set(name, { name, source: this.#source, root });
    } else if (!isEmptyTree(root)) {
      this.#fail(`template: multiple definition of template ${quote(name)}`);
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
    return this.#fail('unexpected EOF');
  }

  #textOrAction(): StatementNode | ListEnd {
    const token = this.#tokens.takeNonSpace();
    if (token.type === 'text') return { type: 'text', source: this.#source, pos: token.pos, text: token.value };
    if (token.type !== 'leftDelim') this.#unexpected(token, 'input');
    this.#actionLine = token.line;
    const node = this.#deeper(() => this.#action());
    this.#actionLine = 0;
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
          return { type: 'end', pos: this.#expect('rightDelim', 'end').pos };
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
    return { type: 'action', source: this.#source, pos, pipe: this.#pipeline('command', 'rightDelim') };
  }

  #loopExit(token: Token, type: 'break' | 'continue'): LoopExitNode {
    const next = this.#tokens.takeNonSpace();
    if (next.type !== 'rightDelim') this.#unexpected(next, `{{${type}}}`);
    if (this.#rangeDepth === 0) this.#fail(`{{${type}}} outside {{range}}`);
    return { type, source: this.#source, pos: token.pos };
  }

  /** `{{else if` and `{{else with` leave their keyword for `#branch`. */
  #elseControl(): ListEnd {
    const next = this.#tokens.peekNonSpace();
    if (this.#isKeyword(next, 'if') || this.#isKeyword(next, 'with')) return { type: 'else', pos: next.pos };
    return { type: 'else', pos: this.#expect('rightDelim', 'else').pos };
  }

  #branch(type: 'if' | 'with' | 'range'): BranchNode {
    const outerVars = this.#vars.length;
    const pipe = this.#pipeline(type, 'rightDelim');
    if (type === 'range') this.#rangeDepth++;
    const { list, end } = this.#itemList();
    if (type === 'range') this.#rangeDepth--;
    const elseList = end.type === 'else' ? this.#elseList(type, end) : undefined;
    this.#vars.length = outerVars;
    return { type, source: this.#source, pos: pipe.pos, pipe, list, ...(elseList && { elseList }) };
  }

  #elseList(type: 'if' | 'with' | 'range', end: ListEnd): ListNode {
    if (type !== 'range' && this.#isKeyword(this.#tokens.peek(), type)) {
      this.#tokens.take();
      const chained = this.#deeper(() => this.#branch(type));
      return { type: 'list', source: this.#source, pos: end.pos, nodes: [chained] };
    }
    const { list, end: last } = this.#itemList();
    if (last.type !== 'end') this.#fail(`expected end; found {{${last.type}}}`);
    return list;
  }

  #block(): TemplateNode {
    const context = 'block clause';
    const token = this.#tokens.takeNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.#pipeline(context, 'rightDelim');
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
    return { ...node, pipe: this.#pipeline(context, 'rightDelim') };
  }

  #templateName(token: Token, context: string): string {
    if (token.type !== 'string' && token.type !== 'rawString') this.#unexpected(token, context);
    return this.#convert(() => unquote(token.value));
  }

  // ---- pipelines

  #pipeline(context: string, end: 'rightDelim' | 'rightParen'): PipeNode {
    const { pos } = this.#tokens.peekNonSpace();
    const { declarations, isAssign } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#tokens.peekNonSpace();
      if (token.type === end) {
        this.#tokens.take();
        this.#checkPipeline(commands, context);
        return { type: 'pipe', source: this.#source, pos, declarations, isAssign, commands };
      }
      if (!this.#startsOperand(token)) this.#unexpected(this.#tokens.take(), context);
      commands.push(this.#command());
    }
  }

  #startsOperand(token: Token): boolean {
    return OPERAND_STARTS.has(token.type) || this.#isKeyword(token, '.') || this.#isKeyword(token, 'nil');
  }

  #declarations(context: string): { declarations: VariableNode[]; isAssign: boolean } {
    const declarations: VariableNode[] = [];
    for (let token = this.#tokens.peekNonSpace(); token.type === 'variable'; token = this.#tokens.peekNonSpace()) {
      const start = this.#tokens.position;
      this.#tokens.take();
      const next = this.#tokens.peekNonSpace();
      const isComma = next.type === 'char' && next.value === ',';
      if (next.type !== 'assign' && next.type !== 'declare' && !isComma) {
        this.#tokens.position = start;
        break;
      }
      this.#tokens.take();
      declarations.push(this.#variable(token));
      this.#vars.push(token.value);
      if (!isComma) return { declarations, isAssign: next.type === 'assign' };
      this.#checkMoreDeclarations(context, declarations.length);
    }
    return { declarations, isAssign: false };
  }

  #checkMoreDeclarations(context: string, count: number): void {
    if (context !== 'range' || count >= 2) this.#fail(`too many declarations in ${context}`);
    const { type } = this.#tokens.peekNonSpace();
    if (type !== 'variable' && type !== 'rightDelim' && type !== 'rightParen') {
      this.#fail('range can only initialize variables');
    }
  }

  #checkPipeline(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    for (let i = 1; i < commands.length; i++) {
      const { type } = commands[i]!.args[0]!;
      if (type === 'bool' || type === 'dot' || type === 'nil' || type === 'number' || type === 'string') {
        this.#fail(`non executable command in pipeline stage ${i + 1}`);
      }
    }
  }

  #command(): CommandNode {
    const { pos } = this.#tokens.peekNonSpace();
    const args: OperandNode[] = [];
    for (;;) {
      this.#tokens.peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#tokens.peek();
      if (token.type === 'rightDelim' || token.type === 'rightParen') break;
      this.#tokens.take();
      if (token.type === 'space') continue;
      if (token.type === 'pipe') break;
      this.#unexpected(token, 'operand');
    }
    if (args.length === 0) this.#fail('empty command');
    return { type: 'command', source: this.#source, pos, args };
  }

  /** A term with the fields that follow it directly. */
  #operand(): OperandNode | undefined {
    const node = this.#term();
    if (node === undefined || this.#tokens.peek().type !== 'field') return node;
    const { pos } = this.#tokens.peek();
    const names: string[] = [];
    while (this.#tokens.peek().type === 'field') names.push(this.#tokens.take().value.slice(1));
    switch (node.type) {
      case 'field':
      case 'variable':
        // The position becomes that of the second element, as messages show it.
        return { ...node, pos, names: [...node.names, ...names] };
      case 'bool':
        return this.#fail(`unexpected . after term ${quote(String(node.value))}`);
      case 'string':
        return this.#fail(`unexpected . after term ${quote(node.quoted)}`);
      case 'number':
        return this.#fail(`unexpected . after term ${quote(node.text)}`);
      case 'nil':
      case 'dot':
        return this.#fail(`unexpected . after term ${quote(node.type === 'nil' ? 'nil' : '.')}`);
      default:
        return { type: 'chain', source: this.#source, pos, node, names };
    }
  }

  #term(): OperandNode | undefined {
    const token = this.#tokens.peekNonSpace();
    const base = { source: this.#source, pos: token.pos };
    switch (token.type) {
      case 'identifier':
        this.#tokens.take();
        if (!this.#hasFunction(token.value)) this.#fail(`function ${quote(token.value)} not defined`);
        return { ...base, type: 'identifier', name: token.value };
      case 'keyword':
        if (token.value !== '.' && token.value !== 'nil') return undefined;
        this.#tokens.take();
        return { ...base, type: token.value === '.' ? 'dot' : 'nil' };
      case 'variable':
        this.#tokens.take();
        return this.#usedVariable(token);
      case 'field':
        this.#tokens.take();
        return { ...base, type: 'field', names: token.value.slice(1).split('.') };
      case 'bool':
        this.#tokens.take();
        return { ...base, type: 'bool', value: token.value === 'true' };
      case 'charConstant':
      case 'complex':
      case 'number': {
        this.#tokens.take();
        const { type } = token;
        return { ...base, type: 'number', text: token.value, ...this.#convert(() => parseNumber(token.value, type)) };
      }
      case 'leftParen':
        this.#tokens.take();
        return this.#deeper(() => this.#pipeline('parenthesized pipeline', 'rightParen'));
      case 'string':
      case 'rawString':
        this.#tokens.take();
        return { ...base, type: 'string', quoted: token.value, value: this.#convert(() => unquote(token.value)) };
      default:
        return undefined;
    }
  }

  #variable(token: Token): VariableNode {
    return { type: 'variable', source: this.#source, pos: token.pos, names: token.value.split('.') };
  }

  #usedVariable(token: Token): VariableNode {
    const variable = this.#variable(token);
    const name = variable.names[0]!;
    if (!this.#vars.includes(name)) this.#fail(`undefined variable ${quote(name)}`);
    return variable;
  }
}
