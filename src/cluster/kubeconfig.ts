// Owns reading kubeconfigs: text -> access to one cluster. Clients that ask a plugin or an OIDC provider for
// credentials are kubeconfig-plugin.ts; the in-cluster configuration is in-cluster.ts.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { CodedError, errorMessage } from '../lib/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { loadYaml } from '../lib/yaml.ts';
import type { ClusterAccess, Impersonation, TlsOptions } from './access.ts';
import { fileToken } from './token-file.ts';

export type KubeconfigErrorCode = 'KubeconfigInvalid' | 'KubeconfigRefused' | 'KubeconfigFile';

/**
 * KubeconfigInvalid: it does not say what is needed. KubeconfigRefused: it asks for something that is not allowed
 * here. KubeconfigFile: a file that it names cannot be read. `field` is the place, e.g. `users[0].user.exec`.
 */
export class KubeconfigError extends CodedError<KubeconfigErrorCode, { readonly field: string }> {}

export interface KubeconfigOptions {
  readonly clock: Clock;
  /** Folder that relative paths in it start from; unused when self-contained. */
  readonly folder: string;
  /** @default its current-context */
  readonly context?: string | undefined;
  /**
   * Refuses whatever reaches beyond the text: file paths, exec plugins, auth providers, proxies. For kubeconfigs that
   * a tenant wrote into a Secret. @default false
   */
  readonly selfContained?: boolean | undefined;
  /** With `selfContained`: accepts insecure-skip-tls-verify. @default false */
  readonly allowInsecureTls?: boolean | undefined;
}

/** Reads a kubeconfig file. Throws `KubeconfigError`. */
export async function readKubeconfig(path: string, options: Omit<KubeconfigOptions, 'folder'>): Promise<ClusterAccess> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new KubeconfigError(
      'KubeconfigFile',
      `cannot read kubeconfig ${path}: ${errorMessage(error)}`,
      { field: '' },
      { cause: error },
    );
  }
  return loadKubeconfig(text, { ...options, folder: dirname(resolve(path)) });
}

/** Access by the text of a kubeconfig, YAML or JSON. Throws `KubeconfigError`. */
export async function loadKubeconfig(text: string, options: KubeconfigOptions): Promise<ClusterAccess> {
  const config = parse(text);
  const contextName = options.context ?? stringAt(config, 'current-context');
  if (!contextName) throw invalid('current-context', 'kubeconfig has no current-context');
  const [context, contextField] = named(config, 'contexts', 'context', contextName);
  const clusterName = stringAt(context, 'cluster');
  if (!clusterName) throw invalid(`${contextField}.cluster`, `context "${contextName}" names no cluster`);
  const [cluster, clusterField] = named(config, 'clusters', 'cluster', clusterName);
  const userName = stringAt(context, 'user');
  const [user, userField] = userName ? named(config, 'users', 'user', userName) : [{}, 'users'];
  const reader = new FieldReader(options);
  const namespace = stringAt(context, 'namespace');
  const impersonate = impersonation(user);
  const base = {
    server: server(cluster, clusterField),
    ...(namespace ? { namespace } : {}),
    ...(impersonate === undefined ? {} : { impersonate }),
  };
  const trust = clusterTls(cluster, clusterField, reader);
  for (const plugin of ['exec', 'auth-provider'] as const) {
    if (user[plugin] === undefined || user[plugin] === null) continue;
    if (options.selfContained)
      throw refused(`${userField}.${plugin}`, `${plugin} is not allowed in a kubeconfig from a Secret`);
    const { pluginAccess } = await import('./kubeconfig-plugin.ts');
    return pluginAccess({ ...base, tls: trust }, text, contextName, options);
  }
  const tls = { ...trust, ...clientCertificate(user, userField, reader) };
  const authorization = authorizationOf(user, userField, reader);
  return { ...base, tls, ...(authorization === undefined ? {} : { authorization }) };
}

/** Reads the data fields of a kubeconfig, and the files that stand in for them where files are allowed. */
class FieldReader {
  readonly options: KubeconfigOptions;

  constructor(options: KubeconfigOptions) {
    this.options = options;
  }

  /** PEM text of `<name>-data` (base64) or of the file `<name>`. */
  pem(entry: JsonObject, field: string, name: string): string | undefined {
    const data = stringAt(entry, `${name}-data`);
    if (data) return decodeBase64(data, `${field}.${name}-data`);
    const path = stringAt(entry, name);
    return path ? this.file(path, `${field}.${name}`) : undefined;
  }

  path(path: string, field: string): string {
    if (this.options.selfContained)
      throw refused(field, `file paths are not allowed in a kubeconfig from a Secret: ${field}`);
    return resolve(this.options.folder, path);
  }

  file(path: string, field: string): string {
    const absolute = this.path(path, field);
    try {
      return readFileSync(absolute, 'utf8');
    } catch (error) {
      throw new KubeconfigError(
        'KubeconfigFile',
        `cannot read ${field} of kubeconfig: ${errorMessage(error)}`,
        { field },
        { cause: error },
      );
    }
  }
}

