// Owns the syntax tree of templates and its source form, which error messages quote. No evaluation.
import { quote } from './gostring.ts';

/** The text that nodes point into. */
export interface Source {
  /** Name it was parsed under, for messages. */
  readonly name: string;
  readonly text: string;
}

interface Base {
  readonly source: Source;
  /** UTF-16 index into the source's text. */
  readonly pos: number;
}

export interface TextNode extends Base {
  readonly type: 'text';
  readonly text: string;
}
export interface ActionNode extends Base {
  readonly type: 'action';
  readonly pipe: PipeNode;
}
export interface PipeNode extends Base {
  readonly type: 'pipe';
  readonly declarations: readonly VariableNode[];
  /** `=` instead of `:=`. */
  readonly isAssign: boolean;
  readonly commands: readonly CommandNode[];
}
export interface CommandNode extends Base {
  readonly type: 'command';
  readonly args: readonly OperandNode[];
}
export interface IdentifierNode extends Base {
  readonly type: 'identifier';
  readonly name: string;
}
export interface FieldNode extends Base {
  readonly type: 'field';
  readonly names: readonly string[];
}
export interface VariableNode extends Base {
  readonly type: 'variable';
  /** Name with its `$`, then fields. */
  readonly names: readonly string[];
}
export interface ChainNode extends Base {
  readonly type: 'chain';
  readonly node: OperandNode;
  readonly names: readonly string[];
}
export interface DotNode extends Base {
  readonly type: 'dot';
}
export interface NilNode extends Base {
  readonly type: 'nil';
}
export interface BoolNode extends Base {
  readonly type: 'bool';
  readonly value: boolean;
}
/** A number constant under every type that can hold it; undefined where it cannot. */
export interface NumberNode extends Base {
  readonly type: 'number';
  readonly text: string;
  readonly int?: bigint;
  readonly uint?: bigint;
  readonly float?: number;
  readonly complex?: { readonly real: number; readonly imaginary: number };
}
export interface StringNode extends Base {
  readonly type: 'string';
  readonly quoted: string;
  readonly value: string;
}
export interface BranchNode extends Base {
  readonly type: 'if' | 'with' | 'range';
  readonly pipe: PipeNode;
  readonly list: ListNode;
  readonly elseList?: ListNode;
}
export interface TemplateNode extends Base {
  readonly type: 'template';
  readonly name: string;
  readonly pipe?: PipeNode;
}
export interface LoopExitNode extends Base {
  readonly type: 'break' | 'continue';
}
export interface ListNode extends Base {
  readonly type: 'list';
  readonly nodes: readonly StatementNode[];
}

export type OperandNode =
  | PipeNode
  | IdentifierNode
  | FieldNode
  | VariableNode
  | ChainNode
  | DotNode
  | NilNode
  | BoolNode
  | NumberNode
  | StringNode;
export type StatementNode = TextNode | ActionNode | BranchNode | TemplateNode | LoopExitNode;
export type Node = OperandNode | CommandNode | StatementNode | ListNode;

/** A parsed template: the body of a file or of a define. */
export interface Tree {
  readonly name: string;
  readonly source: Source;
  readonly root: ListNode;
}

/** True for a body of nothing but white space and comments, which never replaces another definition. */
export function isEmptyTree(root: ListNode): boolean {
  return root.nodes.every((node) => node.type === 'text' && /^[\s\u0085]*$/.test(node.text));
}

/** Position of a node as Go counts it: 1-based line, 0-based column in bytes. */
export function positionOf(node: Base): { readonly line: number; readonly column: number } {
  const before = node.source.text.slice(0, node.pos);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: Buffer.byteLength(before.slice(lineStart)) };
}

/** The node in source form, spaced as Go does. */
export function formatNode(node: Node): string {
  switch (node.type) {
    case 'text':
      return node.text;
    case 'action':
      return `{{${formatNode(node.pipe)}}}`;
    case 'pipe':
      return formatDeclarations(node) + node.commands.map(formatNode).join(' | ');
    case 'command':
      return node.args.map(formatArgument).join(' ');
    case 'identifier':
      return node.name;
    case 'field':
      return node.names.map((name) => `.${name}`).join('');
    case 'variable':
      return node.names.join('.');
    case 'chain':
      return formatArgument(node.node) + node.names.map((name) => `.${name}`).join('');
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'number':
      return node.text;
    case 'string':
      return node.quoted;
    case 'template':
      return `{{template ${quote(node.name)}${node.pipe ? ` ${formatNode(node.pipe)}` : ''}}}`;
    case 'break':
    case 'continue':
      return `{{${node.type}}}`;
    case 'list':
      return node.nodes.map(formatNode).join('');
    default:
      return formatBranch(node);
  }
}

function formatArgument(node: OperandNode): string {
  return node.type === 'pipe' ? `(${formatNode(node)})` : formatNode(node);
}

function formatDeclarations(pipe: PipeNode): string {
  if (pipe.declarations.length === 0) return '';
  return pipe.declarations.map(formatNode).join(', ') + (pipe.isAssign ? ' = ' : ' := ');
}

function formatBranch(node: BranchNode): string {
  const otherwise = node.elseList ? `{{else}}${formatNode(node.elseList)}` : '';
  return `{{${node.type} ${formatNode(node.pipe)}}}${formatNode(node.list)}${otherwise}{{end}}`;
}
