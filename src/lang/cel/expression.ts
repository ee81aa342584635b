// Owns compiled expressions as Flux uses them: a text, its checks, and an answer for given data (flux.md §4.4, §4.12).
// Validation rules of custom resources are rule.ts.
import { isJsonObject, type JsonValue } from '../../lib/json.ts';
import { checkExpression, typeText } from './check.ts';
import { CelError } from './errors.ts';
import { evaluate } from './evaluate.ts';
import { createRegexpCache } from './function.ts';
import { fluxLibrary } from './libraries.ts';
import { childrenOf, type Node, parseExpression } from './parse.ts';
import { type CelValue, fromJson } from './value.ts';

/** How an expression is compiled. */
export interface ExpressionOptions {
  /**
   * Names of the objects it may use. With them the expression is checked before it runs and must give a boolean;
   * without them it is only parsed, and every field of the data is a name.
   */
  readonly variables?: readonly string[];
}

/** A compiled expression. */
export interface Expression {
  readonly text: string;
  /** The result. Throws CelError `failed to evaluate the CEL expression '…': no such key: x`. */
  evaluate(data: Readonly<Record<string, JsonValue>>): CelValue;
  /** The result when it must be a boolean. */
  test(data: Readonly<Record<string, JsonValue>>): boolean;
}

/** Compiles an expression. Throws CelError `CelInvalid`, `failed to parse the CEL expression '…': ERROR: …`. */
export function compileExpression(text: string, options: ExpressionOptions = {}): Expression {
  const node = explained(text, 'failed to parse', () => parseExpression(text));
  checkConstants(node);
  if (options.variables !== undefined) {
    const variables = new Map(options.variables.map((name) => [name, 'map' as const]));
    const type = explained(text, 'failed to parse', () => checkExpression(text, node, variables, fluxLibrary));
    if (type !== 'bool') {
      const message = `CEL expression output type mismatch: expected bool, got ${typeText(type)}`;
      throw new CelError('CelInvalid', message, { expression: text });
    }
  }
  const run = (data: Readonly<Record<string, JsonValue>>): CelValue =>
    explained(text, 'failed to evaluate', () => evaluate(node, lookUpIn(data), fluxLibrary));
  return {
    text,
    evaluate: run,
    test: (data) => {
      const value = run(data);
      if (typeof value === 'boolean') return value;
      throw new CelError('CelFailed', `failed to evaluate CEL expression as boolean: '${text}'`, { expression: text });
    },
  };
}

const CONVERSIONS = new Set(['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration']);

/** Conversions of literals and literal patterns that can never succeed are mistakes of the text, as in cel-go. */
function checkConstants(node: Node): void {
  if (node.op === 'call') {
    const last = node.args.at(-1);
    const isConversion = node.target === undefined && node.args.length === 1 && CONVERSIONS.has(node.name);
    const isPattern = node.name === 'matches' && node.args.length === (node.target === undefined ? 2 : 1);
    try {
      if (isPattern && last?.op === 'literal' && typeof last.value === 'string') createRegexpCache()(last.value);
      else if (isConversion && isConstant(last!)) evaluate(node, () => undefined, fluxLibrary);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      throw new CelError('CelInvalid', `failed to create CEL program: ${error.message}`, {}, { cause: error });
    }
  }
  for (const child of childrenOf(node)) checkConstants(child);
}

function isConstant(node: Node): boolean {
  if (node.op === 'unary') return node.sign === '-' && node.arg.op === 'literal';
  return node.op === 'literal' || (node.op === 'list' && node.items.every(isConstant));
}

/** Fields of the data as variables, turned into CEL values when they are first used. */
function lookUpIn(data: Readonly<Record<string, JsonValue>>): (name: string) => CelValue | undefined {
  const known = new Map<string, CelValue>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined || !isJsonObject(data) || !Object.hasOwn(data, name)) return found;
    const value = fromJson(data[name]!);
    known.set(name, value);
    return value;
  };
}

function explained<T>(text: string, what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    const message = `${what} the CEL expression '${text}': ${error.message}`;
    throw new CelError(error.code, message, { expression: text }, { cause: error });
  }
}
