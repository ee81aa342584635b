// Owns routing: from an authenticated request to the part that answers it, and from faults to Status answers.
import { errorMessage } from '../../lib/errors.ts';
import type { Core } from '../core.ts';
import { aggregatedDiscovery, coreVersions, groupDocument, groupList, resourceList } from '../discovery/discovery.ts';
import type { OpenApiV3 } from '../openapi/v3.ts';
import { type Answer, type ApiRequest, json, type Reply } from './answer.ts';
import { ApiError, badRequest, methodNotAllowed, NoSuchPath, noSuchResource, statusOf } from './errors.ts';
import { checkRoute, encodeAnswer, findForm, LISTED_STREAMS, negotiate } from './negotiate.ts';
import { findResource, type ResourceRequest, warningsFor } from './resource-request.ts';
import { serveResource } from './resources.ts';

export interface Routes {
  readonly core: Core;
  readonly openApi: OpenApiV3;
  /** Body of /openapi/v2. */
  readonly openApiV2: () => string;
  /** Decides whether the caller may; throws ApiError 403. */
  readonly authorize: (request: ApiRequest) => void;
  /** Answers requests to kinds that are computed and not stored (reviews); undefined for other requests. */
  readonly virtual: (request: ResourceRequest) => Reply | undefined;
  /** Told of faults that are bugs of the server. */
  readonly onBug: (error: unknown) => void;
  /** `host:port`, for discovery. */
  readonly address: () => string;
}

/** Paths that say whether the server is well. */
const PROBES = new Set(['/healthz', '/livez', '/readyz']);

/** Answers one request. Never throws: every fault becomes a Status. */
export function serve(routes: Routes, request: ApiRequest): Reply {
  const reply = route(routes, request);
  return 'stream' in reply ? reply : encodeAnswer(request.headers.accept, reply);
}

function route(routes: Routes, request: ApiRequest): Reply {
  let found: ResourceRequest | undefined;
  try {
    routes.authorize(request);
    if (request.info.resource === undefined) return serveOther(routes, request);
    found = findResource(routes.core, request);
    const isList = request.method === 'GET' && request.info.name === '';
    if (!found.resource.custom) checkRoute(request.headers.accept, isList ? LISTED_STREAMS : undefined);
    return withWarnings(found, routes.virtual(found) ?? serveResource(routes.core, found));
  } catch (error) {
    if (!(error instanceof ApiError) && !(error instanceof RangeError)) routes.onBug(error);
    const answer = faultAnswer(error);
    return found === undefined ? answer : withWarnings(found, answer);
  }
}

function withWarnings(request: ResourceRequest, reply: Reply): Reply {
  const warnings = warningsFor(request);
  return warnings.length > 0 ? { ...reply, warnings } : reply;
}

/** The answer to a fault; one that is not an ApiError is a bug and says so with 500. */
export function faultAnswer(error: unknown): Answer {
  if (error instanceof NoSuchPath)
    return { status: 404, body: '404 page not found\n', contentType: 'text/plain; charset=utf-8' };
  // Only input can nest so deep.
  if (error instanceof RangeError) return faultAnswer(badRequest('json: exceeded max depth'));
  const fault =
    error instanceof ApiError
      ? error
      : new ApiError(500, 'InternalError', `Internal error occurred: ${errorMessage(error)}`);
  const retry = fault.data.retryAfterSeconds;
  return {
    status: fault.status,
    body: JSON.stringify(statusOf(fault)),
    ...(retry ? { headers: { 'Retry-After': String(retry) } } : {}),
  };
}

