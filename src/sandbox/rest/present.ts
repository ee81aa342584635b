// Owns choosing the form of an answer from the Accept header: JSON as it is, a Table, or metadata only.
import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import type { KubeObject } from '../object.ts';
import type { Resource, ServedVersion } from '../registry.ts';
import { tableOf } from '../tables/table.ts';
import { notAcceptable } from './errors.ts';

export type Form = 'json' | 'table' | 'metadata' | 'metadataList';

const JSON_TYPES = ['application/json', 'application/*', '*/*'];
const OFFERED = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** The first form of the Accept header that this server has. Throws ApiError 406 when there is none. */
export function negotiate(accept: string | undefined): Form {
  if (accept === undefined || accept.trim() === '') return 'json';
  for (const clause of accept.split(',')) {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    if (!JSON_TYPES.includes(type.toLowerCase())) continue;
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3);
    const version = parameters.find((parameter) => parameter.startsWith('v='))?.slice(2) ?? 'v1';
    if (as === undefined) return 'json';
    if (version !== 'v1') continue;
    if (as === 'Table') return 'table';
    if (as === 'PartialObjectMetadata') return 'metadata';
    if (as === 'PartialObjectMetadataList') return 'metadataList';
  }
  throw notAcceptable(OFFERED);
}

/** `PartialObjectMetadata` of an object. */
function partial(object: KubeObject): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

export interface Presented {
  readonly resource: Resource;
  readonly version: ServedVersion;
  readonly query: URLSearchParams;
  /** A table without the definitions of its columns. */
  readonly omitColumns?: boolean;
}

/** One object in a form. */
export function presentObject(core: Core, form: Form, what: Presented, object: KubeObject): string {
  if (form === 'table') {
    const metadata = { resourceVersion: object.metadata.resourceVersion };
    return stringifyJson(tableOf(core, what, { objects: [object], metadata }));
  }
  return form === 'json' ? stringifyJson(object) : stringifyJson(partial(object));
}

/** A list in a form other than plain JSON. */
export function presentList(
  core: Core,
  form: Form,
  what: Presented,
  list: { objects: readonly KubeObject[]; metadata: Record<string, unknown> },
): string {
  if (form === 'table') return stringifyJson(tableOf(core, what, list));
  return stringifyJson({
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    metadata: list.metadata,
    items: list.objects.map(partial),
  });
}
