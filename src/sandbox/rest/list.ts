// Owns answering list requests: selection, paging, the list's JSON. Parameters are list-options.ts, tables tables/.

import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import type { KubeObject } from '../object.ts';
import { apiVersionOf, type Resource, type ServedVersion } from '../registry.ts';
import type { Entry } from '../storage/storage.ts';
import { formatToken, parseToken } from './continue-token.ts';
import { toVersion } from './convert.ts';
import { ApiError, badRequest, expired } from './errors.ts';
import type { ListOptions } from './list-options.ts';

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

/** Key prefix of what the request covers. */
export function prefixOf(request: Pick<ListRequest, 'namespace'>): string {
  return request.namespace === '' ? '' : `${request.namespace}/`;
}

/** Selects the page that the request asks for. Throws ApiError 400, 410 or 504. */
export function selectPage(core: Core, request: ListRequest, options: ListOptions): Page {
  const { matcher, continueToken, revision: wanted } = options;
  const prefix = prefixOf(request);
  const token = continueToken === '' ? undefined : parseToken(continueToken);
  if (token && wanted !== '' && wanted !== '0')
    throw badRequest('specifying resource version is not allowed when using continue');
  const past = token ? pastOf(core, token.revision) : exactRevision(core, options);
  const revision = past ?? core.storage.revision;
  const all =
    past === undefined
      ? core.storage.list(request.resource.collection, prefix)
      : core.storage.listAt(request.resource.collection, prefix, revision);
  if (all === undefined) throw expired();
  // A list of any age comes from the API server's cache, which gives it whole.
  const limit = wanted === '0' && !token ? 0 : options.limit;
  const page: Entry[] = [];
  let i = token ? all.findIndex(({ key }) => key >= `${prefix}${token.start}`) : 0;
  if (i < 0) i = all.length;
  for (; i < all.length && (limit === 0 || page.length < limit); i++) {
    const entry = all[i]!;
    if (!matcher || matcher(entry.object)) page.push(entry);
  }
  if (i >= all.length) return { entries: page, revision, continueToken: undefined, remaining: undefined };
  // With a selector the server does not know how many of the rest match, nor whether any does.
  const remaining = matcher ? undefined : all.length - i;
  const lastKey = all[i - 1]!.key.slice(prefix.length);
  return { entries: page, revision, continueToken: formatToken(revision, lastKey), remaining };
}

/** The exact revision that a list is asked at; undefined for the newest. Throws ApiError 400 or 504. */
function exactRevision(core: Core, { revision, revisionMatch }: ListOptions): number | undefined {
  if (revision === '' || revision === '0') return undefined;
  if (!/^\d+$/.test(revision)) throw badRequest(`invalid resource version: ${unreadableRevision(revision)}`);
  const wanted = Number(revision);
  requireRevision(core, wanted);
  return revisionMatch === 'Exact' ? wanted : undefined;
}

function pastOf(core: Core, revision: number): number | undefined {
  if (revision < 0) return undefined;
  requireRevision(core, revision);
  return revision;
}

/** What is wrong with a revision that is no number. */
export function unreadableRevision(text: string): string {
  const shown = JSON.stringify(text);
  return `resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: invalid syntax`;
}

/** Throws ApiError 504 for a revision that has not been reached: the API server waits a while for it, in vain. */
export function requireRevision(core: Core, wanted: number): void {
  const current = core.storage.revision;
  if (wanted <= current) return;
  const details = {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  };
  throw new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, details);
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
