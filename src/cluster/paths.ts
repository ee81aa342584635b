// Owns the URL paths of the Kubernetes API.
import { ApiError } from './api-error.ts';
import type { ResourceMapping } from './discovery.ts';

export interface ListOptions {
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Items of a page. @default 500 */
  readonly limit?: number | undefined;
  /** Fetches only apiVersion, kind and metadata. */
  readonly metadataOnly?: boolean | undefined;
}

type PathMapping = Pick<ResourceMapping, 'group' | 'version' | 'resource' | 'namespaced'>;

function rootPath(mapping: PathMapping): string {
  return mapping.group === '' ? `/api/${mapping.version}` : `/apis/${mapping.group}/${mapping.version}`;
}

/** Path of a collection; of all namespaces when none is given. */
export function listPath(mapping: PathMapping, namespace: string | undefined): string {
  const root = rootPath(mapping);
  if (!mapping.namespaced || namespace === undefined || namespace === '') return `${root}/${mapping.resource}`;
  return `${root}/namespaces/${segment(namespace)}/${mapping.resource}`;
}

/** Path of one object. A namespaced object without a namespace is in `default`, as kubectl has it. */
export function objectPath(mapping: PathMapping, namespace: string | undefined, name: string): string {
  return `${listPath(mapping, namespace || 'default')}/${segment(name)}`;
}

/** A name as one segment of a path. Empty and dot names would address another resource. */
function segment(name: string): string {
  if (name !== '' && name !== '.' && name !== '..') return encodeURIComponent(name);
  const message = `${JSON.stringify(name)} is no name of an object or namespace`;
  throw new ApiError('ApiInvalid', message, { status: 0, reason: 'Invalid', causes: [], request: '' });
}

/** `?a=b&c=d` of the fields that are set; '' when there are none. */
export function query(fields: Readonly<Record<string, string | undefined>>): string {
  let text = '';
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === '') continue;
    text += `${text === '' ? '?' : '&'}${name}=${encodeURIComponent(value)}`;
  }
  return text;
}
