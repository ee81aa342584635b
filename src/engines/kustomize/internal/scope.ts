// Owns which types are known to be cluster-scoped: a fixed table of exact versions, then what a custom schema says.
// Types that neither names count as namespaced.
import { clusterScopedTypes, namespacedTypes } from '../../../objects/schema/kustomize-scopes.ts';

/** Answers for one build. */
export interface Scopes {
  isClusterScoped(apiVersion: string, kind: string): boolean;
}

/** @param ask is asked about a type (`apiVersion kind`) that is in no table: true means namespaced. */
export function createScopes(ask: (type: string) => boolean | undefined): Scopes {
  return {
    isClusterScoped: (apiVersion, kind) => {
      const type = `${apiVersion} ${kind}`;
      if (clusterScopedTypes.has(type)) return true;
      return !namespacedTypes.has(type) && ask(type) === false;
    },
  };
}
