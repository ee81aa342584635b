// Owns answering list requests: selection, paging, the list's JSON. Tables are tables/.

import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import type { KubeObject } from '../object.ts';
import { apiVersionOf, type Resource, type ServedVersion } from '../registry.ts';
import type { Entry } from '../storage/storage.ts';
import { toVersion } from './convert.ts';
import { ApiError, badRequest, expired, invalid, invalidFault } from './errors.ts';
import { fieldMatcher, labelMatcher, type Matcher } from './selectors.ts';

export interface ListRequest {
  readonly resource: Resource;
  readonly version: ServedVersion;
  readonly namespace: string;
  /** '' unless one object is watched or listed by its path. */
  readonly name: string;
  readonly query: URLSearchParams;
}

/** One page of a list. */
export interface Page {
  readonly entries: readonly Entry[];
  readonly revision: number;
  readonly continueToken: string | undefined;
  readonly remaining: number | undefined;
}

interface Token {
  readonly rv: number;
  readonly start: string;
}

/** Matcher of the request's selectors, undefined when everything is wanted. */
export function matcherOf(request: ListRequest): Matcher | undefined {
  const { query, resource, version } = request;
  const labels = labelMatcher(query.get('labelSelector') ?? '');
  const fields = fieldMatcher(query.get('fieldSelector') ?? '', resource, version.custom?.selectableFields ?? []);
  const shared = request.resource.group === 'events.k8s.io';
  const inVersion: Matcher | undefined =
    fields && shared ? (object) => fields(toVersion(resource, version, object)) : fields;
  if (labels && inVersion) return (object) => labels(object) && inVersion(object);
  return labels ?? inVersion;
}

/** Key prefix of what the request covers. */
export function prefixOf(request: Pick<ListRequest, 'namespace'>): string {
  return request.namespace === '' ? '' : `${request.namespace}/`;
}

/** Selects the page that the request asks for. Throws ApiError 400 or 410. */
export function selectPage(core: Core, request: ListRequest): Page {
  const { query } = request;
  const limit = Number(query.get('limit') ?? '0') || 0;
  if (limit < 0) throw badRequest('limit must be a positive number');
  const text = query.get('continue') ?? '';
  const token = text === '' ? undefined : parseToken(text);
  checkRevision(core, query, token !== undefined);
  const revision = token?.rv ?? core.storage.revision;
  const prefix = prefixOf(request);
  const all = token
    ? core.storage.listAt(request.resource.collection, prefix, revision)
    : core.storage.list(request.resource.collection, prefix);
  if (all === undefined) throw expired();
  const matcher = matcherOf(request);
  const page: Entry[] = [];
  let i = token ? all.findIndex(({ key }) => key >= token.start) : 0;
  if (i < 0) i = all.length;
  for (; i < all.length; i++) {
    const entry = all[i]!;
    if (matcher && !matcher(entry.object)) continue;
    if (limit > 0 && page.length === limit) break;
    page.push(entry);
  }
  if (i >= all.length) return { entries: page, revision, continueToken: undefined, remaining: undefined };
  // With a selector the server does not know how many of the rest match.
  const remaining = matcher ? undefined : all.length - i;
  return { entries: page, revision, continueToken: formatToken({ rv: revision, start: all[i]!.key }), remaining };
}

function checkRevision(core: Core, query: URLSearchParams, paging: boolean): void {
  const text = query.get('resourceVersion') ?? '';
  if (text === '' || text === '0') return;
  if (paging) throw badRequest('specifying resource version is not allowed when using continue');
  const wanted = Number(text);
  if (!/^\d+$/.test(text)) {
    throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      invalidFault('resourceVersion', text, `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`),
    ]);
  }
  if (wanted > core.storage.revision) {
    const details = {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    };
    throw new ApiError(
      504,
      'Timeout',
      `Too large resource version: ${wanted}, current: ${core.storage.revision}`,
      details,
    );
  }
}

function formatToken(token: Token): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', ...token })).toString('base64url');
}

function parseToken(text: string): Token {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as { rv?: unknown; start?: unknown };
    if (typeof value.rv === 'number' && typeof value.start === 'string') return { rv: value.rv, start: value.start };
  } catch {
    // Falls through to the one answer for every malformed token.
  }
  throw badRequest('continue key is not valid: encountered an invalid continue token');
}

/** JSON of a stored object in a version. */
export function entryJson(resource: Resource, version: ServedVersion, entry: Entry): string {
  const shown = toVersion(resource, version, entry.object);
  return shown === entry.object ? entry.json : stringifyJson(shown);
}

/** The list as JSON. Items of built-in kinds carry no apiVersion and kind, as the API server writes them. */
export function listJson(request: ListRequest, page: Page): string {
  const { resource, version } = request;
  const apiVersion = apiVersionOf(resource.group, version.name);
  const head = `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(resource.kind)},`;
  const items = page.entries.map((entry) => {
    const text = entryJson(resource, version, entry);
    return !resource.custom && text.startsWith(head) ? `{${text.slice(head.length)}` : text;
  });
  const metadata = JSON.stringify(listMeta(page));
  return `{"kind":${JSON.stringify(resource.listKind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${metadata},"items":[${items.join(',')}]}`;
}

/** `metadata` of a list. */
export function listMeta(page: Page): Record<string, unknown> {
  return {
    resourceVersion: String(page.revision),
    ...(page.continueToken ? { continue: page.continueToken } : {}),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
}

/** Objects of a page in the request's version. */
export function pageObjects(request: ListRequest, page: Page): KubeObject[] {
  return page.entries.map(({ object }) => toVersion(request.resource, request.version, object));
}
