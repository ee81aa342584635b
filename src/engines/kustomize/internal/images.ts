// Owns the images transformer: which image texts an entry means, and what it makes of them.
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { compileRegexp } from '../../../lib/regexp.ts';
import { applyFieldSpecs, createSpecIndex, type FieldSpec } from './fieldspec.ts';
import type { ImageEntry } from './kustomization-fields.ts';
import { getField, isNull, requireKind, scalarNode, setScalar } from './node.ts';
import { isCrd, type Transformer } from './transform.ts';

/**
 * Rewrites images: first wherever a list of containers stands, then at the places of the specs. An image in both is
 * rewritten twice, which shows with `tagSuffix`.
 */
export function imagesTransformer(entry: ImageEntry, specs: readonly FieldSpec[]): Transformer {
  const matches = compileImageName(entry.name);
  const update = (node: YamlNode): void => updateImage(node, entry, matches);
  return (map) => {
    for (const resource of map.resources) if (!isCrd(resource.node!)) updateContainers(resource.node!, update);
    const specsFor = createSpecIndex(specs);
    for (const { node } of map.resources) {
      if (!isCrd(node!)) applyFieldSpecs(node!, specsFor(node!), { set: update });
    }
  };
}

function updateContainers(node: YamlNode, update: (image: YamlNode) => void): void {
  if (node.kind === 'sequence') {
    for (const element of node.content) if (element.content.length > 0) updateContainers(element, update);
    return;
  }
  if (node.kind !== 'mapping') return;
  const { content } = node;
  for (let i = 0; i < content.length; i += 2) {
    const value = content[i + 1]!;
    if (value.content.length === 0) continue;
    updateContainers(value, update);
    const name = content[i]!.value;
    if ((name !== 'containers' && name !== 'initContainers') || value.kind !== 'sequence' || isNull(value)) continue;
    for (const container of value.content) {
      const image = getField(container, 'image');
      if (image !== undefined) update(image);
    }
  }
}

function updateImage(node: YamlNode, entry: ImageEntry, matches: (image: string) => boolean): void {
  requireKind(node, 'scalar');
  if (!matches(node.value)) return;
  let { name, tag, digest } = splitImage(node.value);
  if (entry.newName !== '') name = entry.newName;
  if (entry.newTag !== '') {
    tag = entry.newTag;
    digest = entry.digest;
  } else if (entry.digest !== '') {
    tag = '';
    digest = entry.digest;
  } else if (entry.tagSuffix !== '') {
    tag += entry.tagSuffix;
    digest = '';
  }
  const text = name + (tag === '' ? '' : `:${tag}`) + (digest === '' ? '' : `@${digest}`);
  setScalar(node, scalarNode(text));
}

/** Takes an image apart. What stands before the first slash may hold a port. */
function splitImage(image: string): { name: string; tag: string; digest: string } {
  const slash = Math.max(image.indexOf('/'), 0);
  const at = image.indexOf('@', slash);
  const colon = image.indexOf(':', slash);
  if (at < 0 && colon < 0) return { name: image, tag: '', digest: '' };
  if (at >= 0 && (colon < 0 || at < colon)) return { name: image.slice(0, at), tag: '', digest: image.slice(at + 1) };
  const end = at < 0 ? image.length : at;
  return { name: image.slice(0, colon), tag: image.slice(colon + 1, end), digest: at < 0 ? '' : image.slice(at + 1) };
}

const TAG_AND_DIGEST = /^(?::[a-zA-Z0-9_.{}-]*)?(?:@sha256:[a-zA-Z0-9_.{}-]*)?$/;
/** Names without pattern signs; a dot is one, but a harmless one. */
const SIMPLE_NAME = /^[\w/:@.-]*$/;

/** The name is a pattern; a tag and a digest may follow it. */
function compileImageName(name: string): (image: string) => boolean {
  if (!SIMPLE_NAME.test(name)) {
    const pattern = compileRegexp(`^${name}(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`);
    return (image) => pattern.test(image);
  }
  return (image) => {
    if (image.length < name.length || !TAG_AND_DIGEST.test(image.slice(name.length))) return false;
    for (let i = 0; i < name.length; i++) {
      const wanted = name[i];
      if (wanted !== image[i] && (wanted !== '.' || image[i] === '\n')) return false;
    }
    return true;
  };
}
