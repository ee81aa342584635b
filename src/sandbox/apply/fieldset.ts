// Owns sets of field paths, the content of managedFields entries: set algebra and the FieldsV1 form. Knows no schema.
import type { JsonObject } from '../../lib/json.ts';
import { isRecord } from '../object.ts';

/**
 * One step of a path in FieldsV1 spelling: `f:name` (field), `k:{"name":"x"}` (list item by keys, keys sorted),
 * `v:"x"` (set item by value), `i:0` (list item by index). The spelling is canonical, so equal steps are equal strings.
 */
export type PathElement = string;

const NO_ELEMENTS: ReadonlySet<PathElement> = new Set();
const NO_CHILDREN: ReadonlyMap<PathElement, FieldSet> = new Map();

/** A set of paths. Treated as immutable once built, except by `insert`, which builders call on sets of their own. */
export class FieldSet {
  private own: Set<PathElement> | undefined;
  private below: Map<PathElement, FieldSet> | undefined;

  /** Steps whose path is itself in the set. */
  get members(): ReadonlySet<PathElement> {
    return this.own ?? NO_ELEMENTS;
  }

  /** Sets of longer paths by their first step; never empty ones. */
  get children(): ReadonlyMap<PathElement, FieldSet> {
    return this.below ?? NO_CHILDREN;
  }

  get isEmpty(): boolean {
    return this.own === undefined && this.below === undefined;
  }

  /** Adds a path of at least one step. */
  insert(path: readonly PathElement[]): void {
    let set: FieldSet = this;
    const last = path.length - 1;
    for (let i = 0; i < last; i++) set = set.descend(path[i]!);
    set.add(path[last]!);
  }

  add(element: PathElement): void {
    this.own ??= new Set();
    this.own.add(element);
  }

  /** The child set to build on, made when absent. Leave it non-empty. */
  descend(element: PathElement): FieldSet {
    this.below ??= new Map();
    let child = this.below.get(element);
    if (child === undefined) {
      child = new FieldSet();
      this.below.set(element, child);
    }
    return child;
  }

  /** Attaches a finished child set; an empty one is left out. */
  attach(element: PathElement, child: FieldSet): void {
    if (child.isEmpty) return;
    this.below ??= new Map();
    this.below.set(element, child);
  }

  has(path: readonly PathElement[]): boolean {
    let set: FieldSet | undefined = this;
    for (let i = 0; i < path.length - 1; i++) {
      set = set.children.get(path[i]!);
      if (set === undefined) return false;
    }
    return set.members.has(path.at(-1)!);
  }
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a.isEmpty) return b;
  if (b.isEmpty) return a;
  const out = new FieldSet();
  for (const element of a.members) out.add(element);
  for (const element of b.members) out.add(element);
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    out.attach(element, other ? union(child, other) : child);
  }
  for (const [element, child] of b.children) if (!a.children.has(element)) out.attach(element, child);
  return out;
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const out = new FieldSet();
  for (const element of a.members) if (b.members.has(element)) out.add(element);
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other) out.attach(element, intersection(child, other));
  }
  return out;
}

/** Paths of `a` that are not in `b`; a path in `b` does not take longer ones with it. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (a.isEmpty || b.isEmpty) return a;
  const out = new FieldSet();
  for (const element of a.members) if (!b.members.has(element)) out.add(element);
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    out.attach(element, other ? difference(child, other) : child);
  }
  return out;
}

/** Like `difference`, and a path in `b` takes everything below it with it. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (a.isEmpty || b.isEmpty) return a;
  const out = new FieldSet();
  for (const element of a.members) if (!b.members.has(element)) out.add(element);
  for (const [element, child] of a.children) {
    if (b.members.has(element)) continue;
    const other = b.children.get(element);
    out.attach(element, other ? recursiveDifference(child, other) : child);
  }
  return out;
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a.members.size !== b.members.size || a.children.size !== b.children.size) return false;
  for (const element of a.members) if (!b.members.has(element)) return false;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other === undefined || !equalSets(child, other)) return false;
  }
  return true;
}

/** All paths, in FieldsV1 order. */
export function pathsOf(set: FieldSet): PathElement[][] {
  const out: PathElement[][] = [];
  collect(set, [], out);
  return out;
}

function collect(set: FieldSet, prefix: readonly PathElement[], out: PathElement[][]): void {
  for (const element of [...set.members].sort(compareElements)) out.push([...prefix, element]);
  for (const element of [...set.children.keys()].sort(compareElements)) {
    collect(set.children.get(element)!, [...prefix, element], out);
  }
}

/** A set of the given paths. */
export function setOf(...paths: readonly (readonly PathElement[])[]): FieldSet {
  const set = new FieldSet();
  for (const path of paths) set.insert(path);
  return set;
}

