// Owns the two glob dialects that Helm uses: Go's path.Match (.helmignore, --show-only) and gobwas/glob (Files.Glob).
// Ignore files in gitignore's dialect are lib/ignore.
import { CodedError } from './errors.ts';

/** A malformed pattern; the message is the Go library's. */
export class GlobError extends CodedError<'BadPattern', { pattern: string }> {}

// --- path.Match ------------------------------------------------------------------------------------------------------

/**
 * Whether a name matches a pattern as Go's `path.Match` has it: `*` and `?` stop at `/`, `[a-z]` and `[^a-z]` are
 * classes, `\` takes the next character as it is. The whole name must match. Throws GlobError on a malformed pattern.
 */
export function matchPath(pattern: string, name: string): boolean {
  const runes = Array.from(name);
  let at = 0;
  let rest = Array.from(pattern);
  const malformed = () => new GlobError('BadPattern', 'syntax error in pattern', { pattern });
  next: while (rest.length > 0) {
    const { star, chunk, tail } = cutChunk(rest);
    rest = tail;
    if (star && chunk.length === 0) return !runes.includes('/', at);
    const end = matchChunk(chunk, runes, at, malformed);
    if (end !== undefined && (end === runes.length || rest.length > 0)) {
      at = end;
      continue;
    }
    // Only the last star is retried, so matching never takes more than pattern × name steps.
    for (let skip = at; star && skip < runes.length && runes[skip] !== '/'; skip++) {
      const found = matchChunk(chunk, runes, skip + 1, malformed);
      if (found === undefined || (rest.length === 0 && found < runes.length)) continue;
      at = found;
      continue next;
    }
    // The rest of the pattern is still judged, so that a bad pattern is bad for every name.
    while (rest.length > 0) {
      const { chunk, tail } = cutChunk(rest);
      rest = tail;
      matchChunk(chunk, [], 0, malformed);
    }
    return false;
  }
  return at === runes.length;
}

/** Cuts leading stars and the literal stretch after them off a pattern. */
function cutChunk(pattern: readonly string[]): { star: boolean; chunk: string[]; tail: string[] } {
  let start = 0;
  while (pattern[start] === '*') start++;
  let end = start;
  for (let inClass = false; end < pattern.length; end++) {
    const rune = pattern[end];
    if (rune === '\\') end++;
    else if (rune === '[') inClass = true;
    else if (rune === ']') inClass = false;
    else if (rune === '*' && !inClass) break;
  }
  return { star: start > 0, chunk: pattern.slice(start, end), tail: pattern.slice(end) };
}

/** Where in the name a chunk that starts at `at` ends; undefined when it does not match there. */
function matchChunk(
  chunk: readonly string[],
  runes: readonly string[],
  at: number,
  malformed: () => GlobError,
): number | undefined {
  let failed = false;
  for (let i = 0; i < chunk.length; ) {
    failed ||= at >= runes.length;
    const rune = runes[at];
    if (chunk[i] === '[') {
      const { matches, end } = matchClass(chunk, i + 1, rune, malformed);
      failed ||= !matches;
      i = end;
    } else if (chunk[i] === '?') {
      failed ||= rune === '/';
      i++;
    } else {
      if (chunk[i] === '\\' && ++i === chunk.length) throw malformed();
      failed ||= chunk[i] !== rune;
      i++;
    }
    at++;
  }
  return failed ? undefined : at;
}

function matchClass(
  chunk: readonly string[],
  from: number,
  rune: string | undefined,
  malformed: () => GlobError,
): { matches: boolean; end: number } {
  let i = from;
  const negated = chunk[i] === '^';
  if (negated) i++;
  const bound = (): number => {
    if (i >= chunk.length || chunk[i] === '-' || chunk[i] === ']') throw malformed();
    if (chunk[i] === '\\') i++;
    const code = chunk[i]?.codePointAt(0);
    i++;
    // A class must be closed, so something has to follow every bound.
    if (code === undefined || i >= chunk.length) throw malformed();
    return code;
  };
  const code = rune?.codePointAt(0) ?? -1;
  let matches = false;
  for (let ranges = 0; ranges === 0 || chunk[i] !== ']'; ranges++) {
    const low = bound();
    let high = low;
    if (chunk[i] === '-') {
      i++;
      high = bound();
    }
    matches ||= low <= code && code <= high;
  }
  return { matches: matches !== negated, end: i + 1 };
}

// --- gobwas/glob -----------------------------------------------------------------------------------------------------

type GlobNode =
  | { readonly kind: 'text'; readonly runes: readonly string[] }
  /** `*` (stops at a separator), `**` (does not), `?`. */
  | { readonly kind: 'any' }
  | { readonly kind: 'super' }
  | { readonly kind: 'single' }
  | { readonly kind: 'range'; readonly low: number; readonly high: number; readonly negated: boolean }
  | { readonly kind: 'list'; readonly runes: ReadonlySet<string>; readonly negated: boolean }
  | { readonly kind: 'choice'; readonly branches: GlobNode[][] };

const MAX_BRACE_DEPTH = 200;

/**
 * Compiles a pattern of the gobwas dialect: `*`, `**`, `?`, `[abc]`, `[a-z]`, `[!…]`, `{a,b}` and `\`. A class holds
 * either one range or a list of characters. Throws GlobError on a malformed pattern.
 * @param separator the character that `*` and `?` do not match
 */
