// Owns how a Secret's keys become credentials for a Git server, with Flux's refusals (flux.md §2.3).
import type { GitRepository } from '../../api/source/gitrepository.ts';
import { gitRepositoryReasons as reasons } from '../../api/source/gitrepository.ts';
import type { GitAuth } from '../../remote/git/transport.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import type { GitRepositoryPorts, SecretData } from './ports.ts';

/** Credentials as they were read, and for which spec. */
export interface CachedLogin {
  readonly auth: GitAuth;
  readonly print: string;
}

/**
 * Credentials of a repository. They are kept until a fetch fails, the spec changes or a pass is requested: an
 * interval tick asks the API server nothing.
 */
export async function loginFor(
  object: GitRepository,
  ports: GitRepositoryPorts,
  pass: { readonly key: string; readonly signal: AbortSignal; readonly requested: string | undefined },
): Promise<GitAuth> {
  const { spec } = object;
  const name = spec.secretRef?.name;
  const print = `${object.metadata.generation} ${name ?? ''}`;
  const known = ports.logins.get(pass.key);
  if (known?.print === print && pass.requested === undefined) return known.auth;
  const namespace = object.metadata.namespace ?? '';
  const secret = name === undefined ? undefined : await ports.readSecret(namespace, name, pass.signal);
  if (name !== undefined && secret === undefined) {
    throw refuse(`failed to get secret '${namespace}/${name}': secrets "${name}" not found`);
  }
  const auth = toAuth(object, secret);
  ports.logins.set(pass.key, { auth, print });
  return auth;
}

function refuse(message: string): ReconcileError {
  return new ReconcileError(reasons.authenticationFailed, message, { condition: 'FetchFailed' });
}

function toAuth(object: GitRepository, secret: SecretData | undefined): GitAuth {
  const url = new URL(object.spec.url);
  return url.protocol === 'ssh:' ? sshAuth(object, secret) : httpAuth(url, secret);
}

function sshAuth(object: GitRepository, secret: SecretData | undefined): GitAuth {
  const prefix = "failed to configure authentication options: invalid 'ssh' auth option:";
  const identity = text(secret, 'identity');
  const knownHosts = text(secret, 'known_hosts');
  if (identity === '') throw refuse(`${prefix} 'identity' is required (set spec.secretRef)`);
  if (knownHosts === '') throw refuse(`${prefix} 'known_hosts' is required`);
  const passphrase = text(secret, 'password');
  if (passphrase === '' && isEncrypted(identity)) {
    const name = `${object.metadata.namespace}/${object.spec.secretRef?.name}`;
    throw refuse(`SSH identity key is encrypted but no 'password' field was provided in the secret '${name}'`);
  }
  return { ssh: { identity, knownHosts, ...(passphrase === '' ? {} : { passphrase }) } };
}

function isEncrypted(pem: string): boolean {
  if (/ENCRYPTED/.test(pem)) return true;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(pem)?.[1];
  if (body === undefined) return false;
  // openssh-key-v1\0, then the cipher's name as a string with a 4-byte length.
  const bytes = Buffer.from(body.replace(/\s/g, ''), 'base64');
  return bytes.subarray(19, 23).toString('latin1') !== 'none';
}

function httpAuth(url: URL, secret: SecretData | undefined): GitAuth {
  const username = text(secret, 'username') || decodeURIComponent(url.username);
  const password = text(secret, 'password') || decodeURIComponent(url.password);
  const bearerToken = text(secret, 'bearerToken');
  const ca = text(secret, 'ca.crt') || text(secret, 'caFile');
  const cert = text(secret, 'tls.crt');
  const key = text(secret, 'tls.key');
  const prefix = 'failed to configure authentication options:';
  if (username === '' && password !== '') {
    throw refuse(`${prefix} invalid 'https' auth option: 'password' requires 'username' to be set`);
  }
  if ((cert === '') !== (key === '')) throw refuse(`${prefix} 'tls.crt' and 'tls.key' must be given together`);
  const tls = { ...(ca === '' ? {} : { ca }), ...(cert === '' ? {} : { cert, key }) };
  return {
    ...(bearerToken !== '' ? { bearerToken } : username !== '' ? { basic: { username, password } } : {}),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}

/** A Secret's value as text; a trailing line end, which `echo` leaves, is not part of it. */
function text(secret: SecretData | undefined, key: string): string {
  const bytes = secret?.get(key);
  if (bytes === undefined) return '';
  const value = Buffer.from(bytes).toString('utf8');
  return key === 'username' || key === 'password' || key === 'bearerToken' ? value.replace(/\r?\n$/, '') : value;
}
