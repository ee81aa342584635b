import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadChartArchive } from '../../../../src/engines/helm/archive.ts';
import { loadChartFolder } from '../../../../src/engines/helm/folder.ts';
import { parseIgnore } from '../../../../src/engines/helm/ignore.ts';
import { createMemoryTree, type MemoryFile } from '../../../../src/lib/memory-tree.ts';
import { writeTar } from '../../../../src/lib/tar.ts';
import { chartOf } from './charts.ts';

const CHART = 'apiVersion: v2\nname: c\nversion: 1.0.0\n';

function tgz(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const entries = Object.entries(files).map(([name, data]) => ({
    name,
    kind: 'file' as const,
    mode: 0o644,
    data: Buffer.from(data),
  }));
  return gzipSync(writeTar(entries));
}

describe('loadChartFolder', () => {
  const load = (files: Record<string, MemoryFile>) => loadChartFolder(createMemoryTree(files), 'd');

  it('tells files apart and leaves out what is ignored', () => {
    const chart = load({
      'd/Chart.yaml': CHART,
      'd/values.yaml': 'a: 1',
      'd/.helmignore': '# c\n*.bak\ndocs/\n/only.txt\n',
      'd/templates/a.yaml': 'x',
      'd/templates/.hidden.yaml': 'x',
      'd/templates/a.bak': 'x',
      'd/docs/x.md': 'x',
      'd/only.txt': 'x',
      'd/sub/only.txt': 'x',
      'd/crds/c.yaml': 'x',
      'other/Chart.yaml': 'x',
    });

    expect(chart.templates.map(({ name }) => name)).toEqual(['templates/a.yaml']);
    expect(chart.files.map(({ name }) => name)).toEqual(['.helmignore', 'crds/c.yaml', 'sub/only.txt']);
  });

  it('drops byte order marks', () => {
    const chart = load({ 'd/Chart.yaml': `\ufeff${CHART}`, 'd/templates/a.yaml': '\ufeffa: 1' });

    expect(chart.templates[0]!.text).toBe('a: 1');
  });

  it('follows links inside the tree and tells of them', () => {
    const warnings: string[] = [];
    const tree = createMemoryTree({
      'd/Chart.yaml': CHART,
      'd/templates': { link: '../shared' },
      'shared/a.yaml': 'x',
    });

    const chart = loadChartFolder(tree, 'd', { warn: (text) => warnings.push(text) });

    expect(chart.templates.map(({ name }) => name)).toEqual(['templates/a.yaml']);
    expect(warnings).toEqual([
      'found symbolic link in path: d/templates resolves to shared. Contents of linked file included and used',
    ]);
  });

  it.each([
    ['a link out of the tree', { 'd/x': { link: '../../etc/passwd' } }, 'PathEscape'],
    ['an absolute link', { 'd/x': { link: '/etc/passwd' } }, 'PathEscape'],
    ['a link to its own folder', { 'd/x': { link: '.' } }, 'ChartInvalid'],
    ['a link to nothing', { 'd/x': { link: 'nope' } }, 'ChartInvalid'],
    ['a file over the limit', { 'd/x': 'x'.repeat(5 * 1024 * 1024 + 1) }, 'ChartInvalid'],
  ])('refuses %s', (_name, files, code) => {
    expect(() => load({ 'd/Chart.yaml': CHART, ...(files as Record<string, MemoryFile>) })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('parseIgnore', () => {
  it.each([
    ['a negated rule ignores what it does not match', '!keep.txt', 'other.txt', false, true],
    ['a negated rule leaves its match to the other rules', '!keep.txt', 'keep.txt', false, false],
    ['a rule for folders spares files', 'x/', 'x', false, false],
    ['a rule with a slash matches the whole path', 'a/*.txt', 'b/a/x.txt', false, false],
    ['a rule without matches the last segment', '*.txt', 'b/a/x.txt', false, true],
    ['hidden templates are always ignored', '', 'templates/.x', false, true],
  ])('%s', (_name, text, path, isDirectory, want) => {
    expect(parseIgnore(text)(path, isDirectory)).toBe(want);
  });

  it.each([
    ['a/**', 'double-star (**) syntax is not supported'],
    ['[', 'syntax error in pattern'],
  ])('refuses %s', (text, message) => {
    expect(() => parseIgnore(text)).toThrow(message);
  });
});

describe('loadChartArchive', () => {
  it('takes what lies below the first folder, also with backslashes', () => {
    const chart = loadChartArchive(
      tgz({
        'any/Chart.yaml': CHART,
        'any\\templates\\a.yaml': 'x',
        'any/charts/s/Chart.yaml': CHART.replace('name: c', 'name: s'),
      }),
    );

    expect(chart.templates.map(({ name }) => name)).toEqual(['templates/a.yaml']);
    expect(chart.subcharts.map(({ metadata }) => metadata.name)).toEqual(['s']);
  });

  it('unpacks subcharts that are archives', () => {
    const inner = tgz({ 's/Chart.yaml': CHART.replace('name: c', 'name: s') });

    const chart = loadChartArchive(tgz({ 'c/Chart.yaml': CHART, 'c/charts/s-1.tgz': inner }));

    expect(chart.subcharts.map(({ metadata }) => metadata.name)).toEqual(['s']);
  });

  it.each([
    ['c/../../x', 'chart illegally references parent directory'],
    ['c//etc/x', 'chart illegally contains absolute paths'],
    ['Chart.yaml', 'chart illegally contains content outside the base directory: "Chart.yaml"'],
    ['c/C:/x', 'chart contains illegally named files'],
    ['Chart.yaml/x', 'chart yaml not in base directory'],
    [`c/${'d/'.repeat(70)}x`, 'chart holds paths that are nested too deep'],
  ])('refuses an entry %s', (name, message) => {
    expect(() => loadChartArchive(tgz({ [name]: 'x' }))).toThrow(message);
  });

  it.each([
    ['nothing', new Uint8Array(), 'unexpected EOF'],
    ['text', Buffer.from('apiVersion: v2\nname: c\n'), 'gzip: invalid header'],
    ['an empty archive', gzipSync(Buffer.alloc(1024)), 'no files in chart archive'],
    ['a cut archive', tgz({ 'c/Chart.yaml': CHART }).subarray(0, 60), 'unexpected EOF'],
    [
      'a file over the limit',
      tgz({ 'c/x': Buffer.alloc(5 * 1024 * 1024 + 1) }),
      'decompressed chart file "c/x" is larger than the maximum file size 5242880',
    ],
  ])('refuses %s', (_name, data, message) => {
    expect(() => loadChartArchive(data)).toThrow(message);
  });

  it('refuses a small archive that unpacks to much, nested ones counted together', () => {
    const zeros = Buffer.alloc(5 * 1024 * 1024 - 1);
    const big = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`s/f${i}`, zeros]));
    const inner = tgz({ 's/Chart.yaml': CHART, ...big });
    const bomb = tgz({ 'c/Chart.yaml': CHART, 'c/charts/a.tgz': inner, 'c/charts/b.tgz': inner });

    expect(bomb.length).toBeLessThan(1024 * 1024);
    expect(() => loadChartArchive(bomb)).toThrow('decompressed chart is larger than the maximum file size 104857600');
  });
});

describe('Chart.yaml', () => {
  it.each([
    ['', 'validation: chart.metadata.name is required'],
    ['name: a/b\nversion: 1.0.0', 'validation: chart.metadata.name "a/b" is invalid'],
    ['name: .\nversion: 1.0.0', 'validation: chart.metadata.name "." is not allowed'],
    ['name: ..\nversion: 1.0.0', 'validation: chart.metadata.name ".." is not allowed'],
    ['name: c', 'validation: chart.metadata.version is required'],
    ['name: c\nversion: one', 'validation: chart.metadata.version "one" is invalid'],
    ['name: c\nversion: 1.0.0\ntype: other', 'validation: chart.metadata.type must be application or library'],
    ['name: c\nversion: 1.0.0\nmaintainers: [null]', 'validation: maintainers must not contain empty or null nodes'],
    ['name: c\nversion: 1.0.0\ndependencies: [null]', 'validation: dependencies must not contain empty or null nodes'],
    [
      'name: c\nversion: 1.0.0\ndependencies: [{name: a, alias: "x y"}]',
      'validation: dependency "a" has disallowed characters in the alias',
    ],
    [
      'name: c\nversion: 1.0.0\ndependencies: [{name: a}, {name: b, alias: a}]',
      'validation: more than one dependency with name or alias "a"',
    ],
    [
      '[]',
      'cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type chart.Metadata',
    ],
    [
      'name: [c]',
      'cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field Metadata.name of type string',
    ],
    [
      'name: c\nkeywords: x',
      'cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Metadata.keywords of type []string',
    ],
    [
      'name: c\ndependencies: [{tags: 1}]',
      'cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal number into Go struct field Dependency.dependencies.tags of type []string',
    ],
  ])('refuses %s', (text, message) => {
    expect(() => chartOf({ 'Chart.yaml': text })).toThrow(expect.objectContaining({ code: 'ChartInvalid', message }));
  });

  it('reads numbers as text, cleans control characters and defaults the format', () => {
    const { metadata } = chartOf({
      'Chart.yaml':
        'name: "c\\u0007"\nversion: 1.0.0\nappVersion: 1.10\ndescription: "a\\tb\\u001b[31m"\nannotations: {a: true}\n',
    });

    expect(metadata).toMatchObject({ name: 'c', apiVersion: 'v1', appVersion: '1.1', description: 'a b[31m' });
    expect(metadata.annotations).toEqual(new Map([['a', 'true']]));
  });

  it('reads requirements.yaml of the first format', () => {
    const chart = chartOf({
      'Chart.yaml': 'name: c\nversion: 1.0.0',
      'requirements.yaml': 'dependencies: [{name: a, version: 1.x.x}]',
    });

    expect(chart.metadata.dependencies?.map(({ name, version }) => [name, version])).toEqual([['a', '1.x.x']]);
    expect(chart.files.map(({ name }) => name)).toEqual(['requirements.yaml']);
  });
});
