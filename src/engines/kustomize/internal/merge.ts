// Owns strategic merge patches: a walk of target and patch together, guided by a MergeSchema, with the reference's
// quirks kept (new list elements come first, directives are the patch's own nodes, values keep the target's style).

import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { createNode, type NodeKind } from '../../../lib/goyaml/node.ts';
import type { MergeSchema } from '../../../objects/schema/merge-schema.ts';
import { buildError } from '../errors.ts';
import { mergeKeyedList } from './merge-list.ts';
import { clearField, fieldOf, isNull, keyOf, requireKind, setField, TAG_NULL } from './node.ts';
import { compareText } from './resid.ts';
import { apiVersionTextOf, kindOf } from './resource.ts';
import { nodeText } from './yaml.ts';

/** What a merge may ask: schemas by type, and the schema that a comment spells out. */
export interface MergeContext {
  find(apiVersion: string, kind: string): MergeSchema | undefined;
  fromComment(comment: string): MergeSchema | undefined;
}

/** The target and the patch at one place; the result of a walk replaces the target. */
export type Sources = readonly [dest: YamlNode | undefined, patch: YamlNode | undefined];

/** Merges one place; undefined means that nothing is to stand there. */
export type MergePlace = (sources: Sources, schema: MergeSchema | undefined) => Merged;

/** A merged value; `keepNull` marks a null of the target that the patch does not touch. */
export interface Merged {
  readonly node: YamlNode | undefined;
  readonly keepNull?: boolean;
}

const DIRECTIVE = '$patch';
type Directive = 'merge' | 'replace' | 'delete';
const NOTHING: Merged = { node: undefined };
/** Deeper than this no manifest goes; the walk would end in a stack overflow. */
const MAX_DEPTH = 1_000;

/**
 * Merges a patch into a target, in place; nodes of the patch become part of the target.
 * Answers false when the patch deletes the target.
 */
export function mergePatch(target: YamlNode, patch: YamlNode, context: MergeContext): boolean {
  return createMerger(context)([target, patch], undefined).node !== undefined;
}

function createMerger(context: MergeContext): MergePlace {
  let depth = 0;
  const merge: MergePlace = (sources, inherited) => {
    if (depth > MAX_DEPTH) throw buildError('patch is nested too deeply');
    const schema = schemaFor(sources, inherited, context);
    depth += 1;
    try {
      return mergeByKind(sources, schema);
    } finally {
      depth -= 1;
    }
  };

  const mergeByKind: MergePlace = (sources, schema) => {
    const kind = kindOfSources(sources);
    if (kind !== undefined) for (const source of sources) requireKind(source, kind);
    switch (kind) {
      case 'mapping':
      case undefined:
        return mergeMap(sources, schema);
      case 'sequence':
        return mergeList(sources, schema);
      case 'scalar':
        copyComments(sources);
        return { node: sources[1] ?? sources[0] };
      default:
        return NOTHING;
    }
  };

  const mergeMap: MergePlace = (sources, schema) => {
    const start = chooseMap(sources);
    if (start.node === undefined || start.keepNull === true) return start;
    const places: Sources = [start.node, sources[1]];
    for (const name of fieldNames(places)) {
      const dest = fieldOf(places[0], name);
      const patch = fieldOf(places[1], name);
      const spelled = fieldComment(places, name, context);
      const merged = merge([dest, patch], spelled ?? schema?.field(name));
      setField(start.node, name, merged.node, merged.keepNull);
    }
    return { node: start.node };
  };

  const mergeList: MergePlace = (sources, schema) => {
    copyComments(sources);
    copyEmptyStyle(sources);
    const [dest, patch] = sources;
    if (schema?.mergeKeys === undefined) return { node: patch ?? dest };
    const start = chooseList(sources);
    if (start === undefined) return NOTHING;
    return { node: mergeKeyedList([start, patch], schema, merge) };
  };

  return merge;
}

/** The first source that says something decides what both must be. */
function kindOfSources(sources: Sources): NodeKind | undefined {
  return sources.find((source) => !isNull(source))?.kind;
}

function schemaFor(
  sources: Sources,
  inherited: MergeSchema | undefined,
  context: MergeContext,
): MergeSchema | undefined {
  for (const source of sources) {
    if (isNull(source)) continue;
    const spelled = nodeComment(source!, context);
    if (spelled !== undefined) return spelled;
  }
  if (inherited !== undefined) return inherited;
  // Objects inside objects of unknown types are known by their own kind.
  for (const source of sources) {
    if (source?.kind !== 'mapping' || isNull(source)) continue;
    const kind = kindOf(source);
    const apiVersion = apiVersionTextOf(source);
    if (kind === '' || apiVersion === '') continue;
    const found = context.find(apiVersion, kind);
    if (found !== undefined) return found;
  }
  return undefined;
}

