// Owns which types are known to be cluster-scoped: a fixed table of exact versions, then what a custom schema says.
// Types that neither names count as namespaced.
import { clusterScopedTypes, namespacedTypes } from '../../../objects/schema/kustomize-scopes.ts';

/** Answers for one build; a custom OpenAPI file adds to it. */
export interface Scopes {
  isClusterScoped(apiVersion: string, kind: string): boolean;
  /** Adds what the paths of a custom schema say; key is `apiVersion kind`, value true for namespaced. */
  learn(types: ReadonlyMap<string, boolean>): void;
}

/** @param onUnknown is told when a type is in no table and no custom schema has been brought yet. */
export function createScopes(onUnknown: () => void): Scopes {
  let learned: ReadonlyMap<string, boolean> | undefined;
  return {
    isClusterScoped: (apiVersion, kind) => {
      const type = `${apiVersion} ${kind}`;
      if (clusterScopedTypes.has(type)) return true;
      if (namespacedTypes.has(type)) return false;
      if (learned === undefined) onUnknown();
      return learned?.get(type) === false;
    },
    learn: (types) => {
      learned = types;
    },
  };
}
