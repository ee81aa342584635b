// Owns reading credentials out of a Secret's data, in Flux's words (flux.md §2.3). Fetching the Secret is others' work.
import { GitError } from '../../engines/git/errors.ts';
import type { ProxySettings, TlsSettings } from '../http.ts';
import type { GitAuth, SshLogin } from './transport.ts';

/** Data of a Secret as text, decoded from base64. */
export type SecretData = Readonly<Record<string, string>>;

/** User whom Git hosts log in by key when the URL names none. */
export const DEFAULT_SSH_USER = 'git';

/**
 * Credentials for a repository. Without data: anonymous for http(s), refused for ssh.
 * @throws GitError GitAuthOptions with Flux's text, GitUrlInvalid
 */
export function parseGitAuth(url: string, data: SecretData = {}): GitAuth {
  if (!URL.canParse(url)) throw new GitError('GitUrlInvalid', 'not a URL');
  const parsed = new URL(url);
  const scheme = parsed.protocol.slice(0, -1);
  if (scheme === 'ssh') return { ssh: parseSsh(data) };
  if (scheme !== 'http' && scheme !== 'https') {
    throw new GitError('GitAuthOptions', scheme === '' ? 'no transport type set' : `unknown transport '${scheme}'`);
  }
  const tls = parseTls(data);
  const base = tls === undefined ? {} : { tls };
  const bearer = own(data, 'bearerToken');
  // The key's presence decides, even when its value is empty; user info in the URL still comes first.
  const username = (bearer === undefined ? own(data, 'username') : undefined) || decode(parsed.username);
  const password = (bearer === undefined ? own(data, 'password') : undefined) || decode(parsed.password);
  if (username === '' && password !== '') {
    throw new GitError('GitAuthOptions', `invalid '${scheme}' auth option: 'password' requires 'username' to be set`);
  }
  if (username !== '') return { ...base, basic: { username, password } };
  return bearer === undefined || bearer === '' ? base : { ...base, bearerToken: bearer };
}

/** Settings of a proxy out of a Secret. Throws GitError GitAuthOptions. */
export function parseProxySecret(data: SecretData, secretName: string): ProxySettings {
  const address = own(data, 'address');
  if (!address) {
    throw new GitError('GitAuthOptions', `invalid proxy secret '${secretName}': key 'address' is missing`);
  }
  const scheme = URL.canParse(address) ? new URL(address).protocol : '';
  if (!['http:', 'https:', 'socks5:'].includes(scheme)) {
    throw new GitError(
      'GitAuthOptions',
      `invalid proxy secret '${secretName}': 'address' is no http, https or socks5 URL`,
    );
  }
  const username = own(data, 'username');
  const password = own(data, 'password');
  return { address, ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

/** Trust and client certificate out of a Secret; undefined when it has neither. Throws GitError GitAuthOptions. */
export function parseTls(data: SecretData): TlsSettings | undefined {
  const ca = own(data, 'ca.crt') || own(data, 'caFile');
  const cert = own(data, 'tls.crt');
  const key = own(data, 'tls.key');
  if (!cert !== !key) {
    throw new GitError('GitAuthOptions', "invalid TLS data: 'tls.crt' and 'tls.key' must be set together");
  }
  if (!ca && !cert) return undefined;
  return { ...(ca ? { ca } : {}), ...(cert && key ? { cert, key } : {}) };
}

function parseSsh(data: SecretData): SshLogin {
  const identity = own(data, 'identity');
  const knownHosts = own(data, 'known_hosts');
  const passphrase = own(data, 'password');
  if (!identity) throw new GitError('GitAuthOptions', "invalid 'ssh' auth option: 'identity' is required");
  if (!knownHosts) throw new GitError('GitAuthOptions', "invalid 'ssh' auth option: 'known_hosts' is required");
  return { identity, knownHosts, ...(passphrase ? { passphrase } : {}) };
}

// Secrets are written by users: a key named `__proto__` must not reach anything.
function own(data: SecretData, key: string): string | undefined {
  return Object.hasOwn(data, key) ? data[key] : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
