// Owns what a Kustomization object makes of a source: prepare, build, label (flux.md §4.5). The engine itself is
// engines/kustomize.
import { createHash } from 'node:crypto';
import type { Kustomization } from '../api/kustomize/kustomization.ts';
import { ownerNameLabel, ownerNamespaceLabel } from '../api/meta/keys.ts';
import { buildKustomization, type Missing } from '../engines/kustomize/build.ts';
import { errorMessage } from '../lib/errors.ts';
import type { FileTree } from '../lib/filetree.ts';
import type { JsonObject } from '../lib/json.ts';
import { isManifest, type Manifest, withMetadata } from '../objects/manifest.ts';
import { toManifests } from '../objects/parse.ts';
import { prepareKustomization } from './generate.ts';
import { RenderError } from './render-error.ts';

/** The built objects, or what has to be fetched before the build can go on. */
export type RenderedKustomization =
  | {
      readonly state: 'built';
      readonly objects: readonly Manifest[] /** `sha256:<hex>` of the build's YAML. */;
      readonly digest: string;
    }
  | { readonly state: 'missing'; readonly missing: readonly Missing[] };

/**
 * Renders a Kustomization from the tree of its source. Pure: the same input gives the same objects.
 * Throws `RenderError` and the engine's errors.
 */
export function renderKustomization(tree: FileTree, object: Kustomization): RenderedKustomization {
  if (object.spec === undefined) throw new RenderError('BuildFailed', 'the Kustomization has no spec', {});
  const prepared = prepareKustomization(tree, object.spec);
  const built = build(prepared.tree, prepared.target);
  if ('missing' in built) return { state: 'missing', missing: built.missing };
  const values = built.objects();
  for (const value of values) checkIdentity(value);
  const objects = toManifests(values).map((manifest) => addMetadata(manifest, object));
  return { state: 'built', objects, digest: `sha256:${createHash('sha256').update(built.yaml()).digest('hex')}` };
}

function build(tree: FileTree, target: string): ReturnType<typeof buildKustomization> {
  try {
    return buildKustomization(tree, `/${target}`, { loadRestrictions: 'none', reorder: 'none' });
  } catch (error) {
    throw new RenderError('BuildFailed', `kustomize build failed: ${errorMessage(error)}`, {}, { cause: error });
  }
}

function checkIdentity(value: JsonObject): void {
  if (isManifest(value) || String(value['kind'] ?? '').endsWith('List')) return;
  const text = JSON.stringify({ apiVersion: value['apiVersion'], kind: value['kind'] });
  throw new RenderError('DecodeFailed', `failed to decode Kubernetes apiVersion, kind and name from: ${text}`, {});
}

/** Ownership labels and common metadata. As in Flux, common labels of the same name win over the ownership labels. */
function addMetadata(manifest: Manifest, object: Kustomization): Manifest {
  const common = object.spec?.commonMetadata;
  const owned = {
    [ownerNameLabel]: object.metadata.name,
    [ownerNamespaceLabel]: object.metadata.namespace ?? '',
  };
  return withMetadata(manifest, {
    labels: { ...owned, ...common?.labels },
    ...(common?.annotations === undefined ? {} : { annotations: common.annotations }),
  });
}
