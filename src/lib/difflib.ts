// Owns unified diffs of lines as Python's difflib makes them (Ratcliff/Obershelp, with its heuristic for common lines),
// which Go's port of it keeps. Others choose other lines where several would do. Pure.

/** A run of `size` lines that are the same from `a` and from `b` on. */
interface Match {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

interface Range {
  readonly aFrom: number;
  readonly aTo: number;
  readonly bFrom: number;
  readonly bTo: number;
}

/** A part of both texts, equal or not. */
interface Step extends Range {
  readonly equal: boolean;
}

/** From how many lines on those that are common are not looked at first. */
const COMMON_FROM = 200;

/** Where each line of `b` stands; without those that stand in more than one of a hundred places of a long text. */
function indexLines(b: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [i, line] of b.entries()) {
    const known = places.get(line);
    if (known === undefined) places.set(line, [i]);
    else known.push(i);
  }
  if (b.length < COMMON_FROM) return places;
  const most = Math.floor(b.length / 100) + 1;
  for (const [line, found] of places) if (found.length > most) places.delete(line);
  return places;
}

interface Texts {
  readonly a: readonly string[];
  readonly b: readonly string[];
  readonly places: ReadonlyMap<string, readonly number[]>;
}

/** The longest run within a range, the first of several; grown by common lines on both sides. */
function longestMatch({ a, b, places }: Texts, { aFrom, aTo, bFrom, bTo }: Range): Match {
  let best: Match = { a: aFrom, b: bFrom, size: 0 };
  // Lengths of runs that end with the line before, by where they end in b.
  let lengths = new Map<number, number>();
  for (let i = aFrom; i < aTo; i++) {
    const next = new Map<number, number>();
    for (const j of places.get(a[i]!) ?? []) {
      if (j < bFrom) continue;
      if (j >= bTo) break;
      const size = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, size);
      if (size > best.size) best = { a: i - size + 1, b: j - size + 1, size };
    }
    lengths = next;
  }
  let { a: start, b: other, size } = best;
  while (start > aFrom && other > bFrom && a[start - 1] === b[other - 1]) {
    start--;
    other--;
    size++;
  }
  while (start + size < aTo && other + size < bTo && a[start + size] === b[other + size]) size++;
  return { a: start, b: other, size };
}

/** All runs, in order: the longest first, then those before and behind it. */
function matches(texts: Texts): Match[] {
  const found: Match[] = [];
  const queue: Range[] = [{ aFrom: 0, aTo: texts.a.length, bFrom: 0, bTo: texts.b.length }];
  for (let range = queue.pop(); range !== undefined; range = queue.pop()) {
    const match = longestMatch(texts, range);
    if (match.size === 0) continue;
    found.push(match);
    if (range.aFrom < match.a && range.bFrom < match.b) queue.push({ ...range, aTo: match.a, bTo: match.b });
    const [aFrom, bFrom] = [match.a + match.size, match.b + match.size];
    if (aFrom < range.aTo && bFrom < range.bTo) queue.push({ ...range, aFrom, bFrom });
  }
  return found.sort((x, y) => x.a - y.a || x.b - y.b);
}

function stepsOf(a: readonly string[], b: readonly string[]): Step[] {
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  const end: Match = { a: a.length, b: b.length, size: 0 };
  for (const match of [...matches({ a, b, places: indexLines(b) }), end]) {
    if (i < match.a || j < match.b) steps.push({ equal: false, aFrom: i, aTo: match.a, bFrom: j, bTo: match.b });
    [i, j] = [match.a + match.size, match.b + match.size];
    if (match.size === 0) continue;
    const last = steps.at(-1);
    if (last?.equal) steps[steps.length - 1] = { ...last, aTo: i, bTo: j };
    else steps.push({ equal: true, aFrom: match.a, aTo: i, bFrom: match.b, bTo: j });
  }
  return steps;
}

/** Steps in groups, each with at most `context` equal lines around what differs. */
function groupsOf(steps: readonly Step[], context: number): Step[][] {
  const groups: Step[][] = [];
  let group: Step[] = [];
  for (const [n, step] of steps.entries()) {
    if (!step.equal) {
      group.push(step);
      continue;
    }
    const head = {
      ...step,
      aTo: Math.min(step.aTo, step.aFrom + context),
      bTo: Math.min(step.bTo, step.bFrom + context),
    };
    const tail = {
      ...step,
      aFrom: Math.max(step.aFrom, step.aTo - context),
      bFrom: Math.max(step.bFrom, step.bTo - context),
    };
    if (n === 0) group = [tail];
    else if (n === steps.length - 1) group.push(head);
    else if (step.aTo - step.aFrom > 2 * context) {
      groups.push([...group, head]);
      group = [tail];
    } else group.push(step);
  }
  if (group.some(({ equal }) => !equal)) groups.push(group);
  return groups;
}

/** A range in a hunk's head: the first line, counted from 1, and how many there are. */
function formatRange(from: number, to: number): string {
  const size = to - from;
  if (size === 1) return String(from + 1);
  return `${size === 0 ? from : from + 1},${size}`;
}

/** The hunks of a unified diff with 3 lines of context, without a head; '' for texts that are the same. */
export function unifiedDiff(before: string, after: string): string {
  const [a, b] = [before.split('\n'), after.split('\n')];
  const out: string[] = [];
  for (const group of groupsOf(stepsOf(a, b), 3)) {
    const [first, last] = [group[0]!, group.at(-1)!];
    out.push(`@@ -${formatRange(first.aFrom, last.aTo)} +${formatRange(first.bFrom, last.bTo)} @@`);
    for (const { equal, aFrom, aTo, bFrom, bTo } of group) {
      out.push(...a.slice(aFrom, aTo).map((line) => `${equal ? ' ' : '-'}${line}`));
      if (!equal) out.push(...b.slice(bFrom, bTo).map((line) => `+${line}`));
    }
  }
  return out.map((line) => `${line}\n`).join('');
}
