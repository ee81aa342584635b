// Owns decoding nodes into JSON values by go-yaml's rules: aliases, merges, duplicate keys, limits. No recursion:
// a document may be ten thousand levels deep.
import type { JsonObject, JsonValue } from '../../json.ts';
import { YamlError } from '../error.ts';
import type { YamlNode } from '../node.ts';
import { type Dialect, type Resolved, resolveScalar } from '../resolve.ts';
import { AliasGuard } from './alias-guard.ts';
import { decodeBinary } from './base64.ts';
import { goSyntax } from './gosyntax.ts';
import {
  findDuplicates,
  hasTextKeys,
  infinityName,
  isCollectionTag,
  keyText,
  placeOf,
  setKey,
  type TypeProblem,
  unhashable,
  unsupportedKey,
} from './keys.ts';

/** How to decode. */
export interface DecodeOptions {
  readonly dialect: Dialect;
  /** v2: refuse a key given twice. v3 always does. */
  readonly strict?: boolean;
}

const MAX_JSON_DEPTH = 10_000;
/** Go reports each pair of equal keys, and a thousand equal keys make half a million pairs. */
const MAX_PROBLEMS = 1000;
/** A collection being decoded. */
interface Frame {
  readonly node: YamlNode;
  readonly list: JsonValue[] | undefined;
  readonly map: JsonObject | undefined;
  index: number;
  /** Key of the value being decoded, and the nodes of both. */
  key: string;
  keyNode: YamlNode;
  valueNode: YamlNode;
  /** Aliases that led here; free again when this is done. */
  readonly aliases: readonly YamlNode[] | undefined;
  /** This fills the map of the frame below and is no value of its own. */
  readonly merging: boolean;
  /** This is a key: an error as soon as it is decoded. */
  readonly isKey: boolean;
  /** v2 strict: keys set so far. */
  readonly seen: Set<string> | undefined;
  /** v3: keys that a merge must not set. */
  merged: Set<string> | undefined;
  /** v3: what to merge in the end. */
  mergeNode: YamlNode | undefined;
  /** Sources of a merge still to come, last first. */
  sources: YamlNode[];
  /** v3: the root map takes any key as text, as kyaml decodes it. */
  readonly textKeys: boolean;
}

const PENDING = Symbol('pending');

/**
 * The value of a node. Throws YamlError: with Go's `yaml: …`, or, for what JSON cannot say, `json: …`.
 * An empty document is null.
 */
export function decodeNode(node: YamlNode, options: DecodeOptions): JsonValue {
  const root = node.kind === 'document' ? node.content[0] : node;
  return root === undefined ? null : new Decoder(options).decode(root);
}

class Decoder {
  readonly #dialect: Dialect;
  readonly #strict: boolean;
  readonly #frames: Frame[] = [];
  readonly #guard = new AliasGuard();
  /** Go goes on after these and reports them together. */
  readonly #typeErrors: TypeProblem[] = [];
  #hasInfinite = false;
  #tooDeep = false;
  /** Maps with keys that JSON has not; they may still be overwritten by a later value. */
  readonly #unfit = new Map<JsonObject, () => YamlError>();

  constructor(options: DecodeOptions) {
    this.#dialect = options.dialect;
    this.#strict = options.strict === true;
  }

  decode(root: YamlNode): JsonValue {
    let result = this.#enter(root, { isRoot: true });
    const frames = this.#frames;
    while (frames.length > 0) {
      const frame = frames[frames.length - 1]!;
      if (frame.list !== undefined ? this.#stepList(frame, frame.list) : this.#stepMap(frame, frame.map!)) continue;
      frames.pop();
      this.#guard.leave(frame.aliases);
      if (frame.isKey) this.#failKey(frame);
      if (frame.merging) continue;
      const value = frame.list ?? frame.map!;
      const parent = frames[frames.length - 1];
      if (parent === undefined) result = value;
      else if (parent.list !== undefined) parent.list.push(value);
      else this.#set(parent, parent.map!, value);
    }
    this.#report(result === PENDING ? null : result);
    return result === PENDING ? null : result;
  }

  /** Takes the next item; false at the end. */
  #stepList(frame: Frame, list: JsonValue[]): boolean {
    const { content } = frame.node;
    if (frame.index >= content.length) return false;
    const value = this.#enter(content[frame.index++]!);
    if (value !== PENDING) list.push(value);
    return true;
  }

