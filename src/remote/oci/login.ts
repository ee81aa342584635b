// Owns who one is to a registry: credentials out of a Secret, `.dockerconfigjson` included. Sending them is registry.ts.
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import { RegistryError } from './errors.ts';
import type { RepositoryName } from './reference.ts';

/** One login. A password is traded for a token where the registry wants that; `bearer` is sent as it is. */
export type RegistryLogin =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'refresh'; readonly token: string }
  | { readonly kind: 'bearer'; readonly token: string };

/** Data of a Secret as text, decoded from base64. */
export type SecretData = Readonly<Record<string, string>>;

const DOCKER_CONFIG = '.dockerconfigjson';
const DOCKER_HUB_HOSTS: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/**
 * The login for a repository: the first Secret that has one wins. Undefined: anonymous.
 * Throws RegistryError `RegistryAuthOptions`.
 */
export function loginOf(
  secrets: readonly { readonly name: string; readonly data: SecretData }[],
  repository: RepositoryName,
): RegistryLogin | undefined {
  for (const { name, data } of secrets) {
    const login = Object.hasOwn(data, DOCKER_CONFIG)
      ? fromDockerConfig(data[DOCKER_CONFIG]!, repository, name)
      : fromPassword(data, name);
    if (login !== undefined) return login;
  }
  return undefined;
}

function fromPassword(data: SecretData, name: string): RegistryLogin | undefined {
  const username = Object.hasOwn(data, 'username') ? data['username']! : '';
  const password = Object.hasOwn(data, 'password') ? data['password']! : '';
  if (username === '' && password === '') return undefined;
  if (username !== '' && password !== '') return { kind: 'password', username, password };
  throw options(`invalid '${name}' secret data: required fields 'username' and 'password'`);
}

function fromDockerConfig(text: string, repository: RepositoryName, name: string): RegistryLogin | undefined {
  let config: JsonValue;
  try {
    config = JSON.parse(text) as JsonValue;
  } catch {
    throw options(`unable to load Docker config from Secret '${name}': it is not JSON`);
  }
  const auths = isJsonObject(config) ? config['auths'] : undefined;
  if (auths === undefined || auths === null) return undefined;
  if (!isJsonObject(auths)) throw options(`unable to load Docker config from Secret '${name}': auths is no object`);
  // The entry that says most of the path wins, as kubelet does it.
  const keys = Object.keys(auths)
    .filter((key) => matches(key, repository))
    .sort((a, b) => b.length - a.length);
  for (const key of keys) {
    const entry = auths[key];
    if (isJsonObject(entry)) return fromEntry(entry, name);
  }
  return undefined;
}

function fromEntry(entry: JsonObject, name: string): RegistryLogin | undefined {
  const text = (key: string): string => (typeof entry[key] === 'string' ? (entry[key] as string) : '');
  if (text('registrytoken') !== '') return { kind: 'bearer', token: text('registrytoken') };
  if (text('identitytoken') !== '') return { kind: 'refresh', token: text('identitytoken') };
  let [username, password] = [text('username'), text('password')];
  if (text('auth') !== '') {
    const decoded = Buffer.from(text('auth'), 'base64').toString('utf8').replace(/\0+$/, '');
    const colon = decoded.indexOf(':');
    if (colon < 0) throw options(`unable to load Docker config from Secret '${name}': invalid auth field`);
    [username, password] = [decoded.slice(0, colon), decoded.slice(colon + 1)];
  }
  return username === '' && password === '' ? undefined : { kind: 'password', username, password };
}

/** Whether an entry of `auths` is for a repository: same host (`*` stands for part of a label), and above its path. */
function matches(key: string, { host, path }: RepositoryName): boolean {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  const wantHost = slash < 0 ? bare : bare.slice(0, slash);
  // Docker's own key for its hub ends in the version of an API that is long gone.
  const wantPath = (slash < 0 ? '' : bare.slice(slash + 1)).replace(/^v[12]$/, '');
  const same = DOCKER_HUB_HOSTS.has(host) ? DOCKER_HUB_HOSTS.has(wantHost) : matchesHost(wantHost, host);
  return same && (wantPath === '' || path === wantPath || path.startsWith(`${wantPath}/`));
}

function matchesHost(pattern: string, host: string): boolean {
  if (!pattern.includes('*')) return pattern === host;
  const [want, have] = [pattern.split('.'), host.split('.')];
  return want.length === have.length && want.every((label, index) => matchesLabel(label, have[index]!));
}

function matchesLabel(pattern: string, label: string): boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return pattern === label;
  if (label.length < parts.join('').length) return false;
  if (!label.startsWith(parts[0]!) || !label.endsWith(parts.at(-1)!)) return false;
  let from = parts[0]!.length;
  for (const part of parts.slice(1, -1)) {
    const at = label.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= label.length - parts.at(-1)!.length;
}

function options(message: string): RegistryError {
  return new RegistryError('RegistryAuthOptions', message, {});
}