export function compileGlob(pattern: string, separator: string): (text: string) => boolean {
  const nodes = parseGlob(pattern);
  return (text) => {
    const runes = Array.from(text);
    const starts = new Uint8Array(runes.length + 1);
    starts[0] = 1;
    return advance(nodes, runes, starts, separator)[runes.length] === 1;
  };
}

function parseGlob(pattern: string): GlobNode[] {
  const runes = Array.from(pattern);
  const root: GlobNode[] = [];
  const open: Extract<GlobNode, { kind: 'choice' }>[] = [];
  let nodes = root;
  for (let i = 0; i < runes.length; ) {
    const rune = runes[i]!;
    if (rune === '{') {
      const choice: GlobNode = { kind: 'choice', branches: [[]] };
      nodes.push(choice);
      if (open.push(choice) > MAX_BRACE_DEPTH) throw badGlob('too many nested alternatives', pattern);
      nodes = choice.branches[0]!;
      i++;
    } else if (rune === ',' && open.length > 0) {
      open.at(-1)!.branches.push((nodes = []));
      i++;
    } else if (rune === '}' && open.length > 0) {
      open.pop();
      nodes = open.at(-1)?.branches.at(-1) ?? root;
      i++;
    } else if (rune === '[') {
      const { node, end } = parseGlobClass(runes, i + 1, pattern);
      nodes.push(node);
      i = end;
    } else if (rune === '*') {
      const isSuper = runes[i + 1] === '*';
      nodes.push({ kind: isSuper ? 'super' : 'any' });
      i += isSuper ? 2 : 1;
    } else if (rune === '?') {
      nodes.push({ kind: 'single' });
      i++;
    } else {
      const { text, end } = readText(runes, i, open.length > 0 ? '?*[{},' : '?*[{');
      if (text.length > 0) nodes.push({ kind: 'text', runes: text });
      i = end;
    }
  }
  return root;
}

function readText(runes: readonly string[], from: number, breakers: string): { text: string[]; end: number } {
  const text: string[] = [];
  let i = from;
  for (; i < runes.length && !breakers.includes(runes[i]!); i++) {
    if (runes[i] === '\\' && ++i === runes.length) break;
    text.push(runes[i]!);
  }
  return { text, end: i };
}

function parseGlobClass(runes: readonly string[], from: number, pattern: string): { node: GlobNode; end: number } {
  let i = from;
  const negated = runes[i] === '!';
  if (negated) i++;
  if (i >= runes.length) throw badGlob('unexpected end of input', pattern);
  if (runes[i + 1] === '-') {
    const [low, high] = [runes[i]!.codePointAt(0)!, runes[i + 2]?.codePointAt(0)];
    if (high === undefined) throw badGlob('unexpected end of input', pattern);
    if (runes[i + 3] !== ']') throw badGlob('expected close range character', pattern);
    if (high < low) throw badGlob('hi character should be greater than lo', pattern);
    return { node: { kind: 'range', low, high, negated }, end: i + 4 };
  }
  const { text, end } = readText(runes, i, ']');
  if (end >= runes.length) throw badGlob('unexpected end of input', pattern);
  if (text.length === 0) throw badGlob('could not parse range', pattern);
  return { node: { kind: 'list', runes: new Set(text), negated }, end: end + 1 };
}

function badGlob(message: string, pattern: string): GlobError {
  return new GlobError('BadPattern', message, { pattern });
}

/** The set of positions reachable through the nodes from a set of positions; no backtracking, so no bad case. */
function advance(
  nodes: readonly GlobNode[],
  runes: readonly string[],
  starts: Uint8Array,
  separator: string,
): Uint8Array {
  let here = starts;
  for (const node of nodes) {
    const next = new Uint8Array(runes.length + 1);
    if (node.kind === 'choice') {
      for (const branch of node.branches) {
        const ends = advance(branch, runes, here, separator);
        for (let i = 0; i < next.length; i++) next[i]! |= ends[i]!;
      }
    } else if (node.kind === 'any' || node.kind === 'super') {
      for (let i = 0, alive = 0; i < next.length; i++) {
        if (i > 0 && node.kind === 'any' && runes[i - 1] === separator) alive = 0;
        next[i] = alive |= here[i]!;
      }
    } else {
      const width = node.kind === 'text' ? node.runes.length : 1;
      for (let i = 0; i + width < next.length; i++) {
        if (here[i] === 1 && matchesNode(node, runes, i, separator)) next[i + width] = 1;
      }
    }
    here = next;
  }
  return here;
}

function matchesNode(
  node: Extract<GlobNode, { kind: 'text' | 'single' | 'list' | 'range' }>,
  runes: readonly string[],
  at: number,
  separator: string,
): boolean {
  const rune = runes[at]!;
  switch (node.kind) {
    case 'single':
      return rune !== separator;
    case 'text':
      return node.runes.every((expected, i) => runes[at + i] === expected);
    case 'list':
      return node.runes.has(rune) !== node.negated;
    case 'range': {
      const code = rune.codePointAt(0)!;
      return (node.low <= code && code <= node.high) !== node.negated;
    }
    default:
      return node satisfies never;
  }
}
