// Owns reading `.gitmodules` and what a submodule's URL means. Fetching submodules is others' business.
import { GitError } from './errors.ts';

/** A submodule as its parent describes it. */
export interface Submodule {
  readonly name: string;
  readonly path: string;
  readonly url: string;
}

/** Reads `.gitmodules`. Entries without path or URL are left out, as Git does. */
export function parseGitmodules(text: string): Submodule[] {
  const found = new Map<string, { path?: string; url?: string }>();
  let current: { path?: string; url?: string } | undefined;
  for (const raw of text.replaceAll('\\\n', '').split('\n')) {
    const line = raw.trim();
    const section = /^\[\s*submodule\s+"((?:\\.|[^"\\])*)"\s*\]/i.exec(line);
    if (section !== null) {
      const name = (section[1] as string).replaceAll(/\\(.)/g, '$1');
      current = found.get(name) ?? {};
      found.set(name, current);
      continue;
    }
    if (line.startsWith('[')) current = undefined;
    const setting = /^(path|url)\s*=\s*(.*)$/i.exec(line);
    if (setting === null || current === undefined) continue;
    current[(setting[1] as string).toLowerCase() as 'path' | 'url'] = parseValue(setting[2] as string);
  }
  const modules: Submodule[] = [];
  for (const [name, { path, url }] of found) {
    if (path !== undefined && url !== undefined) modules.push({ name, path, url });
  }
  return modules;
}

/**
 * The URL of a submodule, seen from its parent's. `./x` and `../x` are relative to the parent's URL.
 * @throws GitError GitSubmodule for anything that is no http, https or ssh URL (`ext::`, local paths, options)
 */
export function resolveSubmoduleUrl(parentUrl: string, url: string): string {
  if (/^\.\.?(?:\/|$)/.test(url)) return joinRelative(parentUrl, url);
  // git@host:path, as SSH users write it.
  const scp = /^(?:([A-Za-z0-9._-]+)@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?![/:])(.+)$/.exec(url);
  // Without a user only a name with a dot is taken for a host: `ext:…` must not be.
  if (scp !== null && (scp[1] !== undefined || scp[2]?.includes('.') === true)) {
    return toSshUrl(scp[1], scp[2] as string, scp[3] as string);
  }
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol === 'http:' || protocol === 'https:' || protocol === 'ssh:') return url;
  throw new GitError('GitSubmodule', 'submodule URL is neither http, https nor ssh');
}

function toSshUrl(user: string | undefined, host: string, path: string): string {
  return `ssh://${user === undefined ? '' : `${user}@`}${host}/${path.replace(/^\//, '')}`;
}

function joinRelative(parentUrl: string, relative: string): string {
  const base = new URL(parentUrl);
  const segments = base.pathname.replace(/\/+$/, '').split('/');
  for (const segment of relative.split('/')) {
    if (segment === '..') {
      if (segments.length <= 1) throw new GitError('GitSubmodule', 'submodule URL leads above its parent');
      segments.pop();
    } else if (segment !== '.' && segment !== '') {
      segments.push(segment);
    }
  }
  base.pathname = segments.join('/');
  return base.href;
}

function parseValue(text: string): string {
  const quoted = /^"((?:\\.|[^"\\])*)"/.exec(text);
  if (quoted !== null) return (quoted[1] as string).replaceAll(/\\(.)/g, '$1');
  return text.replace(/\s*[;#].*$/, '').trim();
}
