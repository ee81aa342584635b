// Owns telling Git URLs from paths, and taking them apart: repository, directory inside, ref and the other queries.
import { posix } from 'node:path';
import { buildError } from '../errors.ts';

/** A Git URL taken apart. */
export interface RepoUrl {
  readonly raw: string;
  /** What is cloned. */
  readonly cloneUrl: string;
  /** Directory inside the repository; '' is its root. */
  readonly path: string;
  /** '' is the remote's HEAD. */
  readonly ref: string;
  readonly submodules: boolean;
  readonly timeoutMs: number;
}

const DEFAULT_TIMEOUT_MS = 27_000;
const SCHEMES = ['ssh://', 'https://', 'http://', 'file://'];

/** Takes a URL apart; undefined when it is none that Git knows, and so a path. */
export function parseRepoUrl(raw: string, warn: (line: string) => void = () => {}): RepoUrl | undefined {
  if (raw.startsWith('/')) return undefined;
  const question = raw.indexOf('?');
  const address = question < 0 ? raw : raw.slice(0, question);
  const query = parseQuery(question < 0 ? '' : raw.slice(question + 1));
  const split = splitHost(address, warn);
  if (split === undefined) return undefined;
  const parts = splitPath(split.rest, split.host.startsWith('file://'));
  if (parts === undefined || parts.repo === '' || leavesRepo(parts.path)) return undefined;
  return { raw, cloneUrl: split.host + parts.repo, path: parts.path.replace(/^\//, ''), ...query };
}

/** True for what is fetched as a file first. */
export function isRemoteFile(path: string): boolean {
  return /^https?:/i.test(path) && !/[\s\0-\x1f\x7f]/.test(path);
}

function splitHost(
  text: string,
  warn: (line: string) => void,
): { readonly host: string; readonly rest: string } | undefined {
  let rest = text;
  if (/^git::/i.test(rest)) {
    warn(
      "Warning: Forcing the git protocol using the 'git::' URL prefix is not supported. Kustomize currently strips " +
        'this invalid prefix, but will stop doing so in a future release. Please remove the ' +
        "'git::' prefix from your configuration.",
    );
    rest = rest.slice('git::'.length);
  }
  let scheme = SCHEMES.find((one) => rest.slice(0, one.length).toLowerCase() === one) ?? '';
  rest = rest.slice(scheme.length);
  let user = /^[a-zA-Z][a-zA-Z0-9-]*@/.exec(rest)?.[0] ?? '';
  rest = rest.slice(user.length);
  const isGithub = /^github\.com[/:]/i.test(rest);
  const scpStyle = scheme === '' && (user !== '' || isGithub);
  if (scheme === '' && !scpStyle) return undefined;
  if (scheme === 'file://') return { host: scheme, rest: user + rest };

  const at = hostEnd(rest, scpStyle);
  let host = at < 0 ? rest : rest.slice(0, at + 1);
  rest = at < 0 ? '' : rest.slice(at + 1);
  if (isGithub) {
    if (scheme === 'ssh://' || user !== '') [scheme, host] = ['', 'github.com:'];
    else [scheme, user, host] = ['https://', '', 'github.com/'];
  }
  return host === '' ? undefined : { host: scheme + user + host, rest };
}

function hostEnd(text: string, scpStyle: boolean): number {
  const slash = text.indexOf('/');
  const colon = text.indexOf(':');
  return scpStyle && (slash < 0 || (colon > 0 && colon < slash)) ? colon : slash;
}

function splitPath(
  text: string,
  wholeByDefault: boolean,
): { readonly repo: string; readonly path: string } | undefined {
  const root = text.indexOf('_git/');
  if (root >= 0) {
    const end = root + '_git/'.length;
    const [first, ...others] = text.slice(end).split('/');
    return { repo: text.slice(0, end) + first, path: others.join('/') };
  }
  const double = text.indexOf('//');
  if (double >= 0) return { repo: text.slice(0, double), path: text.slice(double + 2) };
  const suffix = text.indexOf('.git');
  if (suffix >= 0) {
    const end = suffix + '.git'.length;
    return { repo: text.slice(0, end), path: text.slice(end) };
  }
  if (wholeByDefault) return { repo: text, path: '' };
  const segments = text.split('/');
  if (segments.length < 2) return undefined;
  return { repo: segments.slice(0, 2).join('/'), path: segments.slice(2).join('/') };
}

function leavesRepo(path: string): boolean {
  return posix.normalize(path.replace(/^\//, '') || '.').split('/')[0] === '..';
}

function parseQuery(query: string): Pick<RepoUrl, 'ref' | 'submodules' | 'timeoutMs'> {
  const values = new URLSearchParams(query);
  const wanted = values.get('submodules') ?? '';
  const submodules = !/^(0|f|F|false|False|FALSE)$/.test(wanted);
  return {
    ref: values.get('ref') || values.get('version') || '',
    submodules,
    timeoutMs: parseTimeout(values.get('timeout') ?? ''),
  };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

function parseTimeout(text: string): number {
  if (/^\+?\d+$/.test(text)) return Number(text) * 1000 || DEFAULT_TIMEOUT_MS;
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return DEFAULT_TIMEOUT_MS;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(amount) * UNIT_MS[unit!]!;
  }
  return total > 0 ? total : DEFAULT_TIMEOUT_MS;
}

/** Fault of a repository URL that may not be used again further down. */
export function repoCycle(candidate: RepoUrl, visited: RepoUrl): Error {
  return buildError(`cycle detected: URI '${candidate.raw}' referenced by previous URI '${visited.raw}'`, 'LoadFailed');
}
