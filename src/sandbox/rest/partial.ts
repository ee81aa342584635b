// Owns what the forms of answers share: an object's metadata alone, and what is known of what is shown. Pure.
import type { KubeObject } from '../object.ts';
import type { Resource, ServedVersion } from '../registry.ts';
import type { Form } from './negotiate.ts';

/** `PartialObjectMetadata` of an object. */
export function partialObject(object: KubeObject, version: Form['version'] = 'v1'): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

export interface Presented {
  readonly resource: Resource;
  readonly version: ServedVersion;
  readonly query: URLSearchParams;
  /** A table without the definitions of its columns. */
  readonly omitColumns?: boolean;
}
