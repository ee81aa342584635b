// Holds the import table of ARCHITECTURE.md: rooms import inward only, libraries stay behind their room, no cycles.

import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { type ImportEdge, importsOf, listSourceFiles, readProjectFile } from '../support/source-files.ts';

const table = readTable('rooms');
const libraries = readTable('libraries');
const rooms = Object.keys(table).sort((a, b) => b.length - a.length);
const files = listSourceFiles('src');
const edges = files.flatMap(importsOf);

function readTable(name: string): Record<string, string[]> {
  const text = readProjectFile('ARCHITECTURE.md');
  const block = new RegExp('```yaml ' + name + '\\n([\\s\\S]*?)```').exec(text)?.[1];
  if (block === undefined) throw new Error(`ARCHITECTURE.md has no block "yaml ${name}"`);
  return load(block) as Record<string, string[]>;
}

function roomOf(path: string): string | undefined {
  const inner = path.replace(/^src\//, '').replace(/\.ts$/, '');
  return rooms.find((room) => inner === room || inner.startsWith(`${room}/`));
}

function isAllowed(edge: ImportEdge): boolean {
  const from = roomOf(edge.from);
  const target = roomOf(edge.target);
  if (from === undefined || target === undefined) return false;
  if (from === target) return true;
  const inner = edge.target.replace(/^src\//, '').replace(/\.ts$/, '');
  return (table[from] ?? []).some((allowed) => inner === allowed || inner.startsWith(`${allowed}/`));
}

describe('imports', () => {
  it('every source file lives in a room of the table', () => {
    expect(files.filter((path) => roomOf(path) === undefined)).toEqual([]);
  });

  it('rooms import only what the table allows', () => {
    const wrong = edges.filter((edge) => edge.relative && edge.target !== 'package.json' && !isAllowed(edge));

    expect(wrong.map((edge) => `${edge.from} imports ${edge.target}`)).toEqual([]);
  });

  it('a controller imports no other controller', () => {
    const folder = (path: string) => /^src\/controllers\/([^/]+)\//.exec(path)?.[1];
    const wrong = edges.filter((edge) => {
      const [from, target] = [folder(edge.from), folder(edge.target)];
      return from !== undefined && target !== undefined && from !== target && target !== 'shared';
    });

    expect(wrong.map((edge) => `${edge.from} imports ${edge.target}`)).toEqual([]);
  });

  it('internal folders are imported only from their own room', () => {
    const wrong = edges.filter((edge) => {
      const owner = /^(.*)\/internal\//.exec(edge.target)?.[1];
      return edge.relative && owner !== undefined && !edge.from.startsWith(`${owner}/`);
    });

    expect(wrong.map((edge) => `${edge.from} imports ${edge.target}`)).toEqual([]);
  });

  it('a library is imported only by the room that owns it', () => {
    const wrong = edges.filter((edge) => {
      if (edge.relative || edge.target.startsWith('node:')) return false;
      const owners = libraries[packageName(edge.target)];
      return owners === undefined || !owners.some((owner) => edge.from.startsWith(`src/${owner}`));
    });

    expect(wrong.map((edge) => `${edge.from} imports ${edge.target}`)).toEqual([]);
  });

  it('files form no cycle', () => {
    expect(findCycle()).toEqual([]);
  });

  it('sources import no test code', () => {
    expect(edges.filter((edge) => edge.relative && !/^(src\/|package\.json$)/.test(edge.target))).toEqual([]);
  });
});

function packageName(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
}

function findCycle(): string[] {
  const graph = Map.groupBy(
    edges.filter((edge) => edge.relative && !edge.typeOnly),
    (edge) => edge.from,
  );
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): string[] => {
    if (done.has(path)) return [];
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) return [...trail.slice(seenAt), path];
    trail.push(path);
    for (const edge of graph.get(path) ?? []) {
      const cycle = visit(edge.target);
      if (cycle.length > 0) return cycle;
    }
    trail.pop();
    done.add(path);
    return [];
  };
  for (const path of files) {
    const cycle = visit(path);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
