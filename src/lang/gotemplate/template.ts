// Owns template sets: parsing texts into a namespace, cloning it, running templates by name; and the cache of what was
// parsed. This is the face of the language; the functions come from the caller.
import { builtinFunctions } from './builtins.ts';
import { Budget, type Execution, type Limits, type TemplateHost, type Templates } from './execution.ts';
import type { FunctionTable } from './function.ts';
import { quote } from './gostring.ts';
import { parseTemplate } from './parser.ts';
import { type Program, type ProgramLookup, runProgram, Sink, State } from './state.ts';
import { compileTree } from './statement.ts';
import { GoError, type GoValue } from './value.ts';

/**
 * Parsed and compiled texts for one table of functions, by name and text. Owned by the caller; may be shared by any
 * number of template sets.
 */
export interface TemplateCache {
  /** The templates of a text: its own and those it defines. */
  load(name: string, text: string): ReadonlyMap<string, Program>;
}

/** How much a TemplateCache keeps. */
export interface TemplateCacheOptions {
  /** Characters of template text; the texts longest unused go first. @default 16 Mi */
  readonly maxText?: number;
}

/** Makes a cache for a table of functions, to which Go's built-in ones are added. */
export function createTemplateCache(functions: FunctionTable, options: TemplateCacheOptions = {}): TemplateCache {
  const all: FunctionTable = new Map([...builtinFunctions(), ...functions]);
  const maxText = options.maxText ?? 16 * 1024 * 1024;
  const entries = new Map<string, ReadonlyMap<string, Program>>();
  let size = 0;
  return {
    load(name, text) {
      const key = `${name}\0${text}`;
      const known = entries.get(key);
      if (known !== undefined) {
        entries.delete(key);
        entries.set(key, known);
        return known;
      }
      const programs = compileText(name, text, all);
      size += key.length;
      entries.set(key, programs);
      for (const oldest of entries.keys()) {
        if (size <= maxText) break;
        entries.delete(oldest);
        size -= oldest.length;
      }
      return programs;
    },
  };
}

function compileText(name: string, text: string, functions: FunctionTable): ReadonlyMap<string, Program> {
  const programs = new Map<string, Program>();
  for (const [defined, tree] of parseTemplate(name, text, (candidate) => functions.has(candidate))) {
    programs.set(defined, compileTree(tree, functions));
  }
  return programs;
}

/** A namespace of templates, as the functions of a running template see it. */
export interface TemplateSet extends Templates {
  clone(): TemplateSet;
  /** Names of all templates, in order of their first definition. */
  names(): string[];
}

/** Settings of a template set. */
export interface TemplateSetOptions {
  /** Name of the set in `no template "x" associated with template "NAME"`. @default "gotpl" */
  readonly name?: string;
}

/** Makes an empty template set. Absent map keys are zero values (`missingkey=zero`). */
export function createTemplateSet(cache: TemplateCache, options: TemplateSetOptions = {}): TemplateSet {
  return new LayeredSet(cache, options.name ?? 'gotpl', undefined);
}

/** What a rendering gets from its caller. */
export interface ExecutionOptions<Context> {
  readonly host: TemplateHost;
  readonly context: Context;
  readonly limits?: Partial<Limits>;
}

/** Starts a rendering: one budget and one context for all templates run with it. */
export function createExecution<Context>(
  templates: TemplateSet,
  { host, context, limits }: ExecutionOptions<Context>,
): Execution<Context> {
  return { templates, host, context, budget: new Budget(limits) };
}

/** A clone sees its origin through `#origin`, so that cloning (once per `tpl`) copies nothing. */
class LayeredSet implements TemplateSet, ProgramLookup {
  readonly #cache: TemplateCache;
  readonly #name: string;
  readonly #origin: LayeredSet | undefined;
  readonly #programs = new Map<string, Program>();

  constructor(cache: TemplateCache, name: string, origin: LayeredSet | undefined) {
    this.#cache = cache;
    this.#name = name;
    this.#origin = origin;
  }

  lookup(name: string): Program | undefined {
    return this.#programs.get(name) ?? this.#origin?.lookup(name);
  }

  has(name: string): boolean {
    return this.lookup(name) !== undefined;
  }

  names(): string[] {
    return [...new Set([...(this.#origin?.names() ?? []), ...this.#programs.keys()])];
  }

  parse(name: string, text: string): void {
    for (const [defined, program] of this.#cache.load(name, text)) {
      // An empty body never replaces a definition, but a text always is what it is called by (tpl inside tpl).
      if (program.isEmpty && defined !== name && this.has(defined)) continue;
      this.#programs.set(defined, program);
    }
  }

  clone(): LayeredSet {
    return new LayeredSet(this.#cache, this.#name, this);
  }

  execute(name: string, data: GoValue, execution: Execution): string {
    const program = this.lookup(name);
    if (program === undefined) {
      throw new GoError(`template: no template ${quote(name)} associated with template ${quote(this.#name)}`);
    }
    const own = execution.templates === this ? execution : { ...execution, templates: this };
    const sink = new Sink();
    runProgram(new State(program, this, own, { sink, depth: 0, data }));
    return sink.toText();
  }
}
