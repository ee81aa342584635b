// Owns the rule that validators look but do not touch: what resources were before, and the fault when they changed.
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { buildError } from '../errors.ts';
import { resourceJsonText } from './output.ts';
import { formatResId } from './resid.ts';
import { createResMap, type ResMap, withCurrentId } from './resmap.ts';
import { copyResource, currentId, metadataMap, type Resource, setMetadataMap } from './resource.ts';

/** A validator may leave this label behind. */
const VALIDATED_BY = 'validated-by';

/** Go's `%#v` of a resource; the pointer differs from run to run there. */
const GO_RESOURCE =
  '&resource.Resource{RNode:yaml.RNode{fieldPath:[]string(nil), value:(*yaml.Node)(0xc000000000), ' +
  'ShouldKeep:false, Match:[]string(nil)}, refVarNames:[]string(nil)}';

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
      const texts = [resource, other].map((one) => `\n -- ${resourceJsonText(one)}`).join(',');
      fail(`nodes unequal: ${texts}\n\n--\n${GO_RESOURCE}\n------\n${GO_RESOURCE}\n`);
    }
  }
}

function withoutLabel(resource: Resource): Resource {
  const labels = metadataMap(resource.node, 'labels');
  if (labels.delete(VALIDATED_BY)) setMetadataMap(resource.node!, 'labels', labels);
  return resource;
}

/** Everything counts, styles and positions too: so taking the validator's label out again mostly shows. */
function sameNode(a: YamlNode, b: YamlNode): boolean {
  return (
    a.kind === b.kind &&
    a.tag === b.tag &&
    a.value === b.value &&
    a.line === b.line &&
    a.column === b.column &&
    a.style.scalar === b.style.scalar &&
    a.style.flow === b.style.flow &&
    a.headComment === b.headComment &&
    a.lineComment === b.lineComment &&
    a.footComment === b.footComment &&
    a.content.length === b.content.length &&
    a.content.every((child, i) => sameNode(child, b.content[i]!))
  );
}
