// Owns logging in to a registry (RFC 7235 challenges, the distribution token specification): what a 401 asks for, and
// the token it is answered with. Credentials go to the registry and to a token service of the same party, nowhere else.
import { isJsonObject } from '../../lib/json.ts';
import type { HttpDoor, HttpRequest } from '../http.ts';
import { RegistryError, statusError } from './errors.ts';
import type { RegistryLogin } from './login.ts';

/** A challenge: its scheme in lower case, and its parameters. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** A value for `Authorization`, and until when it is good (ms). */
export interface Authorization {
  readonly value: string;
  readonly expiresAt: number;
}

/** Everything a login is made with. */
export interface LoginContext {
  readonly http: HttpDoor;
  /** Origin of the registry, `https://host:port`. */
  readonly origin: string;
  /** `repository:<path>:pull` */
  readonly scope: string;
  readonly login: RegistryLogin | undefined;
  readonly exchange: Pick<HttpRequest, 'tls' | 'proxy' | 'signal' | 'timeoutMs'>;
  readonly now: number;
}

const DEFAULT_LIFE_S = 60;
const MAX_TOKEN_BYTES = 1024 * 1024;
/** A token is given up this long before it ends. */
const MARGIN_MS = 10_000;

/** Reads `WWW-Authenticate`; several challenges may stand in one header. */
export function parseChallenges(header: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  const token = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?[ \t]*,?[ \t]*/y;
  for (;;) {
    const match = token.exec(header.slice(0, 8192));
    if (match === null) return found;
    const [, name = '', quoted, plain] = match;
    if (quoted === undefined && plain === undefined) found.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else found.at(-1)?.parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
  }
}

/** Answers a challenge. Throws RegistryError, or RemoteError of the exchange with the token service. */
export async function authorize(challenges: readonly Challenge[], context: LoginContext): Promise<Authorization> {
  const { login, origin } = context;
  const forever = Number.POSITIVE_INFINITY;
  if (login?.kind === 'bearer') return { value: `Bearer ${login.token}`, expiresAt: forever };
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer !== undefined) return fetchToken(bearer, context);
  if (challenges.some(({ scheme }) => scheme === 'basic') && login?.kind === 'password') {
    return { value: basic(login), expiresAt: forever };
  }
  throw new RegistryError('RegistryUnauthorized', `GET ${origin}/v2/: UNAUTHORIZED: authentication required`, {
    url: `${origin}/v2/`,
    status: 401,
  });
}

async function fetchToken({ parameters }: Challenge, context: LoginContext): Promise<Authorization> {
  const realm = parameters.get('realm') ?? '';
  const url = URL.canParse(realm, context.origin) ? new URL(realm, context.origin) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw unusableRealm(context.origin);
  if (context.origin.startsWith('https:') && url.protocol === 'http:') throw unusableRealm(context.origin);
  const { login } = context;
  if (login !== undefined && !isSameParty(new URL(context.origin), url)) {
    throw new RegistryError(
      'RegistryUnauthorized',
      `registry ${context.origin} wants its credentials to be sent to ${url.origin}, which is another party: refused`,
      { url: url.origin },
    );
  }
  const service = parameters.get('service') ?? '';
  const answer = await (login?.kind === 'refresh'
    ? refresh(url, service, login.token, context)
    : ask(url, service, login, context));
  if (answer.status !== 200) throw await statusError('GET', url.href, answer);
  return readToken(await answer.text(), url, context.now);
}

function ask(url: URL, service: string, login: RegistryLogin | undefined, { http, scope, exchange }: LoginContext) {
  if (service !== '') url.searchParams.set('service', service);
  url.searchParams.set('scope', scope);
  return http.request({
    url: url.href,
    maxBodyBytes: MAX_TOKEN_BYTES,
    ...exchange,
    ...(login?.kind === 'password' ? { authorization: basic(login) } : {}),
  });
}

function refresh(url: URL, service: string, token: string, { http, scope, exchange }: LoginContext) {
  const form = { grant_type: 'refresh_token', refresh_token: token, service, scope, client_id: 'lockstep' };
  return http.request({
    url: url.href,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
    maxBodyBytes: MAX_TOKEN_BYTES,
    // A redirect would carry the token elsewhere: it stands in the body.
    maxRedirects: 0,
    ...exchange,
  });
}

function readToken(text: string, url: URL, now: number): Authorization {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const fields = isJsonObject(body) ? body : {};
  const value = fields['token'] ?? fields['access_token'];
  const life = fields['expires_in'];
  if (typeof value !== 'string' || value === '' || /[\s\p{Cc}]/u.test(value)) {
    throw new RegistryError('RegistryMalformed', `GET ${url.origin}${url.pathname}: no token in the answer`, {
      url: `${url.origin}${url.pathname}`,
    });
  }
  const seconds = typeof life === 'number' && life > 0 ? life : DEFAULT_LIFE_S;
  return { value: `Bearer ${value}`, expiresAt: now + Math.max(seconds * 1000 - MARGIN_MS, 1) };
}

/**
 * Whether a token service belongs to the registry: the same host, or over TLS a host of the same domain
 * (`registry.gitlab.com` and `gitlab.com`, `registry-1.docker.io` and `auth.docker.io`).
 */
function isSameParty(registry: URL, realm: URL): boolean {
  if (registry.host === realm.host) return true;
  if (realm.protocol !== 'https:') return false;
  const domain = (host: string): string | undefined => {
    const labels = host.toLowerCase().split('.');
    return /^[\d.]+$|:/.test(host) || labels.length < 2 ? undefined : labels.slice(-2).join('.');
  };
  const own = domain(registry.hostname);
  return own !== undefined && own === domain(realm.hostname);
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function unusableRealm(origin: string): RegistryError {
  return new RegistryError('RegistryMalformed', `registry ${origin} names no usable token service`, { url: origin });
}
