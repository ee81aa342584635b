// Owns compiling templates, statement by statement, to closures over a State.
import type { BranchNode, ListNode, StatementNode, TemplateNode, Tree } from './ast.ts';
import { isEmptyTree } from './ast.ts';
import { type Compilation, compilePipe, type Expression } from './expression.ts';
import type { FunctionTable } from './function.ts';
import { quote } from './gostring.ts';
import { formatValue, sprint } from './printf.ts';
import { compileLoop } from './range.ts';
import { Scope } from './scope.ts';
import { BREAK, CONTINUE, type Flow, NEXT, type Program, type State, type Statement, step } from './state.ts';
import { GoInt, GoObject, type GoValue, isTrue } from './value.ts';

/** Compiles a template against a table of functions. */
export function compileTree(tree: Tree, functions: FunctionTable): Program {
  const scope = new Scope();
  const run = compileList(tree.root, { functions, scope });
  return { name: tree.name, frameSize: scope.frameSize, isEmpty: isEmptyTree(tree.root), run };
}

function compileList(list: ListNode, compilation: Compilation): Statement {
  const statements = list.nodes.map((node) => compileStatement(node, compilation));
  if (statements.length === 0) return () => NEXT;
  if (statements.length === 1) return statements[0]!;
  return (state) => {
    for (const statement of statements) {
      const flow = statement(state);
      if (flow !== NEXT) return flow;
    }
    return NEXT;
  };
}

function compileStatement(node: StatementNode, compilation: Compilation): Statement {
  switch (node.type) {
    case 'text': {
      const { text } = node;
      return (state) => {
        state.write(text);
        return NEXT;
      };
    }
    case 'action':
      return compileAction(compilePipe(node.pipe, compilation), node.pipe.declarations.length === 0);
    case 'if':
    case 'with':
      return compilation.scope.nested(() => compileCondition(node, compilation));
    case 'range':
      return compilation.scope.nested(() => compileRangeStatement(node, compilation));
    case 'template':
      return compileTemplate(node, compilation);
    case 'break':
      return () => BREAK;
    case 'continue':
      return () => CONTINUE;
  }
}

function compileAction(evaluate: Expression, prints: boolean): Statement {
  if (!prints) {
    return (state) => {
      step(state);
      evaluate(state);
      return NEXT;
    };
  }
  return (state) => {
    step(state);
    const value = evaluate(state);
    state.write(typeof value === 'string' ? value : printed(state, value));
    return NEXT;
  };
}

function printed(state: State, value: GoValue): string {
  if (value === undefined) return '<no value>';
  if (typeof value !== 'object' || value instanceof GoInt) return formatValue(value);
  return value instanceof GoObject ? printedObject(state, value) : sprint([value], state.budget);
}

/** A pointer without a text of its own is followed before it is printed. */
function printedObject(state: State, object: GoObject): string {
  const own = object.goString() ?? object.pointerString();
  if (own !== undefined) return own;
  const text = sprint([object], state.budget);
  return object.type.kind === 'ptr' ? text.slice(1) : text;
}

/** The body and else of a control structure; variables of one are not visible in the other. */
function compileBodies(node: BranchNode, compilation: Compilation): { body: Statement; otherwise: Statement } {
  const { scope } = compilation;
  const body = scope.nested(() => compileList(node.list, compilation));
  const { elseList } = node;
  const otherwise = elseList ? scope.nested(() => compileList(elseList, compilation)) : () => NEXT;
  return { body, otherwise };
}

function compileCondition(node: BranchNode, compilation: Compilation): Statement {
  const evaluate = compilePipe(node.pipe, compilation);
  const { body, otherwise } = compileBodies(node, compilation);
  if (node.type === 'if') {
    return (state) => {
      step(state);
      return isTrue(evaluate(state)) ? body(state) : otherwise(state);
    };
  }
  return (state) => {
    step(state);
    const value = evaluate(state);
    return isTrue(value) ? withDot(state, value, body) : otherwise(state);
  };
}

function withDot(state: State, value: GoValue, body: Statement): Flow {
  const { dot, dotIsInterface } = state;
  state.dot = value;
  state.dotIsInterface = false;
  const flow = body(state);
  state.dot = dot;
  state.dotIsInterface = dotIsInterface;
  return flow;
}

function compileTemplate(node: TemplateNode, compilation: Compilation): Statement {
  const { name } = node;
  const evaluate = node.pipe && compilePipe(node.pipe, compilation);
  return (state) => {
    step(state);
    state.node = node;
    const program = state.programs.lookup(name);
    if (program === undefined) throw state.fail(`template ${quote(name)} not defined`);
    const { maxDepth } = state.budget.limits;
    if (state.depth >= maxDepth) throw state.fail(`exceeded maximum template depth (${maxDepth})`);
    state.runNested(program, evaluate?.(state));
    return NEXT;
  };
}

function compileRangeStatement(node: BranchNode, compilation: Compilation): Statement {
  const loop = compileLoop(node, compilation);
  const { body, otherwise } = compileBodies(node, compilation);
  return (state) => {
    step(state);
    state.node = node;
    return loop(state, body) ? NEXT : otherwise(state);
  };
}