function parse(text: string): JsonObject {
  let config: JsonValue;
  try {
    config = loadYaml(text);
  } catch (error) {
    // The text of the error may quote a credential: only the place is told.
    const line = (error as { data?: { line?: number } }).data?.line;
    throw invalid('', `kubeconfig is not valid YAML${line === undefined ? '' : ` (line ${line})`}`);
  }
  if (!isJsonObject(config)) throw invalid('', 'kubeconfig is not a YAML mapping');
  return config;
}

function named(config: JsonObject, list: string, inner: string, name: string): readonly [JsonObject, string] {
  const entries = Array.isArray(config[list]) ? config[list] : [];
  const position = entries.findIndex((entry) => isJsonObject(entry) && entry['name'] === name);
  if (position < 0) throw invalid(list, `kubeconfig has no ${inner} "${name}"`);
  const field = `${list}[${position}].${inner}`;
  const value = (entries[position] as JsonObject)[inner];
  if (!isJsonObject(value)) throw invalid(field, `${inner} "${name}" of kubeconfig is empty`);
  return [value, field];
}

function server(cluster: JsonObject, field: string): string {
  const address = stringAt(cluster, 'server');
  if (!address) throw invalid(`${field}.server`, 'cluster of kubeconfig has no server');
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    throw invalid(`${field}.server`, `server of kubeconfig is no http or https URL: ${address}`);
  }
  if (stringAt(cluster, 'proxy-url'))
    throw refused(`${field}.proxy-url`, 'proxy-url of kubeconfig is not supported yet');
  return address.replace(/\/+$/, '');
}

function clusterTls(cluster: JsonObject, field: string, reader: FieldReader): TlsOptions {
  const insecure = cluster['insecure-skip-tls-verify'] === true;
  if (insecure && reader.options.selfContained && !reader.options.allowInsecureTls) {
    throw refused(
      `${field}.insecure-skip-tls-verify`,
      'insecure-skip-tls-verify is not allowed in a kubeconfig from a Secret',
    );
  }
  const ca = reader.pem(cluster, field, 'certificate-authority');
  if (insecure && ca !== undefined) {
    throw invalid(field, 'certificate-authority and insecure-skip-tls-verify of kubeconfig exclude each other');
  }
  const serverName = stringAt(cluster, 'tls-server-name');
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(insecure ? { insecure } : {}),
    ...(serverName ? { serverName } : {}),
  };
}

function clientCertificate(user: JsonObject, field: string, reader: FieldReader): TlsOptions {
  const cert = reader.pem(user, field, 'client-certificate');
  const key = reader.pem(user, field, 'client-key');
  if ((cert === undefined) !== (key === undefined)) {
    throw invalid(
      field,
      `user of kubeconfig has a client ${cert === undefined ? 'key without certificate' : 'certificate without key'}`,
    );
  }
  return cert === undefined || key === undefined ? {} : { cert, key };
}

function authorizationOf(user: JsonObject, field: string, reader: FieldReader): ClusterAccess['authorization'] {
  const tokenFile = stringAt(user, 'tokenFile');
  // As in client-go the file wins over the token: it is the one that is renewed.
  if (tokenFile) return fileToken(reader.path(tokenFile, `${field}.tokenFile`), reader.options.clock);
  const token = stringAt(user, 'token');
  if (token) return constant(`Bearer ${headerSafe(token, `${field}.token`)}`);
  const username = stringAt(user, 'username');
  if (!username) return undefined;
  return constant(`Basic ${Buffer.from(`${username}:${stringAt(user, 'password')}`).toString('base64')}`);
}

function constant(value: string): () => string {
  return () => value;
}

function headerSafe(token: string, field: string): string {
  const trimmed = token.trim();
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  throw invalid(field, 'token of kubeconfig has characters that no token has');
}

function impersonation(user: JsonObject): Impersonation | undefined {
  const as = stringAt(user, 'as');
  if (!as) return undefined;
  const uid = stringAt(user, 'as-uid');
  const extra = user['as-user-extra'];
  return {
    user: as,
    groups: strings(user['as-groups']),
    ...(uid ? { uid } : {}),
    ...(isJsonObject(extra)
      ? { extra: Object.fromEntries(Object.entries(extra).map(([key, value]) => [key, strings(value)])) }
      : {}),
  };
}

function decodeBase64(data: string, field: string): string {
  const compact = data.replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) throw invalid(field, `${field} of kubeconfig is not base64`);
  return Buffer.from(compact, 'base64').toString('utf8');
}

function strings(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function stringAt(entry: JsonObject, name: string): string {
  const value = entry[name];
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : String(value);
}

function invalid(field: string, message: string): KubeconfigError {
  return new KubeconfigError('KubeconfigInvalid', message, { field });
}

function refused(field: string, message: string): KubeconfigError {
  return new KubeconfigError('KubeconfigRefused', message, { field });
}
