// Owns logging in as a GitHub App: a signed statement of who we are, exchanged for a token that lasts an hour.
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { GitError } from '../../engines/git/errors.ts';
import type { HttpDoor, ProxySettings, TlsSettings } from '../http.ts';
import type { SecretData } from './auth.ts';
import { fromRemoteError } from './errors.ts';
import type { BasicLogin } from './transport.ts';

/** Who the app is and where it is installed. */
export interface GitHubApp {
  /** App ID, or client ID. */
  readonly appId: string;
  readonly privateKey: string;
  /** One of the two is given. */
  readonly installationId?: string;
  readonly installationOwner?: string;
  /** @default 'https://api.github.com' */
  readonly baseUrl?: string;
}

/** What the exchange works with. */
export interface GitHubAppPorts {
  readonly http: HttpDoor;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly tls?: TlsSettings;
  readonly proxy?: ProxySettings;
}

const DEFAULT_BASE_URL = 'https://api.github.com';
// GitHub allows ten minutes at most, and clocks differ.
const STATEMENT_SECONDS = 9 * 60;
const CLOCK_SKEW_SECONDS = 60;
// A token about to expire could fail in the middle of a fetch.
const RENEW_BEFORE_MS = 5 * 60 * 1000;

/** Whether the Secret is meant for a GitHub App. */
export function hasGitHubAppData(data: SecretData): boolean {
  return Object.hasOwn(data, 'githubAppID') || Object.hasOwn(data, 'githubAppClientID');
}

/** Reads the app out of a Secret's data. Throws GitError GitAuthOptions. */
export function parseGitHubApp(data: SecretData, secretName: string): GitHubApp {
  const own = (key: string) => (Object.hasOwn(data, key) ? data[key]?.trim() : undefined);
  const bad = (text: string) =>
    new GitError('GitAuthOptions', `invalid GitHub App data in secret '${secretName}': ${text}`);
  const appId = own('githubAppID') || own('githubAppClientID');
  const privateKey = own('githubAppPrivateKey');
  const installationId = own('githubAppInstallationID');
  const installationOwner = own('githubAppInstallationOwner');
  const baseUrl = own('githubAppBaseURL');
  if (!appId) throw bad("key 'githubAppID' is missing");
  if (!privateKey) throw bad("key 'githubAppPrivateKey' is missing");
  if (!installationId === !installationOwner) {
    throw bad("exactly one of 'githubAppInstallationOwner' and 'githubAppInstallationID' must be set");
  }
  if (baseUrl && !URL.canParse(baseUrl)) throw bad("'githubAppBaseURL' is not a URL");
  return {
    appId,
    privateKey,
    ...(installationId ? { installationId } : {}),
    ...(installationOwner ? { installationOwner } : {}),
    ...(baseUrl ? { baseUrl } : {}),
  };
}

/** Makes logins for an app; tokens are kept until shortly before they expire. */
export function createGitHubLogin(
  app: GitHubApp,
  ports: GitHubAppPorts,
): (signal?: AbortSignal) => Promise<BasicLogin> {
  let token: { readonly value: string; readonly expiresMs: number } | undefined;
  return async (signal) => {
    if (token === undefined || token.expiresMs - RENEW_BEFORE_MS < ports.now()) {
      token = await exchange(app, ports, signal);
    }
    return { username: 'x-access-token', password: token.value };
  };
}

/** The statement that GitHub takes: a JSON Web Token, RS256. @param nowMs since 1970 */
export function signStatement(app: GitHubApp, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  const claims = { iat: seconds - CLOCK_SKEW_SECONDS, exp: seconds + STATEMENT_SECONDS, iss: app.appId };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), readKey(app.privateKey)).toString('base64url')}`;
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause could quote the key.
    throw new GitError('GitAuthOptions', 'the private key of the GitHub App cannot be read');
  }
}

async function exchange(
  app: GitHubApp,
  ports: GitHubAppPorts,
  signal: AbortSignal | undefined,
): Promise<{ value: string; expiresMs: number }> {
  const base = (app.baseUrl ?? DEFAULT_BASE_URL).replace(/\/+$/, '');
  const statement = signStatement(app, ports.now());
  const call = (method: 'GET' | 'POST', path: string) =>
    callApi(ports, statement, { method, url: `${base}${path}`, signal });
  const installation = app.installationId ?? (await findInstallation(call, app.installationOwner as string));
  const answer = await call('POST', `/app/installations/${encodeURIComponent(installation)}/access_tokens`);
  const { token, expires_at: expiresAt } = answer;
  const expiresMs = typeof expiresAt === 'string' ? Date.parse(expiresAt) : Number.NaN;
  if (typeof token !== 'string' || Number.isNaN(expiresMs)) {
    throw new GitError('GitAuthenticationRequired', 'GitHub answered the token request without a token');
  }
  return { value: token, expiresMs };
}

async function findInstallation(
  call: (method: 'GET', path: string) => Promise<Record<string, unknown>>,
  owner: string,
): Promise<string> {
  const paths = [`/orgs/${encodeURIComponent(owner)}/installation`, `/users/${encodeURIComponent(owner)}/installation`];
  let last: unknown;
  for (const path of paths) {
    try {
      const { id } = await call('GET', path);
      if (typeof id === 'number' || typeof id === 'string') return String(id);
    } catch (error) {
      if (!(error instanceof GitError) || error.data.status !== 404) throw error;
      last = error;
    }
  }
  throw new GitError(
    'GitAuthenticationRequired',
    `the GitHub App is not installed for '${owner}'`,
    {},
    { cause: last },
  );
}

async function callApi(
  ports: GitHubAppPorts,
  statement: string,
  request: { method: 'GET' | 'POST'; url: string; signal: AbortSignal | undefined },
): Promise<Record<string, unknown>> {
  try {
    const answer = await ports.http.request({
      method: request.method,
      url: request.url,
      authorization: `Bearer ${statement}`,
      headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
      maxBodyBytes: 1024 * 1024,
      timeoutMs: 30_000,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      ...(ports.tls === undefined ? {} : { tls: ports.tls }),
      ...(ports.proxy === undefined ? {} : { proxy: ports.proxy }),
    });
    const text = await answer.text();
    if (answer.status !== 200 && answer.status !== 201) {
      const code = answer.status === 401 ? 'GitAuthenticationRequired' : 'GitHttpStatus';
      throw new GitError(code, `GitHub refused the token request with status ${answer.status}`, {
        url: request.url,
        status: answer.status,
      });
    }
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new GitError('GitProtocol', 'GitHub answered the token request with something that is no JSON');
    }
    throw fromRemoteError(error);
  }
}
