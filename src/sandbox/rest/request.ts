// Owns reading what an HTTP request asks for from its path and query. Pure.

/** A request to a resource, or (`resource` undefined) to another path of the server. */
export interface RequestInfo {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly group: string;
  readonly version: string;
  readonly resource: string | undefined;
  /** '' when no namespace is named. */
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

/** Parses `/api/v1/…` and `/apis/GROUP/VERSION/…`; other paths come back with `resource` undefined. */
export function parseRequest(url: string): RequestInfo {
  const cut = url.indexOf('?');
  const path = cut < 0 ? url : url.slice(0, cut);
  const query = new URLSearchParams(cut < 0 ? '' : url.slice(cut + 1));
  const none = { path, query, group: '', version: '', resource: undefined, namespace: '', name: '', subresource: '' };
  // An empty part in between leads nowhere.
  if (path.includes('//')) return none;
  // Decoded first, as Go does: an escaped slash separates like any other.
  const parts = decode(path)
    .split('/')
    .filter((part) => part !== '');
  const prefix = parts.shift();
  if (prefix !== 'api' && prefix !== 'apis') return none;
  const group = prefix === 'apis' ? (parts.shift() ?? '') : '';
  const version = parts.shift();
  if (version === undefined || parts.length === 0) return { ...none, group, version: version ?? '' };
  if (parts[0] === 'watch') parts.shift();
  let namespace = '';
  // `namespaces/NAME` alone is the Namespace itself; with more it is the place of what follows, but for its subresources.
  if (parts[0] === 'namespaces' && parts.length > 2 && !['status', 'finalize'].includes(parts[2]!)) {
    namespace = parts[1]!;
    parts.splice(0, 2);
  }
  const [resource, name = '', ...subresource] = parts;
  return { path, query, group, version, resource, namespace, name, subresource: subresource.join('/') };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** A boolean parameter as the API server reads it: what is there and does not say no means yes. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && !['0', 'false'].includes(value.toLowerCase());
}