/** The path as conflict messages show it: `.spec.containers[name="app"].image`. */
export function formatPath(path: readonly PathElement[]): string {
  return path.map(formatElement).join('');
}

/** One step as messages show it. */
export function formatElement(element: PathElement): string {
  const body = element.slice(2);
  if (element.startsWith('f:')) return `.${body}`;
  if (element.startsWith('v:')) return `[=${body}]`;
  if (element.startsWith('i:')) return `[${body}]`;
  const keys = JSON.parse(body) as Record<string, unknown>;
  return `[${Object.entries(keys)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}]`;
}

const KIND_ORDER: Readonly<Record<string, number>> = { f: 0, k: 1, v: 2, i: 3 };

/** Order of steps in FieldsV1: fields, keyed items, values, indexes; numbers before strings, by value. */
export function compareElements(a: PathElement, b: PathElement): number {
  const kind = a.charAt(0);
  if (kind !== b.charAt(0)) return (KIND_ORDER[kind] ?? 4) - (KIND_ORDER[b.charAt(0)] ?? 4);
  if (kind === 'f' || a === b) return compareText(a, b);
  if (kind === 'k') return compareKeys(JSON.parse(a.slice(2)), JSON.parse(b.slice(2)));
  return compareScalars(JSON.parse(a.slice(2)), JSON.parse(b.slice(2)));
}

function compareKeys(a: Record<string, unknown>, b: Record<string, unknown>): number {
  const left = Object.entries(a);
  const right = Object.entries(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const byName = compareText(left[i]![0], right[i]![0]);
    if (byName !== 0) return byName;
    const byValue = compareScalars(left[i]![1], right[i]![1]);
    if (byValue !== 0) return byValue;
  }
  return left.length - right.length;
}

function compareScalars(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'number') return -1;
  if (typeof b === 'number') return 1;
  return compareText(String(a), String(b));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const decoded = new WeakMap<object, FieldSet>();

/** Reads FieldsV1. Results are remembered per object, as stored managedFields are read again on each write. */
export function parseFieldsV1(fields: JsonObject): FieldSet {
  const known = decoded.get(fields);
  if (known) return known;
  const set = new FieldSet();
  parseInto(set, fields);
  decoded.set(fields, set);
  return set;
}

/** Fills `set` from the fields; returns whether the path itself ('.') is a member. */
function parseInto(set: FieldSet, fields: JsonObject): boolean {
  let self = false;
  for (const key of Object.keys(fields)) {
    if (key === '.') {
      self = true;
      continue;
    }
    if (!/^[fkvi]:/.test(key)) throw new Error(`invalid field path element ${JSON.stringify(key)}`);
    const value = fields[key];
    const element = key.startsWith('k:') ? canonicalKeys(key) : key;
    if (!isRecord(value)) throw new Error(`invalid value of field path element ${JSON.stringify(key)}`);
    const entries = Object.keys(value);
    if (entries.length === 0) {
      set.add(element);
      continue;
    }
    const child = new FieldSet();
    if (parseInto(child, value as JsonObject)) set.add(element);
    set.attach(element, child);
  }
  return self;
}

function canonicalKeys(element: PathElement): PathElement {
  return keyElement(JSON.parse(element.slice(2)) as Record<string, unknown>);
}

/** The step of a list item that is known by keys. */
export function keyElement(keys: Readonly<Record<string, unknown>>): PathElement {
  const names = Object.keys(keys);
  if (names.length === 1) return `k:{${JSON.stringify(names[0])}:${stringifyScalar(keys[names[0]!])}}`;
  const parts = names.sort().map((name) => `${JSON.stringify(name)}:${stringifyScalar(keys[name])}`);
  return `k:{${parts.join(',')}}`;
}

/** The step of a set item. */
export function valueElement(value: unknown): PathElement {
  return `v:${stringifyScalar(value)}`;
}

function stringifyScalar(value: unknown): string {
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
}

/** Writes FieldsV1, steps in the API server's order. */
export function formatFieldsV1(set: FieldSet): JsonObject {
  const fields = formatSet(set, false);
  decoded.set(fields, set);
  return fields;
}

function formatSet(set: FieldSet, includeSelf: boolean): JsonObject {
  const out: JsonObject = {};
  if (includeSelf) out['.'] = {};
  const elements = new Set<PathElement>(set.members);
  for (const element of set.children.keys()) elements.add(element);
  const sorted = elements.size > 1 ? [...elements].sort(compareElements) : elements;
  for (const element of sorted) {
    const child = set.children.get(element);
    out[element] = child ? formatSet(child, set.members.has(element)) : {};
  }
  return out;
}
