// Owns lists of one resource, read page by page.
import type { KubeObject } from '../api/meta/object.ts';
import { parseJson } from '../lib/json.ts';
import { groupVersion, type ResourceMapping } from './discovery.ts';
import { type ListOptions, listPath, query } from './paths.ts';
import type { RestClient } from './rest.ts';

/** One page of a list. */
export interface ListPage<T extends KubeObject> {
  readonly items: T[];
  /** Of the whole list: the same on each page. A watch starts here. */
  readonly resourceVersion: string;
  readonly more: boolean;
}

const PAGE = 500;
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/**
 * Lists a resource page by page. Throws `ApiExpired` when the server forgot the list's state midway: what came so far
 * is then worthless for a watch, so the caller lists again. `limit: 0` asks for everything in one page.
 */
export async function* listPages<T extends KubeObject>(
  rest: RestClient,
  mapping: ResourceMapping,
  options: ListOptions & { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number | undefined },
): AsyncGenerator<ListPage<T>> {
  const apiVersion = groupVersion(mapping.group, mapping.version);
  let token = '';
  do {
    const path =
      listPath(mapping, options.namespace) +
      query({
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        limit: options.limit === 0 ? undefined : String(options.limit ?? PAGE),
        continue: token || undefined,
      });
    const accept = options.metadataOnly ? METADATA_LIST : undefined;
    const request = { method: 'GET', path, accept, idempotent: true, signal: options.signal } as const;
    const text = await rest.text({ ...request, timeoutMs: options.timeoutMs });
    const page = parseJson(text) as unknown as {
      items?: (T & { apiVersion: string; kind: string })[] | null;
      metadata?: { resourceVersion?: string; continue?: string };
    };
    const items = page.items ?? [];
    // Items of a list come without the two, or as PartialObjectMetadata.
    for (const item of items) {
      item.apiVersion = apiVersion;
      item.kind = mapping.kind;
    }
    token = page.metadata?.continue ?? '';
    yield { items, resourceVersion: page.metadata?.resourceVersion ?? '', more: token !== '' };
  } while (token !== '');
}
