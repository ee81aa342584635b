// Owns field specs: where in which kinds a transformer writes, how lists of them merge, and the walk to the fields.
import type { NodeKind, YamlNode } from '../../../lib/goyaml/node.ts';
import { buildError, wrapError } from '../errors.ts';
import { fieldOrCreate, isNull, splitPath } from './node.ts';
import { compareGvk, formatResId, type Gvk, isSelectedByGvk, parseApiVersion } from './resid.ts';
import { apiVersionTextOf, kindOf, nameOf, namespaceOf } from './resource.ts';

/** One place in objects of a type; empty parts of the type match all. */
export interface FieldSpec extends Gvk {
  readonly path: string;
  /** Makes what is missing on the way, and the field itself. */
  readonly create: boolean;
}

/** What is written at the end of a path. */
export interface FieldWriter {
  set(node: YamlNode): void;
  /** Kind and tag of a field that is made; absent: fields are never made. */
  readonly createKind?: NodeKind;
  readonly createTag?: string;
}

/** Adds specs that are not there yet; a spec is there when one with the same path and as narrow a type is. */
export function mergeFieldSpecs(specs: readonly FieldSpec[], added: readonly FieldSpec[]): readonly FieldSpec[] {
  if (added.length === 0) return specs;
  const result = [...specs];
  const byPath = new Map<string, FieldSpec[]>();
  for (const spec of specs) byPath.set(spec.path, [...(byPath.get(spec.path) ?? []), spec]);
  for (const spec of added) {
    const samePath = byPath.get(spec.path) ?? [];
    const known = samePath.find((one) => isSelectedByGvk(one, spec));
    if (known === undefined) {
      result.push(spec);
      byPath.set(spec.path, [...samePath, spec]);
    } else if (known.create !== spec.create) {
      throw buildError('conflicting fieldspecs');
    }
  }
  return result;
}

/** Order of specs in a configuration: by type. */
export function sortFieldSpecs(specs: readonly FieldSpec[]): readonly FieldSpec[] {
  return [...specs].sort(compareGvk);
}

function matchesType(spec: FieldSpec, kind: string, group: string, version: string): boolean {
  return (
    (spec.kind === '' || spec.kind === kind) &&
    (spec.group === '' || spec.group === group) &&
    (spec.version === '' || spec.version === version)
  );
}

/** Text form of the object that a field error names. */
function formatNodeId(node: YamlNode): string {
  const { group, version } = parseApiVersion(apiVersionTextOf(node));
  return formatResId({ group, version, kind: kindOf(node), name: nameOf(node), namespace: namespaceOf(node) });
}

/** Writes to every place that the spec means in this object; nothing when the type is another. */
export function applyFieldSpec(root: YamlNode, spec: FieldSpec, writer: FieldWriter): void {
  const { group, version } = parseApiVersion(apiVersionTextOf(root));
  if (matchesType(spec, kindOf(root), group, version)) writeAt(root, spec, writer);
}

/** As `applyFieldSpec`, for a spec that is known to match. */
export function writeAt(root: YamlNode, spec: FieldSpec, writer: FieldWriter): void {
  try {
    walk(root, pathOf(spec), 0, spec, writer);
  } catch (error) {
    throw wrapError(error, `considering field '${spec.path}' of object ${formatNodeId(root)}`);
  }
}

/** Applies each spec in turn. */
export function applyFieldSpecs(root: YamlNode, specs: readonly FieldSpec[], writer: FieldWriter): void {
  const { group, version } = parseApiVersion(apiVersionTextOf(root));
  const kind = kindOf(root);
  for (const spec of specs) if (matchesType(spec, kind, group, version)) writeAt(root, spec, writer);
}

/** The specs that can match objects of a type, found once per type and list. */
export function createSpecIndex(specs: readonly FieldSpec[]): (root: YamlNode) => readonly FieldSpec[] {
  const byType = new Map<string, readonly FieldSpec[]>();
  return (root) => {
    const apiVersion = apiVersionTextOf(root);
    const kind = kindOf(root);
    const key = `${apiVersion}\0${kind}`;
    let found = byType.get(key);
    if (found === undefined) {
      const { group, version } = parseApiVersion(apiVersion);
      found = specs.filter((spec) => matchesType(spec, kind, group, version));
      byType.set(key, found);
    }
    return found;
  };
}

const paths = new WeakMap<FieldSpec, readonly string[]>();

function pathOf(spec: FieldSpec): readonly string[] {
  let path = paths.get(spec);
  if (path === undefined) {
    path = splitPath(spec.path, '/');
    paths.set(spec, path);
  }
  return path;
}

function walk(node: YamlNode, path: readonly string[], at: number, spec: FieldSpec, writer: FieldWriter): void {
  if (at === path.length) {
    writer.set(node);
    return;
  }
  if (isNull(node)) return;
  switch (node.kind) {
    case 'sequence':
      for (const element of [...node.content]) walkElement(element, path, at, spec, writer);
      return;
    case 'mapping':
      walkMap(node, path, at, spec, writer);
      return;
    case 'alias':
      walk(node.alias!, path, at, spec, writer);
      return;
    default:
      throw buildError('expected sequence or mapping node');
  }
}

function walkElement(
  element: YamlNode,
  path: readonly string[],
  at: number,
  spec: FieldSpec,
  writer: FieldWriter,
): void {
  try {
    walk(element, path, at, spec, writer);
  } catch (error) {
    throw wrapError(error, `visit traversal on path: [${path.slice(at).join(' ')}]`);
  }
}

function walkMap(node: YamlNode, path: readonly string[], at: number, spec: FieldSpec, writer: FieldWriter): void {
  const part = path[at]!;
  const isList = part.endsWith('[]');
  const name = isList ? part.slice(0, -2) : part;
  if (name === '') throw buildError('cannot set or create an empty field name');
  const last = at === path.length - 1;
  const creates = spec.create && writer.createKind !== undefined && !isList;
  let kind: NodeKind | undefined = isList ? 'sequence' : undefined;
  let tag = '';
  if (creates) {
    kind = last ? writer.createKind : 'mapping';
    tag = last ? (writer.createTag ?? '') : '!!map';
  }
  const field = fieldAt(node, name, creates ? kind : undefined);
  if (field === undefined) return;
  if (isNull(field) && kind !== undefined) {
    field.kind = kind;
    field.tag = tag;
  }
  walk(field, path, at + 1, spec, writer);
}

function fieldAt(node: YamlNode, name: string, create: NodeKind | undefined): YamlNode | undefined {
  try {
    return fieldOrCreate(node, name, create);
  } catch (error) {
    throw wrapError(error, `fieldName: ${name}`);
  }
}
