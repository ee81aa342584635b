// Owns sprig's path functions: Go's path package. The `os…` twins are the same, as templates run as on Linux.
import { func, type GoFunction } from '../function.ts';
import { STRING } from '../value.ts';

export function pathFunctions(): [string, GoFunction][] {
  const functions = { base, dir, clean, ext, isAbs: (path: string) => path.startsWith('/') };
  return Object.entries(functions).flatMap(([name, call]) => {
    const fn = func([STRING], call);
    const twin = `os${name[0]!.toUpperCase()}${name.slice(1)}`;
    return [
      [name, fn],
      [twin, fn],
    ] as [string, GoFunction][];
  });
}

function base(path: string): string {
  if (path === '') return '.';
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

function dir(path: string): string {
  return clean(path.slice(0, path.lastIndexOf('/') + 1));
}

function ext(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}

/** Resolves `.`, `..` and repeated slashes by text alone. */
function clean(path: string): string {
  if (path === '') return '.';
  const isRooted = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!isRooted) parts.push('..');
  }
  const joined = parts.join('/');
  if (isRooted) return `/${joined}`;
  return joined === '' ? '.' : joined;
}
