// Owns names of repositories in registries: reading them from an address, and the forms that tags and digests have.
import { RegistryError } from './errors.ts';

/** A repository of a registry. */
export interface RepositoryName {
  /** `host` or `host:port`. */
  readonly host: string;
  /** `org/name` */
  readonly path: string;
}

const DOCKER_HUB = 'index.docker.io';
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * The repository that `oci://host/path` names; a name without a host is Docker Hub's, as everywhere.
 * Throws RegistryError `RegistryUrlInvalid`.
 */
export function parseRepositoryUrl(url: string): RepositoryName {
  if (!url.startsWith('oci://')) throw invalid("URL must be in format 'oci://<domain>/<org>/<repo>'");
  const name = url.slice('oci://'.length).replace(/\/+$/, '');
  const slash = name.indexOf('/');
  const first = slash < 0 ? name : name.slice(0, slash);
  if (slash < 0 && first.includes('.')) throw invalid(`no repository after the host in '${url}'`);
  const hasHost = slash >= 0 && (/[.:]/.test(first) || first === 'localhost');
  const host = hasHost ? first : DOCKER_HUB;
  let path = hasHost ? name.slice(slash + 1) : name;
  const tag = /[:@](.*)$/s.exec(path);
  if (tag !== null) throw invalid(`URL must not contain a tag; remove '${tag[0]}'`);
  if (!HOST.test(host)) throw invalid(`registries must be valid RFC 3986 URI authorities: ${host}`);
  if (host === DOCKER_HUB && !path.includes('/')) path = `library/${path}`;
  if (path.length > 255 || !PATH.test(path)) {
    throw invalid(`repository can only contain the characters \`abcdefghijklmnopqrstuvwxyz0123456789_-./\`: ${path}`);
  }
  return { host, path };
}

/** Throws RegistryError `RegistryUrlInvalid` for what can be no tag. */
export function checkTag(tag: string): string {
  if (TAG.test(tag)) return tag;
  throw invalid(`tag '${tag}' can only contain letters, digits, '_', '-' and '.', 128 at the most`);
}

/** Throws RegistryError `RegistryUrlInvalid` for what is no SHA-256 digest. */
export function checkDigest(digest: string): string {
  if (DIGEST.test(digest)) return digest;
  throw invalid(`'${digest}' is no digest of the form sha256:<64 hexadecimal digits>`);
}

/** Whether a text has the form of a SHA-256 digest. */
export function isDigest(text: unknown): text is string {
  return typeof text === 'string' && DIGEST.test(text);
}

/** `host/path:tag` or `host/path@digest`, for messages. */
export function formatReference({ host, path }: RepositoryName, reference: string): string {
  return `${host}/${path}${reference.includes(':') ? '@' : ':'}${reference}`;
}

function invalid(message: string): RegistryError {
  return new RegistryError('RegistryUrlInvalid', message, {});
}
