// Owns what a Kustomization object makes of a source: prepare, build, label (flux.md §4.5). The engine itself is
// engines/kustomize; decryption and substitution come between the two functions.
import type { Kustomization } from '../api/kustomize/kustomization.ts';
import { ownerNameLabel, ownerNamespaceLabel } from '../api/meta/keys.ts';
import { buildKustomization, type Missing } from '../engines/kustomize/build.ts';
import type { Fetched } from '../engines/kustomize/missing.ts';
import { errorMessage } from '../lib/errors.ts';
import type { FileTree } from '../lib/filetree.ts';
import type { JsonObject } from '../lib/json.ts';
import { isManifest, type Manifest, withMetadata } from '../objects/manifest.ts';
import { toManifests } from '../objects/parse.ts';
import { prepareKustomization } from './generate.ts';
import { RenderError } from './render-error.ts';

/** The built objects and their YAML, or what has to be fetched before the build can go on. */
export type BuiltKustomization =
  | { readonly state: 'built'; readonly objects: JsonObject[]; readonly yaml: string }
  | { readonly state: 'missing'; readonly missing: readonly Missing[] };

/** Builds the tree of a source. Pure. Throws `RenderError`. */
export function buildObjects(tree: FileTree, object: Kustomization, fetched?: Fetched): BuiltKustomization {
  if (object.spec === undefined) throw new RenderError('BuildFailed', 'the Kustomization has no spec', {});
  const prepared = prepareKustomization(tree, object.spec);
  try {
    const built = buildKustomization(prepared.tree, `/${prepared.target}`, {
      loadRestrictions: 'none',
      reorder: 'none',
      openapi: 'add',
      ...(fetched === undefined ? {} : { fetched }),
    });
    if (!built.ok) return { state: 'missing', missing: built.missing };
    return { state: 'built', objects: built.objects(), yaml: built.yaml() };
  } catch (error) {
    throw new RenderError('BuildFailed', `kustomize build failed: ${errorMessage(error)}`, {}, { cause: error });
  }
}

/** The objects as they are applied: what is none is refused, and each carries its owner's labels. */
export function labelObjects(values: readonly JsonObject[], object: Kustomization): Manifest[] {
  for (const value of values) checkIdentity(value);
  return toManifests(values).map((manifest) => addMetadata(manifest, object));
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
