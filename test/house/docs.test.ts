// What the documents say is there: links, files, npm scripts. And each source file opens by saying what it owns.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listSourceFiles, projectRoot, readProjectFile } from '../support/source-files.ts';

const pages = listPages('.');
const { scripts } = JSON.parse(readProjectFile('package.json')) as { scripts: Record<string, string> };

describe('documents', () => {
  it.each(pages)('the relative links of %s lead somewhere', (page) => {
    const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);

    expect(links.filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(page, link))).toEqual([]);
  });

  it.each(pages)('the npm scripts that %s names exist', (page) => {
    const named = [...readProjectFile(page).matchAll(/\bnpm (?:run ([\w:-]+)|(start|test))/g)];

    expect(named.map((match) => match[1] ?? match[2]!).filter((name) => !isScript(name))).toEqual([]);
  });

  it('the files that ARCHITECTURE.md names exist', () => {
    const named = [...proseOf('ARCHITECTURE.md').matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)].map((match) => match[1]!);
    const files = named.filter((path) => /(\.ts|\/)$/.test(path) && path !== 'internal/');
    const places = ['.', 'src', 'src/lib', 'src/health'];

    expect(files.length).toBeGreaterThan(30);
    expect(files.filter((path) => !places.some((place) => existsSync(join(projectRoot, place, path))))).toEqual([]);
  });
});

describe('source files', () => {
  it('open with a comment that says what they own', () => {
    expect(listSourceFiles('src').filter((path) => !/^(#!.*\n)?\/\/ \S/.test(readProjectFile(path)))).toEqual([]);
  });
});

/** True for a script, and for the `bench:` of `npm run bench:*`. */
function isScript(name: string): boolean {
  return name.endsWith(':')
    ? Object.keys(scripts).some((script) => script.startsWith(name))
    : scripts[name] !== undefined;
}

/** All Markdown pages below a folder, relative to the project root. */
function listPages(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return listPages(path);
    return entry.name.endsWith('.md') ? [relative('.', path)] : [];
  });
}

/** A page without its fenced blocks. */
function proseOf(page: string): string {
  return readProjectFile(page).replace(/^```[\s\S]*?^```/gm, '');
}

/** True for a file that is there, and a heading of it where the link names one. */
function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(projectRoot, target))) return false;
  return anchor === undefined || headingsOf(target).includes(anchor);
}

/** The anchors of a page's headings, as GitHub makes them. */
function headingsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}
