// Owns the rule that validators look but do not touch: what resources were before, and the fault when they changed.
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { buildError } from '../errors.ts';
import { resourceJsonText } from './output.ts';
import { formatResId } from './resid.ts';
import { createResMap, type ResMap, withCurrentId } from './resmap.ts';
import { copyResource, currentId, metadataMap, type Resource, setMetadataMap } from './resource.ts';

/** A validator may leave this label behind. */
const VALIDATED_BY = 'validated-by';

/** Copies of all resources. */
export function takeSnapshot(map: ResMap): readonly Resource[] {
  return map.resources.map(copyResource);
}

/** Throws when anything but the validator's own label is not as it was. */
export function requireUnchanged(before: readonly Resource[], map: ResMap): void {
  const after = createResMap(takeSnapshot(map).map(withoutLabel));
  const fail = (what: string): never => {
    throw buildError(`validator shouldn't modify the resource map: ${what}`);
  };
  if (before.length !== after.resources.length) fail('lists have different number of entries');
  for (const resource of before) {
    const id = currentId(resource);
    const others = withCurrentId(after, id);
    if (others.length === 0) fail(`id in self missing from other; id: ${formatResId(id)}`);
    if (others.length > 1) fail(`id in self matches ${others.length} in other; id: ${formatResId(id)}`);
    const other = others[0]!;
    if (!sameNode(resource.node!, other.node!)) {
      fail(`nodes unequal: \n -- ${resourceJsonText(resource)},\n -- ${resourceJsonText(other)}\n`);
    }
  }
}

function withoutLabel(resource: Resource): Resource {
  const labels = metadataMap(resource.node, 'labels');
  if (labels.delete(VALIDATED_BY)) setMetadataMap(resource.node!, 'labels', labels);
  return resource;
}

function sameNode(a: YamlNode, b: YamlNode): boolean {
  if (a.kind !== b.kind || a.tag !== b.tag || a.value !== b.value || a.content.length !== b.content.length)
    return false;
  return a.content.every((child, i) => sameNode(child, b.content[i]!));
}
