// Owns the door to the parser library: CEL text → syntax tree, with bounds, and errors in cel-go's form. What the
// library evaluates or checks is not used: cel-go's numbers, error rules and work limits are evaluate.ts and check.ts.
import { Environment, ParseError } from '@marcbachmann/cel-js';
import { CelError } from './errors.ts';
import { type CelValue, Uint } from './value.ts';

/** A node of the syntax tree. `at` is its offset in the text. */
export type Node =
  | { readonly op: 'literal'; readonly at: number; readonly value: CelValue }
  | { readonly op: 'name'; readonly at: number; readonly name: string }
  | {
      readonly op: 'select';
      readonly at: number;
      readonly target: Node;
      readonly field: string;
      readonly optional: boolean;
    }
  | { readonly op: 'index'; readonly at: number; readonly target: Node; readonly key: Node; readonly optional: boolean }
  | {
      readonly op: 'call';
      readonly at: number;
      readonly name: string;
      readonly target: Node | undefined;
      readonly args: readonly Node[];
    }
  | { readonly op: 'list'; readonly at: number; readonly items: readonly Node[] }
  | { readonly op: 'map'; readonly at: number; readonly entries: readonly (readonly [Node, Node])[] }
  | { readonly op: 'unary'; readonly at: number; readonly sign: '!' | '-'; readonly arg: Node }
  | { readonly op: 'binary'; readonly at: number; readonly sign: BinarySign; readonly left: Node; readonly right: Node }
  | {
      readonly op: 'choice';
      readonly at: number;
      readonly condition: Node;
      readonly yes: Node;
      readonly no: Node;
    };

export type BinarySign = '||' | '&&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%';

const MAX_LENGTH = 64 * 1024;
const environment = new Environment({
  enableOptionalTypes: true,
  unlistedVariablesAreDyn: true,
  limits: { maxAstNodes: 20_000, maxDepth: 200 },
});

/** Parses an expression. Throws CelError `CelInvalid` with `ERROR: <input>:1:5: Syntax error: …`. */
export function parseExpression(text: string): Node {
  if (text.length > MAX_LENGTH) {
    throw new CelError('CelInvalid', formatIssue(text, 0, `expression is longer than ${MAX_LENGTH} characters`), {});
  }
  try {
    return convert(environment.parse(text).ast as unknown as LibraryNode);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new CelError('CelInvalid', formatIssue(text, 0, 'expression is nested too deeply'), {});
    }
    if (!(error instanceof ParseError)) throw error;
    const { summary, range } = error as unknown as { summary: string; range?: { start: number } };
    throw new CelError('CelInvalid', formatIssue(text, range?.start ?? 0, `Syntax error: ${summary}`), {});
  }
}

/** The parts of a node, in the order of the text. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.op) {
    case 'literal':
    case 'name':
      return [];
    case 'select':
      return [node.target];
    case 'index':
      return [node.target, node.key];
    case 'call':
      return node.target === undefined ? node.args : [node.target, ...node.args];
    case 'list':
      return node.items;
    case 'map':
      return node.entries.flat();
    case 'unary':
      return [node.arg];
    case 'choice':
      return [node.condition, node.yes, node.no];
    case 'binary':
      return [node.left, node.right];
  }
}

/** A problem at an offset as cel-go shows it: place, text, the line and a caret below it. */
export function formatIssue(text: string, at: number, message: string): string {
  const before = text.slice(0, at);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  const column = [...before.slice(lineStart)].length + 1;
  const source = text.slice(lineStart).split('\n', 1)[0]!;
  return `ERROR: <input>:${line}:${column}: ${message}\n | ${source}\n | ${'.'.repeat(column - 1)}^`;
}

/** What is read of the library's nodes. */
interface LibraryNode {
  readonly op: string;
  readonly args: unknown;
  readonly pos: number;
}

function convert(node: LibraryNode): Node {
  const at = node.pos;
  const args = node.args as readonly LibraryNode[];
  switch (node.op) {
    case 'value':
      return { op: 'literal', at, value: toLiteral(node.args) };
    case 'id':
      return { op: 'name', at, name: node.args as string };
    case '.':
    case '.?': {
      const [target, field] = node.args as [LibraryNode, string];
      return { op: 'select', at, target: convert(target), field, optional: node.op === '.?' };
    }
    case '[]':
    case '[?]':
      return { op: 'index', at, target: convert(args[0]!), key: convert(args[1]!), optional: node.op === '[?]' };
    case 'call': {
      const [name, list] = node.args as [string, LibraryNode[]];
      return { op: 'call', at, name, target: undefined, args: list.map(convert) };
    }
    case 'rcall': {
      const [name, target, list] = node.args as [string, LibraryNode, LibraryNode[]];
      return { op: 'call', at, name, target: convert(target), args: list.map(convert) };
    }
    case 'list':
      return { op: 'list', at, items: args.map(convert) };
    case 'map': {
      const entries = node.args as [LibraryNode, LibraryNode][];
      return { op: 'map', at, entries: entries.map(([key, value]) => [convert(key), convert(value)] as const) };
    }
    case '!_':
    case '-_':
      return { op: 'unary', at, sign: node.op === '!_' ? '!' : '-', arg: convert(node.args as LibraryNode) };
    case '?:':
      return { op: 'choice', at, condition: convert(args[0]!), yes: convert(args[1]!), no: convert(args[2]!) };
    default:
      return { op: 'binary', at, sign: node.op as BinarySign, left: convert(args[0]!), right: convert(args[1]!) };
  }
}

/** The library has a class of its own for unsigned integers; bytes are the only other objects. */
function toLiteral(value: unknown): CelValue {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value as CelValue;
  return new Uint(BigInt(String(value)));
}
