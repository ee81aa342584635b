// Owns the grammar inside an action: pipelines, commands, operands, and the errors of parsing, which quote the action
// they happened in. What the actions of a text amount to is parser.ts.
import type { CommandNode, OperandNode, PipeNode, Source, VariableNode } from './ast.ts';
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

/** Reads the insides of actions of one text, one after another. */
export class PipelineParser {
  readonly source: Source;
  readonly tokens: TokenCursor;
  /** Variables that are visible here. */
  vars: string[] = ['$'];
  /** Line of the action being parsed, 0 outside. */
  actionLine = 0;
  readonly #hasFunction: (name: string) => boolean;
  #depth = 0;

  constructor(source: Source, hasFunction: (name: string) => boolean) {
    this.source = source;
    this.#hasFunction = hasFunction;
    this.tokens = new TokenCursor(source.text);
  }

  /** True for that keyword. */
  isKeyword(token: Token, word: string): boolean {
    return token.type === 'keyword' && token.value === word;
  }

  /** The next token, which has to be of that type. */
  expect(type: Token['type'], context: string): Token {
    const token = this.tokens.takeNonSpace();
    if (token.type !== type) this.unexpected(token, context);
    return token;
  }

  /** Throws TemplateError at the current line. */
  fail(detail: string): never {
    const { name } = this.source;
    const { line } = this.tokens;
    throw new TemplateError('TemplateParse', `template: ${name}:${line}: ${detail}`, { file: name, line, detail });
  }

  /** The complaint about a token that has no place here; the lexer's own where it is an error. */
  unexpected(token: Token, context: string): never {
    if (token.type !== 'error') this.fail(`unexpected ${describeToken(token)} in ${context}`);
    if (this.actionLine === 0 || this.actionLine === token.line) this.fail(token.value);
    const where = `started at ${this.source.name}:${this.actionLine}`;
    this.fail(token.value.endsWith(' action') ? `${token.value} ${where}` : `${token.value} in action ${where}`);
  }

