// Owns how a custom resource's schema is published: its own, plus apiVersion, kind and metadata. Pure.
import { isRecord } from '../object.ts';
import type { Resource, ServedVersion } from '../registry.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** `io.fluxcd.toolkit.source.v1.GitRepository`: the group's parts turned around. */
export function customDefinitionName(resource: Pick<Resource, 'group' | 'kind'>, version: string): string {
  return `${resource.group.split('.').reverse().join('.')}.${version}.${resource.kind}`;
}

/** The schema as OpenAPI documents show it. */
export function customSchema(resource: Resource, version: ServedVersion): Record<string, unknown> {
  const schema = version.custom?.openApi ?? {};
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  return {
    ...schema,
    type: 'object',
    properties: {
      apiVersion: {
        type: 'string',
        description:
          'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values.',
      },
      kind: {
        type: 'string',
        description: 'Kind is a string value representing the REST resource this object represents.',
      },
      ...properties,
      metadata: { allOf: [{ $ref: META }], description: "Standard object's metadata." },
    },
    'x-kubernetes-group-version-kind': [{ group: resource.group, version: version.name, kind: resource.kind }],
  };
}
