// Owns sprig's regular expression functions. Compiled patterns are kept for the length of one table of functions.
import { compileRegexp, quoteMeta, type Regexp, RegexpError } from '../../../lib/regexp.ts';
import { func, type GoFunction } from '../function.ts';
import { canBackquote, quote } from '../gostring.ts';
import { GoError, type GoValue, INT, STRING, STRING_LIST, stringList, TypedSlice } from '../value.ts';

/** Patterns kept compiled; charts use a handful, over and over. */
const MAX_PATTERNS = 200;

export function regexFunctions(): [string, GoFunction][] {
  const compile = createCompiler();
  const functions: [string, GoFunction][] = [
    ['regexMatch', func([STRING, STRING], (pattern, text) => matchesQuietly(compile, pattern, text))],
    ['mustRegexMatch', func([STRING, STRING], (pattern, text) => compile(pattern).test(text))],
    ['regexQuoteMeta', func([STRING], quoteMeta)],
  ];
  for (const [name, compiler] of [
    ['regex', panicking(compile)],
    ['mustRegex', compile],
  ] as const) {
    functions.push(
      [`${name}Find`, func([STRING, STRING], (pattern, text) => compiler(pattern).find(text) ?? '')],
      [
        `${name}FindAll`,
        func([STRING, STRING, INT], (pattern, text, n) => textsOrNil(compiler(pattern).findAll(text, n))),
      ],
      [
        `${name}ReplaceAll`,
        func([STRING, STRING, STRING], (pattern, text, to) => compiler(pattern).replaceAll(text, to)),
      ],
      [
        `${name}ReplaceAllLiteral`,
        func([STRING, STRING, STRING], (pattern, text, to) => compiler(pattern).replaceAllLiteral(text, to)),
      ],
      [`${name}Split`, func([STRING, STRING, INT], (pattern, text, n) => split(compiler(pattern), text, n))],
    );
  }
  return functions;
}

type Compiler = (pattern: string) => Regexp;

function createCompiler(): Compiler {
  const known = new Map<string, Regexp>();
  return (pattern) => {
    let regexp = known.get(pattern);
    if (regexp === undefined) {
      regexp = compileRegexp(pattern);
      if (known.size >= MAX_PATTERNS) known.clear();
      known.set(pattern, regexp);
    }
    return regexp;
  };
}

/** As regexp.MustCompile: a bad pattern panics with a text of its own. */
function panicking(compile: Compiler): Compiler {
  return (pattern) => {
    try {
      return compile(pattern);
    } catch (error) {
      if (!(error instanceof RegexpError)) throw error;
      const shown = canBackquote(pattern) ? `\`${pattern}\`` : quote(pattern);
      throw new GoError(`regexp: Compile(${shown}): ${error.message}`, { cause: error });
    }
  };
}

function matchesQuietly(compile: Compiler, pattern: string, text: string): boolean {
  try {
    return compile(pattern).test(text);
  } catch (error) {
    if (error instanceof RegexpError && error.code === 'InvalidRegexp') return false;
    throw error;
  }
}

function textsOrNil(texts: readonly string[]): GoValue {
  return new TypedSlice(texts, STRING_LIST, texts.length === 0);
}

function split(regexp: Regexp, text: string, n: number): GoValue {
  return n === 0 ? textsOrNil([]) : stringList(regexp.split(text, n));
}
