// Owns answering list requests: selection, paging, the list's JSON. Tables are tables/.

import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import type { KubeObject } from '../object.ts';
import { apiVersionOf, type Resource, type ServedVersion } from '../registry.ts';
import type { Entry } from '../storage/storage.ts';
import { toVersion } from './convert.ts';
import { ApiError, badRequest, expired, forbiddenFault, invalid } from './errors.ts';
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
  const fields = fieldMatcher(query.get('fieldSelector') ?? '', resource, version.custom?.selectableFields);
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
  const limit = Math.max(0, integerParameter(query, 'limit'));
  const text = query.get('continue') ?? '';
  const token = text === '' ? undefined : parseToken(text);
  const exact = checkRevision(core, query, token !== undefined);
  const past = token?.rv ?? exact;
  const revision = past ?? core.storage.revision;
  const prefix = prefixOf(request);
  const all =
    past !== undefined
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

/** An integer of the query; 0 when absent. Throws ApiError 400 in Go's words. */
function integerParameter(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  if (text !== '' && !/^[+-]?\d+$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** The exact revision that a list is asked at; undefined for the newest. Throws ApiError for a wrong combination. */
function checkRevision(core: Core, query: URLSearchParams, paging: boolean): number | undefined {
  const text = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const refuse = (why: string): ApiError =>
    invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [forbiddenFault('resourceVersionMatch', why)]);
  if (match !== '' && text === '') throw refuse('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (match !== '' && paging) throw refuse('resourceVersionMatch is forbidden when continue is provided');
  if (match === 'Exact' && text === '0')
    throw refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  if (text === '' || text === '0') return undefined;
  if (paging) throw badRequest('specifying resource version is not allowed when using continue');
  if (!/^\d+$/.test(text)) {
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  const wanted = Number(text);
  const current = core.storage.revision;
  if (wanted <= current) return match === 'Exact' ? wanted : undefined;
  const details = {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  };
  throw new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, details);
}

function formatToken(token: Token): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', ...token })).toString('base64url');
}

function parseToken(text: string): Token {
  const decoded = Buffer.from(text, 'base64url').toString('latin1');
  let value: unknown;
  try {
    value = JSON.parse(decoded);
  } catch {
    const why =
      decoded === ''
        ? 'unexpected end of JSON input'
        : `invalid character '${decoded[0]}' looking for beginning of value`;
    throw badRequest(`invalid continue token: continue key is not valid: ${why}`);
  }
  const { rv, start } = (value ?? {}) as Partial<Token>;
  if (typeof rv === 'number' && typeof start === 'string') return { rv, start };
  throw badRequest(
    'invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
  );
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