  /** Runs a step that turns token text into a value, giving its error the place. */
  convert<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      return this.fail((error as Error).message);
    }
  }

  /** A step that nests. */
  deeper<T>(make: () => T): T {
    if (this.#depth >= MAX_DEPTH) this.fail('max expression depth exceeded');
    this.#depth++;
    const made = make();
    this.#depth--;
    return made;
  }

  /** A pipeline up to its end, which is taken too. */
  pipeline(context: string, end: 'rightDelim' | 'rightParen'): PipeNode {
    const { pos } = this.tokens.peekNonSpace();
    const { declarations, isAssign } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.tokens.peekNonSpace();
      if (token.type === end) {
        this.tokens.take();
        this.#checkPipeline(commands, context);
        return { type: 'pipe', source: this.source, pos, declarations, isAssign, commands };
      }
      if (!this.#startsOperand(token)) this.unexpected(this.tokens.take(), context);
      commands.push(this.#command());
    }
  }

  #startsOperand(token: Token): boolean {
    return OPERAND_STARTS.has(token.type) || this.isKeyword(token, '.') || this.isKeyword(token, 'nil');
  }

  #declarations(context: string): { declarations: VariableNode[]; isAssign: boolean } {
    const declarations: VariableNode[] = [];
    for (let token = this.tokens.peekNonSpace(); token.type === 'variable'; token = this.tokens.peekNonSpace()) {
      const start = this.tokens.position;
      this.tokens.take();
      const next = this.tokens.peekNonSpace();
      const isComma = next.type === 'char' && next.value === ',';
      if (next.type !== 'assign' && next.type !== 'declare' && !isComma) {
        this.tokens.position = start;
        break;
      }
      this.tokens.take();
      declarations.push(this.#variable(token));
      this.vars.push(token.value);
      if (!isComma) return { declarations, isAssign: next.type === 'assign' };
      this.#checkMoreDeclarations(context, declarations.length);
    }
    return { declarations, isAssign: false };
  }

  #checkMoreDeclarations(context: string, count: number): void {
    if (context !== 'range' || count >= 2) this.fail(`too many declarations in ${context}`);
    const { type } = this.tokens.peekNonSpace();
    if (type !== 'variable' && type !== 'rightDelim' && type !== 'rightParen') {
      this.fail('range can only initialize variables');
    }
  }

  #checkPipeline(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) this.fail(`missing value for ${context}`);
    for (let i = 1; i < commands.length; i++) {
      const { type } = commands[i]!.args[0]!;
      if (type === 'bool' || type === 'dot' || type === 'nil' || type === 'number' || type === 'string') {
        this.fail(`non executable command in pipeline stage ${i + 1}`);
      }
    }
  }

  #command(): CommandNode {
    const { pos } = this.tokens.peekNonSpace();
    const args: OperandNode[] = [];
    for (;;) {
      this.tokens.peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.tokens.peek();
      if (token.type === 'rightDelim' || token.type === 'rightParen') break;
      this.tokens.take();
      if (token.type === 'space') continue;
      if (token.type === 'pipe') break;
      this.unexpected(token, 'operand');
    }
    if (args.length === 0) this.fail('empty command');
    return { type: 'command', source: this.source, pos, args };
  }

  /** A term with the fields that follow it directly. */
  #operand(): OperandNode | undefined {
    const node = this.#term();
    if (node === undefined || this.tokens.peek().type !== 'field') return node;
    const { pos } = this.tokens.peek();
    const names: string[] = [];
    while (this.tokens.peek().type === 'field') names.push(this.tokens.take().value.slice(1));
    switch (node.type) {
      case 'field':
      case 'variable':
        // The position becomes that of the second element, as messages show it.
        return { ...node, pos, names: [...node.names, ...names] };
      case 'bool':
        return this.fail(`unexpected . after term ${quote(String(node.value))}`);
      case 'string':
        return this.fail(`unexpected . after term ${quote(node.quoted)}`);
      case 'number':
        return this.fail(`unexpected . after term ${quote(node.text)}`);
      case 'nil':
      case 'dot':
        return this.fail(`unexpected . after term ${quote(node.type === 'nil' ? 'nil' : '.')}`);
      default:
        return { type: 'chain', source: this.source, pos, node, names };
    }
  }

  #term(): OperandNode | undefined {
    const token = this.tokens.peekNonSpace();
    const base = { source: this.source, pos: token.pos };
    switch (token.type) {
      case 'identifier':
        this.tokens.take();
        if (!this.#hasFunction(token.value)) this.fail(`function ${quote(token.value)} not defined`);
        return { ...base, type: 'identifier', name: token.value };
      case 'keyword':
        if (token.value !== '.' && token.value !== 'nil') return undefined;
        this.tokens.take();
        return { ...base, type: token.value === '.' ? 'dot' : 'nil' };
      case 'variable':
        this.tokens.take();
        return this.#usedVariable(token);
      case 'field':
        this.tokens.take();
        return { ...base, type: 'field', names: token.value.slice(1).split('.') };
      case 'bool':
        this.tokens.take();
        return { ...base, type: 'bool', value: token.value === 'true' };
      case 'charConstant':
      case 'complex':
      case 'number': {
        this.tokens.take();
        const { type } = token;
        return { ...base, type: 'number', text: token.value, ...this.convert(() => parseNumber(token.value, type)) };
      }
      case 'leftParen':
        this.tokens.take();
        return this.deeper(() => this.pipeline('parenthesized pipeline', 'rightParen'));
      case 'string':
      case 'rawString':
        this.tokens.take();
        return { ...base, type: 'string', quoted: token.value, value: this.convert(() => unquote(token.value)) };
      default:
        return undefined;
    }
  }

  #variable(token: Token): VariableNode {
    return { type: 'variable', source: this.source, pos: token.pos, names: token.value.split('.') };
  }

  #usedVariable(token: Token): VariableNode {
    const variable = this.#variable(token);
    const name = variable.names[0]!;
    if (!this.vars.includes(name)) this.fail(`undefined variable ${quote(name)}`);
    return variable;
  }
}
