// The project's own TypeScript files and what they import, for the house tests.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** One import of a source file. `from` and a relative `target` are paths from the project root. */
export interface ImportEdge {
  readonly from: string;
  readonly target: string;
  readonly relative: boolean;
  readonly typeOnly: boolean;
}

/** Paths of all `.ts` files below a folder, relative to the project root, in order. */
export function listSourceFiles(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(projectRoot, join(entry.parentPath, entry.name)))
    .sort();
}

/** Text of a file named relative to the project root. */
export function readProjectFile(path: string): string {
  return readFileSync(join(projectRoot, path), 'utf8');
}

const STATEMENT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[\w*{}\s,$]+?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Every static and dynamic import with a literal path. */
export function importsOf(path: string): ImportEdge[] {
  const text = readProjectFile(path);
  const edges: ImportEdge[] = [];
  for (const match of text.matchAll(STATEMENT)) {
    const specifier = match[2] ?? match[3];
    if (specifier === undefined) continue;
    const isRelative = specifier.startsWith('.');
    edges.push({
      from: path,
      target: isRelative ? relative(projectRoot, resolve(projectRoot, dirname(path), specifier)) : specifier,
      relative: isRelative,
      typeOnly: match[1] !== undefined,
    });
  }
  return edges;
}
