// Owns what one rendering shares over all the templates it runs: the template set, the host's services and the budget.
import { CodedError } from '../../lib/errors.ts';
import type { GoValue } from './value.ts';

/** What templates may spend before they are stopped. Sizes are in UTF-16 units of strings. */
export interface Limits {
  /** Text written by all templates together, nested ones counted again. */
  readonly maxOutput: number;
  /** Actions executed plus loop iterations, plus what slow functions (password hashes, keys) charge. */
  readonly maxSteps: number;
  /** Longest string that one function call may return. */
  readonly maxString: number;
  /** Strings and lists returned by functions, all calls together (sixteen units per list element). */
  readonly maxAllocation: number;
  /** Templates nested by `{{ template }}`. Go's own limit is 100000. */
  readonly maxDepth: number;
}

/** Far above what charts need (the largest public ones write five million characters in under a million steps). */
export const DEFAULT_LIMITS: Limits = {
  maxOutput: 32 * 1024 * 1024,
  maxSteps: 2_000_000,
  maxString: 8 * 1024 * 1024,
  maxAllocation: 128 * 1024 * 1024,
  maxDepth: 100_000,
};

/** What templates need from outside: time and randomness (sprig's `now`, `rand*`, `gen*`). */
export interface TemplateHost {
  /** Nanoseconds since 1970, UTC. */
  now(): bigint;
  /** Cryptographically random bytes. */
  random(count: number): Uint8Array;
  /** A fresh private key in PKCS#8 DER. */
  generateKey(algorithm: KeyAlgorithm): Uint8Array;
}

/** The private keys that sprig makes. */
export type KeyAlgorithm = 'rsa-2048' | 'rsa-4096' | 'dsa-2048' | 'ecdsa-p256' | 'ed25519';

/** A template ran into one of its limits. `template.ts` adds where. */
export class LimitError extends CodedError<'TemplateLimit', { readonly limit: keyof Limits }> {}

/** V8 says it with a RangeError, and with a SyntaxError where it was compiling a regular expression. */
export function isStackOverflow(error: unknown): boolean {
  if (error instanceof RangeError) return error.message.includes('call stack');
  return error instanceof SyntaxError && error.message.endsWith('Stack overflow');
}

/**
 * True for what ends a template whatever it says: limits, ours and V8's. Functions whose failure is a value of theirs,
 * such as toYaml's empty text, must let these through.
 */
export function isLimit(error: unknown): boolean {
  return error instanceof RangeError || error instanceof LimitError || isStackOverflow(error);
}

/** The counters behind Limits, shared by every nested execution. */
export class Budget {
  readonly limits: Limits;
  #output: number;
  #allocation: number;
  /** Decremented inline by the evaluator, which calls `stepsExceeded` below zero. */
  steps: number;

  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.#output = this.limits.maxOutput;
    this.#allocation = this.limits.maxAllocation;
    this.steps = this.limits.maxSteps;
  }

  /** Charges text written to the output. */
  write(length: number): void {
    this.#output -= length;
    if (this.#output < 0) throw limitError('maxOutput', `output exceeds ${this.limits.maxOutput} characters`);
  }

  /** Charges what a function returns. Functions that build big values call it, or `checkString`, before building. */
  allocate(size: number): void {
    this.#allocation -= size;
    if (this.#allocation < 0) {
      throw limitError('maxAllocation', `values exceed ${this.limits.maxAllocation} characters in all`);
    }
  }

  /** Refuses a string of that length before it is built. */
  checkString(length: number): void {
    if (length > this.limits.maxString) {
      throw limitError('maxString', `string of ${length} characters exceeds ${this.limits.maxString}`);
    }
  }

  /** Charges work that takes as long as so many steps. */
  spend(steps: number): void {
    this.steps -= steps;
    if (this.steps < 0) throw this.stepsExceeded();
  }

  stepsExceeded(): LimitError {
    return limitError('maxSteps', `more than ${this.limits.maxSteps} steps`);
  }
}

function limitError(limit: keyof Limits, detail: string): LimitError {
  return new LimitError('TemplateLimit', `template limit: ${detail}`, { limit });
}

/** A namespace of parsed templates; `template.ts` makes them. */
export interface Templates {
  has(name: string): boolean;
  /** Adds the templates of one file, or of a text given to `tpl`. Throws TemplateError `TemplateParse`. */
  parse(name: string, text: string): void;
  /** A namespace that starts with these templates; what is parsed into it stays in it. Cheap. */
  clone(): Templates;
  /** Runs one template and returns its output. Throws TemplateError `TemplateExecution`. */
  execute(name: string, data: GoValue, execution: Execution): string;
}

/**
 * One rendering in progress. Functions declared with `funcWith` receive it.
 * `context` is the caller's own state (Helm keeps its include counters and lookups there).
 */
export interface Execution<Context = unknown> {
  /** The namespace that the running template was executed in. */
  readonly templates: Templates;
  readonly host: TemplateHost;
  readonly budget: Budget;
  readonly context: Context;
}
