// Owns paths inside a FileTree: making them canonical and following links without ever leaving the root.
import { CodedError } from './errors.ts';
import type { FileTree } from './filetree.ts';

/** Codes: `PathEscape` (leads out of the root), `LinkLoop`, `PathInvalid` (NUL). */
export class TreePathError extends CodedError<'PathEscape' | 'LinkLoop' | 'PathInvalid', { readonly path: string }> {}

/** More links than this on one path are a loop, as Linux counts them. */
const MAX_LINKS = 40;

/**
 * The canonical form of a path relative to `base`: posix, no leading slash, no `.` and `..` segments. A leading
 * slash means the root of the tree.
 * Throws `TreePathError` when `..` leads above the root or the path holds a NUL.
 */
export function normalizeTreePath(path: string, base = ''): string {
  if (path.includes('\0')) throw new TreePathError('PathInvalid', `path ${JSON.stringify(path)} holds a NUL`, { path });
  const parts = path.startsWith('/') || base === '' ? [] : base.split('/');
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') parts.push(segment);
    else if (parts.pop() === undefined) {
      throw new TreePathError('PathEscape', `path "${path}" leads out of the source`, { path });
    }
  }
  return parts.join('/');
}

/**
 * Follows every link on a canonical path and answers the path it ends at, existing or not.
 * Throws `TreePathError` when a link leads out of the root, is absolute, or the links go in a circle.
 */
export function resolveTreePath(tree: FileTree, path: string): string {
  const pending = path === '' ? [] : path.split('/').reverse();
  const done: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const segment = pending.pop()!;
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      if (done.pop() === undefined) {
        throw new TreePathError('PathEscape', `path "${path}" leads out of the source by a symbolic link`, { path });
      }
      continue;
    }
    done.push(segment);
    const here = done.join('/');
    const target = tree.readLink(here);
    if (target === undefined) continue;
    links += 1;
    if (links > MAX_LINKS) throw new TreePathError('LinkLoop', `path "${path}" has too many symbolic links`, { path });
    if (target.startsWith('/')) {
      throw new TreePathError('PathEscape', `path "${path}" leads out of the source by a symbolic link`, { path });
    }
    done.pop();
    pending.push(...target.split('/').reverse());
  }
  return done.join('/');
}
