// Owns one running template: its variables, cursor and output, and how its failures become errors with a place.
import { CodedError } from '../../lib/errors.ts';
import { formatNode, type Node, positionOf } from './ast.ts';
import { TemplateError } from './errors.ts';
import { type Budget, type Execution, isStackOverflow, LimitError } from './execution.ts';
import { quote } from './gostring.ts';
import type { GoValue } from './value.ts';

/** What a statement tells its surroundings: go on, or leave or continue the innermost loop. */
export type Flow = 0 | 1 | 2;
export const NEXT: Flow = 0;
export const BREAK: Flow = 1;
export const CONTINUE: Flow = 2;

/** A compiled statement. */
export type Statement = (state: State) => Flow;

/** A compiled template: run it with a state that has `frameSize` variable slots. */
export interface Program {
  readonly name: string;
  readonly frameSize: number;
  readonly isEmpty: boolean;
  readonly run: Statement;
}

/** Where a state finds other templates. */
export interface ProgramLookup {
  lookup(name: string): Program | undefined;
}

/** Length and number of writes that close a piece: V8 keeps what is appended as a tree until it is read. */
const PIECE = 64 * 1024;
const PIECE_WRITES = 4096;

/** Collects output; one per execution, shared by the templates nested in it. */
export class Sink {
  readonly #pieces: string[] = [];
  #text = '';
  #writes = 0;

  write(text: string): void {
    this.#text += text;
    if (++this.#writes < PIECE_WRITES && this.#text.length < PIECE) return;
    this.#writes = 0;
    // Reading a character flattens the tree.
    this.#text.charCodeAt(0);
    this.#pieces.push(this.#text);
    this.#text = '';
  }

  /** All that was written. */
  toText(): string {
    return this.#pieces.length === 0 ? this.#text : this.#pieces.join('') + this.#text;
  }
}

/** The state of one template invocation. Slot 0 holds `$`. */
export class State {
  readonly program: Program;
  readonly programs: ProgramLookup;
  readonly execution: Execution;
  readonly budget: Budget;
  readonly sink: Sink;
  readonly depth: number;
  readonly vars: GoValue[];
  /** The cursor. */
  dot: GoValue;
  /** True if the cursor is an element whose static type is interface {}, which messages show. */
  dotIsInterface = false;
  /** The node being evaluated: what an error quotes. */
  node: Node | undefined;

  constructor(
    program: Program,
    programs: ProgramLookup,
    execution: Execution,
    options: { readonly sink: Sink; readonly depth: number; readonly data: GoValue },
  ) {
    this.program = program;
    this.programs = programs;
    this.execution = execution;
    this.budget = execution.budget;
    this.sink = options.sink;
    this.depth = options.depth;
    this.dot = options.data;
    this.vars = new Array<GoValue>(program.frameSize);
    this.vars[0] = options.data;
  }

  /** Runs another template into the same output. */
  runNested(program: Program, data: GoValue): void {
    const { sink, depth } = this;
    const nested = new State(program, this.programs, this.execution, { sink, depth: depth + 1, data });
    runProgram(nested);
  }

  /** The error for a failure at the current node. */
  fail(detail: string, cause?: unknown): TemplateError | LimitError {
    try {
      return executionError(this, detail, cause);
    } catch (error) {
      // No stack left even to say so: a template further out, with more of it, adds the place.
      if (isStackOverflow(error)) return new LimitError('TemplateLimit', TOO_DEEP, { limit: 'maxDepth' });
      throw error;
    }
  }

  /** The error for a failed call, placed at `node`; bugs in our own code pass through as they are. */
  callError(node: Node, name: string, error: unknown): unknown {
    if (!isFailure(error)) return error;
    this.node = node;
    return this.fail(`error calling ${name}: ${failureText(error)}`, error);
  }

  write(text: string): void {
    this.budget.write(text.length);
    this.sink.write(text);
  }
}

/** Counts one step of the budget; every action and loop iteration takes one. */
export function step(state: State): void {
  if (--state.budget.steps < 0) throw state.budget.stepsExceeded();
}

/** Runs a state's program; what fails outside any call (limits, exhausted stack) gets the place of the state. */
export function runProgram(state: State): void {
  try {
    state.program.run(state);
  } catch (error) {
    if (error instanceof TemplateError || !isFailure(error)) throw error;
    throw state.fail(failureText(error), error);
  }
}

function isFailure(error: unknown): error is Error {
  return error instanceof CodedError || error instanceof RangeError || isStackOverflow(error);
}

const TOO_DEEP = 'exceeded maximum template depth: values or templates nest too deeply';

/** What a failure says, the engine's own limits (call stack, string length) in the language's words. */
function failureText(error: Error): string {
  if (isStackOverflow(error)) return TOO_DEEP;
  return error instanceof RangeError ? `template limit: ${error.message}` : error.message;
}

function executionError(state: State, detail: string, cause: unknown): TemplateError {
  const { node } = state;
  const template = state.program.name;
  if (node === undefined) {
    const data = { file: template, line: 0, template, detail };
    return new TemplateError('TemplateExecution', `template: ${template}: ${detail}`, data, { cause });
  }
  const { line, column } = positionOf(node);
  const file = node.source.name;
  const text = formatNode(node);
  const message = `template: ${file}:${line}:${column}: executing ${quote(template)} at <${text}>: ${detail}`;
  return new TemplateError(
    'TemplateExecution',
    message,
    { file, line, column, template, node: text, detail },
    { cause },
  );
}