  #stepMap(frame: Frame, map: JsonObject): boolean {
    const source = frame.sources.pop();
    if (source !== undefined) {
      this.#enterMerge(frame, map, source);
      return true;
    }
    const { content } = frame.node;
    if (frame.index + 1 >= content.length) return this.#beginDeferredMerge(frame);
    const keyNode = content[frame.index]!;
    const valueNode = content[frame.index + 1]!;
    frame.index += 2;
    if (this.#isMerge(keyNode)) {
      if (this.#dialect === 'v3') frame.mergeNode = valueNode;
      else frame.sources = this.#mergeSources(valueNode);
      return true;
    }
    const key = this.#key(keyNode, valueNode, frame);
    if (key === undefined) return true;
    if (frame.merged !== undefined) {
      const identity = frame.textKeys ? `!!str ${key}` : this.#identity(keyNode);
      if (frame.merged.has(identity)) return true;
      frame.merged.add(identity);
    }
    frame.key = key;
    frame.keyNode = keyNode;
    frame.valueNode = valueNode;
    const value = this.#enter(valueNode);
    if (value !== PENDING) this.#set(frame, map, value);
    return true;
  }

  /** Sets a decoded value; a key given twice is found only now, behind what is wrong inside the value. */
  #set(frame: Frame, map: JsonObject, value: JsonValue): void {
    if (frame.seen !== undefined && this.#seenBefore(frame.seen, frame.keyNode, frame.valueNode)) return;
    setKey(map, frame.key, value);
  }

