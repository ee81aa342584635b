// Owns the credentials of a GitRepository: which Secrets they come from, and how long they are kept. What the keys of a
// Secret mean is remote/git/auth.ts.
import { type GitRepository, gitRepositoryReasons as reasons } from '../../api/source/gitrepository.ts';
import { errorMessage } from '../../lib/errors.ts';
import { createMask } from '../../objects/redact.ts';
import { parseGitAuth, parseProxySecret, parseTls, type SecretData } from '../../remote/git/auth.ts';
import { hasGitHubAppData, parseGitHubApp } from '../../remote/git/github-app.ts';
import type { GitAuth } from '../../remote/git/transport.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import type { GitRepositoryPorts } from './ports.ts';

/** Credentials as they were read, and for which spec. */
export interface CachedLogin {
  readonly auth: GitAuth;
  readonly print: string;
}

interface LoginPass {
  readonly key: string;
  readonly signal: AbortSignal;
  readonly requested: string | undefined;
}

/**
 * Credentials of a repository. They are kept until a fetch fails, the spec changes or a pass is requested: an
 * interval tick asks the API server nothing.
 */
export async function loginFor(object: GitRepository, ports: GitRepositoryPorts, pass: LoginPass): Promise<GitAuth> {
  const print = String(object.metadata.generation);
  const known = ports.logins.get(pass.key);
  if (known?.print === print && pass.requested === undefined) return known.auth;
  const auth = await readLogin(object, ports, pass);
  ports.logins.set(pass.key, { auth, print });
  return auth;
}

async function readLogin(object: GitRepository, ports: GitRepositoryPorts, pass: LoginPass): Promise<GitAuth> {
  const { spec } = object;
  const secret = await readSecret(object, spec.secretRef?.name, ports, pass);
  const proxySecret = await readSecret(object, spec.proxySecretRef?.name, ports, pass);
  ports.masks.set(pass.key, createMask([...secretValues(secret), ...secretValues(proxySecret)]));
  const proxy =
    proxySecret === undefined
      ? {}
      : {
          proxy: configured('failed to configure proxy options: ', () =>
            parseProxySecret(proxySecret, secretName(object, spec.proxySecretRef?.name)),
          ),
        };
  if (spec.provider === 'github') return githubAuth(object, secret, proxy, ports);
  if (secret !== undefined && hasGitHubAppData(secret)) {
    const name = secretName(object, spec.secretRef?.name);
    throw misconfigured(`secretRef '${name}' has github app data but provider is not set to github`);
  }
  checkPassphrase(object, secret);
  const auth = configured('failed to configure authentication options: ', () => parseGitAuth(spec.url, secret));
  return { ...auth, ...proxy };
}

/** Keys of credentials that nobody may be shown; a user name or a host key helps to understand a failure. */
const SECRET_KEYS = ['password', 'bearerToken', 'identity', 'tls.key', 'keyFile', 'githubAppPrivateKey'];

function secretValues(secret: SecretData | undefined): string[] {
  return SECRET_KEYS.flatMap((key) => secret?.[key] ?? []);
}

function githubAuth(
  object: GitRepository,
  secret: SecretData | undefined,
  proxy: Pick<GitAuth, 'proxy'>,
  ports: GitRepositoryPorts,
): GitAuth {
  if (secret === undefined) {
    throw misconfigured('secretRef with github app data must be specified when provider is set to github', 'stalled');
  }
  return configured('failed to configure authentication options: ', () => {
    const app = parseGitHubApp(secret, secretName(object, object.spec.secretRef?.name));
    const tls = parseTls(secret);
    const base = { ...proxy, ...(tls === undefined ? {} : { tls }) };
    return { ...base, dynamic: ports.githubLogin(app, base) };
  });
}

async function readSecret(
  object: GitRepository,
  name: string | undefined,
  ports: GitRepositoryPorts,
  pass: LoginPass,
): Promise<SecretData | undefined> {
  if (name === undefined) return undefined;
  const secret = await ports.readSecret(object.metadata.namespace ?? '', name, pass.signal);
  if (secret !== undefined) return secret;
  throw refused(`failed to get secret '${secretName(object, name)}': secrets "${name}" not found`);
}

function secretName(object: GitRepository, name: string | undefined): string {
  return `${object.metadata.namespace}/${name}`;
}

/** An encrypted key without its passphrase is said before anything is tried. */
function checkPassphrase(object: GitRepository, secret: SecretData | undefined): void {
  if (!object.spec.url.startsWith('ssh:') || secret === undefined) return;
  const { identity, password } = secret;
  if (identity === undefined || password || !isEncrypted(identity)) return;
  const name = secretName(object, object.spec.secretRef?.name);
  throw refused(`SSH identity key is encrypted but no 'password' field was provided in the secret '${name}'`);
}

function isEncrypted(pem: string): boolean {
  if (pem.includes('ENCRYPTED')) return true;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(pem)?.[1];
  if (body === undefined) return false;
  // `openssh-key-v1`, a NUL, and the cipher's name behind its length in four bytes.
  return Buffer.from(body, 'base64').subarray(19, 23).toString('latin1') !== 'none';
}

function configured<T>(prefix: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw refused(prefix + errorMessage(error), error);
  }
}

function refused(message: string, cause?: unknown): ReconcileError {
  return new ReconcileError(reasons.authenticationFailed, message, { condition: 'FetchFailed', cause });
}

function misconfigured(message: string, retry: 'transient' | 'stalled' = 'transient'): ReconcileError {
  return new ReconcileError(reasons.invalidProviderConfiguration, message, { condition: 'FetchFailed', retry });
}
