// Owns the reading of built manifests: lists are flattened, what is no Kubernetes object is dropped (flux.md §4.5
// step 7).
import { isJsonObject, type JsonValue } from '../lib/json.ts';
import { groupOf, isManifest, type Manifest } from './manifest.ts';

/** The objects among the values. Lists stand for their items; kustomize's own files are no objects. */
export function toManifests(values: readonly JsonValue[]): Manifest[] {
  return values.flatMap((value) => {
    if (!isJsonObject(value)) return [];
    const { kind, items, apiVersion } = value;
    if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) return toManifests(items);
    if (typeof apiVersion === 'string' && groupOf(apiVersion) === 'kustomize.config.k8s.io') return [];
    return isManifest(value) ? [value] : [];
  });
}