  /** Counts a node, follows an alias, and gives a scalar's value or opens a collection. */
  #enter(node: YamlNode, how: { isRoot?: boolean; isKey?: boolean } = {}): JsonValue | typeof PENDING {
    this.#guard.tick();
    if (node.kind === 'scalar') return this.#scalar(node);
    let aliases: YamlNode[] | undefined;
    while (node.kind === 'alias') {
      this.#guard.follow(node);
      (aliases ??= []).push(node);
      node = node.alias!;
      this.#guard.tick();
    }
    if (node.kind === 'scalar') {
      const value = this.#scalar(node);
      this.#guard.leave(aliases);
      return value;
    }
    const isMap = node.kind === 'mapping';
    if (isMap && this.#dialect === 'v3' && this.#refusesDuplicates(node)) {
      this.#guard.leave(aliases);
      return null;
    }
    const map: JsonObject | undefined = isMap ? {} : undefined;
    const textKeys = how.isRoot === true && this.#dialect === 'v3';
    if (map !== undefined && this.#dialect === 'v3' && !textKeys && !hasTextKeys(node)) {
      const text = 'json: unsupported type: map[interface {}]interface {}';
      const place = placeOf(node);
      this.#unfit.set(map, () => new YamlError('YamlValue', text, place));
    }
    this.#push({ node, map, list: isMap ? undefined : [], aliases, textKeys, isKey: how.isKey === true });
    return PENDING;
  }

  #push(o: Pick<Frame, 'node' | 'map' | 'list' | 'aliases' | 'textKeys' | 'isKey'> & Partial<Frame>): void {
    this.#frames.push({
      index: 0,
      key: '',
      keyNode: o.node,
      valueNode: o.node,
      merging: false,
      seen: this.#strict && o.map !== undefined ? new Set() : undefined,
      merged: undefined,
      mergeNode: undefined,
      sources: [],
      ...o,
    });
    if (this.#frames.length > MAX_JSON_DEPTH && this.#dialect === 'v2') this.#tooDeep = true;
  }

  #scalar(node: YamlNode): JsonValue {
    const { value } = this.#resolve(node);
    if (typeof value === 'number' && !Number.isFinite(value)) this.#hasInfinite = true;
    return value;
  }

  #resolve(node: YamlNode): Resolved {
    if (node.style.scalar !== undefined && (node.tag === '' || (node.tag === '!' && this.#dialect === 'v3'))) {
      return { tag: '!!str', value: node.value };
    }
    if (node.tag === '!!str') return { tag: node.tag, value: node.value };
    const tag = node.tag === '!' && this.#dialect === 'v3' ? '' : node.tag;
    const resolved = resolveScalar(tag, node.value, this.#dialect);
    if (resolved.tag !== '!!binary') return resolved;
    const text = decodeBinary(node.value);
    if (text === undefined)
      throw new YamlError('YamlValue', 'yaml: !!binary value contains invalid base64 data', placeOf(node));
    return { tag: '!!binary', value: text };
  }

  #isMerge(node: YamlNode): boolean {
    if (node.kind !== 'scalar' || node.value !== '<<') return false;
    if (node.tag === '!!merge' || node.tag === '!') return true;
    // v3 has given plain `<<` its tag when it was read.
    return node.tag === '' && (this.#dialect === 'v3' || node.style.scalar === undefined);
  }

  /** What a `<<` names, as a stack. v3 lets the first win by taking it first, v2 by taking it last. */
  #mergeSources(node: YamlNode): YamlNode[] {
    const sources = node.kind === 'sequence' ? [...node.content] : [node];
    return this.#dialect === 'v3' ? sources.reverse() : sources;
  }

  #enterMerge(frame: Frame, map: JsonObject, source: YamlNode): void {
    if (source.kind !== 'mapping' && source.alias?.kind !== 'mapping') {
      throw new YamlError(
        'YamlReference',
        'yaml: map merge requires map or sequence of maps as the value',
        placeOf(source),
      );
    }
    this.#guard.tick();
    let aliases: YamlNode[] | undefined;
    let node = source;
    if (node.kind === 'alias') {
      this.#guard.follow(node);
      aliases = [node];
      node = node.alias!;
      this.#guard.tick();
    }
    if (this.#dialect === 'v3' && this.#refusesDuplicates(node)) {
      this.#guard.leave(aliases);
      return;
    }
    const { merged, seen, textKeys } = frame;
    this.#push({ node, map, list: undefined, aliases, textKeys, isKey: false, merging: true, merged, seen });
  }

  /** v3 merges when all keys of the map are known. */
  #beginDeferredMerge(frame: Frame): boolean {
    const { mergeNode } = frame;
    if (mergeNode === undefined) return false;
    frame.mergeNode = undefined;
    if (frame.merged === undefined) {
      frame.merged = new Set();
      for (let i = 0; i + 1 < frame.node.content.length; i += 2) {
        const keyNode = frame.node.content[i]!;
        this.#guard.tick();
        const target = keyNode.kind === 'alias' ? keyNode.alias! : keyNode;
        if (target.kind !== 'scalar') throw unhashable(target);
        frame.merged.add(this.#identity(target));
      }
    }
    frame.sources = this.#mergeSources(mergeNode);
    return true;
  }

  /** The text of a key in JSON; undefined if the pair is left out. */
  #key(node: YamlNode, valueNode: YamlNode, frame: Frame): string | undefined {
    const target = node.kind === 'alias' ? node.alias! : node;
    if (target.kind === 'scalar') {
      this.#guard.tick();
      if (node.kind === 'alias') {
        this.#guard.follow(node);
        this.#guard.tick();
        this.#guard.leave([node]);
      }
      const resolved = this.#resolve(target);
      if (frame.textKeys) {
        if (resolved.value === null) return undefined;
        return resolved.tag === '!!binary' ? (resolved.value as string) : target.value;
      }
      const key = keyText(resolved);
      if (key !== undefined) return key;
      if (this.#dialect === 'v2' && !this.#unfit.has(frame.map!)) {
        // The text prints the value, and only a value that has been decoded is known to be of a sane size.
        this.#unfit.set(frame.map!, () => unsupportedKey(resolved, valueNode));
      }
      return String(resolved.value);
    }
    if (frame.textKeys) {
      this.#guard.tick();
      this.#typeErrors.push({
        text: `line ${target.line}: cannot unmarshal ${target.tag}${isCollectionTag(target.tag) ? '' : ' ``'} into string`,
        line: target.line,
        code: 'YamlValue',
      });
      return undefined;
    }
    frame.index = frame.node.content.length;
    this.#enter(node, { isKey: true });
    return undefined;
  }

  #failKey(frame: Frame): never {
    throw new YamlError(
      'YamlValue',
      `yaml: invalid map key: ${goSyntax(frame.node, this.#dialect)}`,
      placeOf(frame.node),
    );
  }

  /** Tells a key from others as Go does: `1` and `"1"` are two. */
  #identity(node: YamlNode): string {
    const { tag, value } = this.#resolve(node.kind === 'alias' ? node.alias! : node);
    return `${typeof value === 'string' ? '!!str' : tag} ${String(value)}`;
  }

  #seenBefore(seen: Set<string>, keyNode: YamlNode, valueNode: YamlNode): boolean {
    const target = keyNode.kind === 'alias' ? keyNode.alias! : keyNode;
    const identity = this.#identity(target);
    if (!seen.has(identity)) {
      seen.add(identity);
      return false;
    }
    const text = `line ${valueNode.line}: key ${goSyntax(target, this.#dialect)} already set in map`;
    this.#typeErrors.push({ text, line: valueNode.line, code: 'YamlDuplicateKey' });
    return true;
  }

  /** v3 refuses a map with a key given twice, and goes on. */
  #refusesDuplicates(node: YamlNode): boolean {
    const problems = findDuplicates(node, MAX_PROBLEMS - this.#typeErrors.length);
    if (problems === undefined) return false;
    this.#typeErrors.push(...problems);
    return true;
  }

  /** Throws what was put off: Go's order is YAML's type errors, then keys, then what JSON cannot hold. */
  #report(result: JsonValue): void {
    const [first] = this.#typeErrors;
    if (first !== undefined) {
      const text = this.#typeErrors.map((error) => error.text).join('\n  ');
      throw new YamlError(first.code, `yaml: unmarshal errors:\n  ${text}`, { line: first.line, column: 0 });
    }
    if (this.#hasInfinite || this.#unfit.size > 0) this.#checkJson(result);
    if (this.#tooDeep) throw new YamlError('YamlLimit', 'exceeded max depth');
  }

  /** Looks for what JSON cannot hold and no later key has overwritten. */
  #checkJson(result: JsonValue): void {
    let infinite: number | undefined;
    const todo: JsonValue[] = [result];
    for (let value = todo.pop(); value !== undefined; value = todo.pop()) {
      if (typeof value === 'number' && !Number.isFinite(value)) {
        infinite ??= value;
        // v2's caller looks at all keys before it writes any number.
        if (this.#dialect === 'v3') break;
      }
      if (typeof value !== 'object' || value === null) continue;
      const error = this.#unfit.get(value as JsonObject);
      if (error !== undefined) throw error();
      const items = Array.isArray(value)
        ? value
        : Object.keys(value)
            .sort()
            .map((key) => (value as JsonObject)[key]!);
      for (let i = items.length - 1; i >= 0; i--) todo.push(items[i]!);
    }
    if (infinite !== undefined) throw new YamlError('YamlValue', `json: unsupported value: ${infinityName(infinite)}`);
  }
}
