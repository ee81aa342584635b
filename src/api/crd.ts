// Owns how a row of the registry becomes a CustomResourceDefinition. What the rows say is the kinds' files.
import type { JsonObject } from '../lib/json.ts';
import type { KindDescription } from './kind.ts';
import { kinds } from './kinds.ts';

/** The CustomResourceDefinition of one kind, as `kubectl apply --server-side` takes it (flux.md §5). */
export function toCustomResourceDefinition(kind: KindDescription): JsonObject {
  const names: JsonObject = {
    categories: [...kind.categories],
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    plural: kind.plural,
    singular: kind.singular,
  };
  if (kind.shortNames.length > 0) names['shortNames'] = [...kind.shortNames];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.plural}.${kind.group}`,
      // A Kustomization that carries our CRDs must not replace ${…} in their descriptions and patterns.
      annotations: { 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' },
      labels: { 'app.kubernetes.io/part-of': 'flux', 'app.kubernetes.io/instance': 'flux-system' },
    },
    spec: {
      group: kind.group,
      names,
      scope: 'Namespaced',
      versions: kind.versions.map((version) => ({
        name: version.name,
        served: true,
        storage: version.storage,
        ...(version.deprecationWarning === undefined
          ? {}
          : { deprecated: true, deprecationWarning: version.deprecationWarning }),
        additionalPrinterColumns: kind.columns.map((column) => ({ ...column })),
        schema: { openAPIV3Schema: version.schema },
        subresources: { status: {} },
      })),
    },
  };
}

/** All our CustomResourceDefinitions, in the order of the registry. */
export function customResourceDefinitions(): JsonObject[] {
  return kinds.map(toCustomResourceDefinition);
}
