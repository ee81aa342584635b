// Owns what a redirect may change: method, body, and whether credentials may go along. Knows no connections.
import type { Dispatcher } from 'undici';

/** One step of an exchange. */
export interface Hop {
  readonly url: URL;
  readonly method: Dispatcher.HttpMethod;
  /** Whether credentials of the first request still belong here. Once lost they do not come back. */
  readonly credentials: boolean;
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array> | undefined;
}

/**
 * The request that follows a redirect, or why it is not followed: the target is no HTTP URL, leaves TLS, or the body
 * cannot be sent again.
 */
export function nextHop(hop: Hop, status: number, location: string): Hop | { refused: string } {
  const url = URL.canParse(location, hop.url.href) ? new URL(location, hop.url) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return { refused: 'redirect to something that is no HTTP URL' };
  }
  if (hop.url.protocol === 'https:' && url.protocol === 'http:') return { refused: 'redirect from https to http' };
  // User info in a Location would be a way to make us log in somewhere as somebody else.
  url.username = '';
  url.password = '';
  const credentials = hop.credentials && isSameParty(hop.url, url);
  const keepsMethod = status === 307 || status === 308 || hop.method === 'GET' || hop.method === 'HEAD';
  if (!keepsMethod) return { url, method: 'GET', credentials, body: undefined };
  if (hop.body !== undefined && typeof hop.body !== 'string' && !(hop.body instanceof Uint8Array)) {
    return { refused: `redirect with status ${status} while sending a stream` };
  }
  return { url, method: hop.method, credentials, body: hop.body };
}

/** Same scheme, host and port; or the same host moving from plain http to https on the usual ports. */
export function isSameParty(from: URL, to: URL): boolean {
  if (from.origin === to.origin) return true;
  return (
    from.hostname === to.hostname &&
    from.protocol === 'http:' &&
    from.port === '' &&
    to.protocol === 'https:' &&
    to.port === ''
  );
}
