// Owns the ValueAdd transformer: writing a value to a field, or into a path that a field holds.
import { posix } from 'node:path';
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import type { Selector } from './kustomization-fields.ts';
import { lookupCreate, requireKind, scalarNode, setScalar, splitPath } from './node.ts';
import { selectResources } from './pattern.ts';
import { touch } from './resmap.ts';
import { currentId } from './resource.ts';
import type { Transformer } from './transform.ts';

/** Where the value goes. */
export interface ValueTarget {
  readonly selector: Selector | undefined;
  readonly fieldPath: string;
  /** 0 writes the field; n inserts the value as the n-th part of the path in the field. */
  readonly filePathPosition: number;
}

/** Writes a value to all targets. The namespace has rules of its own. */
export function addValueTransformer(
  value: string,
  targets: readonly ValueTarget[],
  writeNamespace: (root: YamlNode, clusterScoped: boolean) => void,
): Transformer {
  return (map) => {
    for (const target of targets) {
      const selected = target.selector === undefined ? map.resources : selectResources(map.resources, target.selector);
      for (const resource of selected) {
        const node = resource.node!;
        if (target.fieldPath === 'metadata/namespace') writeNamespace(node, currentId(resource).clusterScoped);
        else writeField(node, value, target);
      }
      touch(map);
    }
  };
}

function writeField(root: YamlNode, value: string, target: ValueTarget): void {
  const field = lookupCreate(root, splitPath(target.fieldPath, '/'), 'scalar');
  if (field === undefined) return;
  requireKind(field, 'scalar');
  const text = target.filePathPosition > 0 ? insertPart(field.value, target.filePathPosition - 1, value) : value;
  if (text !== '') setScalar(field, scalarNode(text));
}

/** Puts a part into a path; a leading slash counts as no part. */
function insertPart(path: string, position: number, part: string): string {
  if (part === '') return path;
  const absolute = path.startsWith('/');
  const parts = path.split('/').filter((one) => one !== '');
  parts.splice(Math.min(position, parts.length), 0, part);
  return (absolute ? '/' : '') + posix.join(...parts);
}