function serveOther(routes: Routes, request: ApiRequest): Answer {
  const { info, method } = request;
  const path = info.path.length > 1 ? info.path.replace(/\/+$/, '') : info.path;
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed();
  if (PROBES.has(path) || /^\/(livez|readyz|healthz)\//.test(path)) return probe(path, info.query);
  const { core } = routes;
  if (path === '/version') {
    checkRoute(request.headers.accept, ['application/json']);
    return json(JSON.stringify(versionInfo(core), null, 2));
  }
  if (path === '/openapi/v2') return serveOpenApiV2(routes, request);
  if (path === '/openapi/v3') return json(routes.openApi.index());
  if (path.startsWith('/openapi/v3/')) {
    const text = routes.openApi.document(path.slice('/openapi/v3/'.length));
    if (text === undefined) return { status: 404, body: '', contentType: 'text/plain; charset=utf-8' };
    return acceptsJson(request) ? json(text) : NOT_ACCEPTABLE;
  }
  const document = discoveryDocument(routes, request, path);
  if (document !== undefined) return document;
  // An empty part in a path of resources.
  if (/^\/(api|apis\/[^/]+)\/(.*\/)?\//.test(path)) throw noSuchResource();
  const isKnown = core.registry.inGroup(info.group).some(({ custom }) => !custom);
  throw info.version !== '' && isKnown ? noSuchResource() : new NoSuchPath();
}

function discoveryDocument({ core, address }: Routes, { headers, info }: ApiRequest, path: string): Answer | undefined {
  const { registry } = core;
  if (path === '/') return json(JSON.stringify({ paths: rootPaths(core) }));
  if (path === '/api' || path === '/apis') {
    if (path === '/api' && isPlain(headers.accept)) checkRoute(headers.accept);
    const version = findForm(headers.accept, discoveryForm);
    if (version === undefined) negotiate(headers.accept);
    if (!version) return json(JSON.stringify(path === '/api' ? coreVersions(address()) : groupList(registry)));
    const all = aggregatedDiscovery(registry, path === '/api' ? 'api' : 'apis');
    const document = { ...all, apiVersion: `apidiscovery.k8s.io/${version}` };
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    return { status: 200, body: JSON.stringify(document), contentType };
  }
  const group = /^\/apis\/([^/]+)$/.exec(path)?.[1];
  const document =
    group !== undefined ? groupDocument(registry, group) : resourceList(registry, info.group, info.version);
  if (document === undefined) return undefined;
  if (group === undefined && registry.inGroup(info.group).some(({ custom }) => !custom)) checkRoute(headers.accept);
  else negotiate(headers.accept);
  return json(JSON.stringify(document));
}

function isPlain(accept: string | undefined): boolean {
  return !accept?.includes('as=');
}

/** '' for the old documents, the version of the aggregated one, undefined for what is neither. */
function discoveryForm(_mediaType: string, parameters: ReadonlyMap<string, string>): '' | 'v2' | undefined {
  const [as, group, version] = ['as', 'g', 'v'].map((name) => parameters.get(name));
  if (as === undefined && group === undefined && version === undefined) return '';
  const isAggregated = as === 'APIGroupDiscoveryList' && group === 'apidiscovery.k8s.io' && version === 'v2';
  return isAggregated ? 'v2' : undefined;
}

function rootPaths({ registry }: Core): string[] {
  const groups = registry.groups().filter((group) => group !== '');
  return [
    '/api',
    '/api/v1',
    '/apis',
    ...groups.map((group) => `/apis/${group}`),
    '/healthz',
    '/livez',
    '/openapi/v2',
    '/openapi/v3',
    '/readyz',
    '/version',
  ];
}

function probe(path: string, query: URLSearchParams): Answer {
  const verbose = query.has('verbose') ? `[+]ping ok\n[+]log ok\n[+]etcd ok\n${path.slice(1)} check passed\n` : 'ok';
  return { status: 200, body: verbose, contentType: 'text/plain; charset=utf-8' };
}

function versionInfo({ builtins }: Core): Record<string, string> {
  const [major = '', minor = ''] = builtins.version.slice(1).split('.');
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `${builtins.version}+lockstep`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: 'linux/amd64',
  };
}

function serveOpenApiV2(routes: Routes, request: ApiRequest): Answer {
  return acceptsJson(request) ? json(routes.openApiV2()) : NOT_ACCEPTABLE;
}

/** The OpenAPI documents say no more than that. */
const NOT_ACCEPTABLE: Answer = { status: 406, body: '', contentType: 'text/plain; charset=utf-8' };

function acceptsJson({ headers }: ApiRequest): boolean {
  return /application\/json|\*\/\*|application\/\*/.test(headers.accept ?? '*/*');
}