function nodeComment(node: YamlNode, context: MergeContext): MergeSchema | undefined {
  const comment = node.lineComment || node.headComment;
  return comment === '' ? undefined : context.fromComment(comment);
}

function fieldComment(sources: Sources, name: string, context: MergeContext): MergeSchema | undefined {
  for (const source of sources) {
    const value = fieldOf(source, name);
    if (value === undefined) continue;
    const spelled = nodeComment(value, context) ?? nodeComment(keyOf(source, name)!, context);
    if (spelled !== undefined) return spelled;
  }
  return undefined;
}

/** The map that the merge goes on with: target, patch, or none. */
function chooseMap(sources: Sources): Merged {
  copyComments(sources);
  copyEmptyStyle(sources);
  const [dest, patch] = sources;
  if (isNull(dest)) {
    // A wrong directive matters only where there is something to merge into.
    if (patch !== undefined && patch.kind === 'mapping' && mapDirective(patch, false) === 'delete') return NOTHING;
    if (patch === undefined && dest !== undefined && dest.value !== '') {
      return { node: createNode('scalar', TAG_NULL, dest.value), keepNull: true };
    }
    return { node: patch };
  }
  if (patch !== undefined && patch.tag === TAG_NULL) return NOTHING;
  const directive = patch === undefined ? 'merge' : directiveOf(patch);
  if (directive === 'delete') return NOTHING;
  return { node: directive === 'replace' ? patch : dest };
}

function chooseList(sources: Sources): YamlNode | undefined {
  const [dest, patch] = sources;
  if (isNull(dest)) return patch;
  if (patch !== undefined && patch.tag === TAG_NULL) return undefined;
  const directive = patch === undefined ? 'merge' : directiveOf(patch);
  if (directive === 'delete') return undefined;
  return directive === 'replace' ? patch : dest;
}

function directiveOf(patch: YamlNode): Directive {
  switch (patch.kind) {
    case 'sequence':
      return listDirective(patch);
    case 'mapping':
      return mapDirective(patch, true);
    default:
      throw buildError(`no implemented strategic merge patch strategy for '${patch.tag}' ('${nodeText(patch)}')`);
  }
}

function isDirective(text: string): text is Directive {
  return text === 'merge' || text === 'replace' || text === 'delete';
}

/** Reads the directive of a map and takes it out. */
function mapDirective(patch: YamlNode, strict: boolean): Directive {
  const node = fieldOf(patch, DIRECTIVE);
  if (node === undefined) return 'merge';
  if (!isDirective(node.value)) {
    if (strict) throw buildError(`unknown patch strategy '${node.value}'`);
    return 'merge';
  }
  clearField(patch, DIRECTIVE);
  return node.value;
}

/** Reads the directive of a list, an element of its own (`- $patch: replace`), and takes it out. */
function listDirective(patch: YamlNode): Directive {
  const element = patch.content.find((child) => !isNull(child) && fieldOf(child, DIRECTIVE) !== undefined);
  if (element === undefined || element.content.length > 2) return 'merge';
  const { value } = fieldOf(element, DIRECTIVE)!;
  if (!isDirective(value)) throw buildError(`unknown patch strategy '${value}'`);
  patch.content = patch.content.filter((child) =>
    child.kind !== 'mapping' ? !isNull(child) : child.content.length > 0 && fieldOf(child, DIRECTIVE)?.value !== value,
  );
  return value;
}

function fieldNames(sources: Sources): readonly string[] {
  const names = new Set<string>();
  for (const source of sources) {
    if (source?.kind !== 'mapping' || isNull(source)) continue;
    for (let i = 0; i < source.content.length; i += 2) names.add(source.content[i]!.value);
  }
  return [...names].sort(compareText);
}

function copyComments([dest, patch]: Sources): void {
  if (dest === undefined || patch === undefined) return;
  if (patch.footComment !== '') dest.footComment = patch.footComment;
  if (patch.headComment !== '') dest.headComment = patch.headComment;
  if (patch.lineComment !== '') dest.lineComment = patch.lineComment;
}

function copyEmptyStyle([dest, patch]: Sources): void {
  if (dest === undefined || patch === undefined) return;
  if (dest.kind !== 'scalar' && dest.content.length === 0) dest.style = patch.style;
}
