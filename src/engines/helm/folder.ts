// Owns loading a chart from a folder of a FileTree: .helmignore, links inside the tree, size limits. What the files mean
// is chart.ts.
import type { FileTree } from '../../lib/filetree.ts';
import { goQuote } from '../../lib/goquote.ts';
import { resolveTreePath } from '../../lib/tree-path.ts';
import { archiveReader, MAX_FILE_BYTES, withoutBom } from './archive.ts';
import { type Chart, type ChartFile, createChart, type LoadOptions } from './chart.ts';
import { HelmError } from './errors.ts';
import { type IgnoreRules, parseIgnore } from './ignore.ts';

const MAX_DEPTH = 64;
const MAX_FILES = 20_000;

/**
 * Loads the chart in a folder of the tree ('' is the tree's root). Links are followed inside the tree only.
 * Throws HelmError `ChartInvalid`, or TreePathError for a link that leaves the tree.
 */
export function loadChartFolder(tree: FileTree, path: string, options: LoadOptions = {}): Chart {
  return createChart(readChartFolder(tree, path, options), archiveReader(), options);
}

/** The files of the chart in a folder, without what its .helmignore names. Throws as `loadChartFolder`. */
export function readChartFolder(tree: FileTree, path: string, options: LoadOptions = {}): ChartFile[] {
  const root = resolveTreePath(tree, path);
  if (tree.stat(root)?.kind !== 'dir' && root !== '') {
    throw new HelmError('ChartInvalid', `path ${goQuote(path)} not found`, { path });
  }
  const ignoreFile = tree.read(resolveTreePath(tree, join(root, '.helmignore')));
  const ignored = parseIgnore(ignoreFile === undefined ? '' : Buffer.from(ignoreFile).toString('utf8'));
  const files: ChartFile[] = [];
  walk({ tree, ignored, files, warn: options.warn ?? (() => {}) }, root, '', []);
  return files;
}

interface Walk {
  readonly tree: FileTree;
  readonly ignored: IgnoreRules;
  readonly files: ChartFile[];
  readonly warn: (text: string) => void;
}

/** `place` is where the folder is in the tree, `name` how the chart calls it, `trail` the folders above it. */
function walk(state: Walk, place: string, name: string, trail: readonly string[]): void {
  if (trail.length >= MAX_DEPTH || trail.includes(place)) {
    throw new HelmError('ChartInvalid', `chart folder ${goQuote(name)} is nested too deep or links to itself`, {
      path: name,
    });
  }
  for (const entry of state.tree.list(place) ?? []) {
    const inner = join(name, entry.name);
    const path = join(place, entry.name);
    const target = entry.kind === 'symlink' ? resolveTreePath(state.tree, path) : path;
    if (entry.kind === 'symlink') {
      state.warn(
        `found symbolic link in path: ${path} resolves to ${target}. Contents of linked file included and used`,
      );
    }
    const found = state.tree.stat(target);
    if (found === undefined) {
      throw new HelmError(
        'ChartInvalid',
        `error evaluating symlink ${path}: lstat ${target}: no such file or directory`,
        {
          path: inner,
        },
      );
    }
    if (state.ignored(inner, found.kind === 'dir')) continue;
    if (found.kind === 'dir') walk(state, target, inner, [...trail, place]);
    else addFile(state, inner, target);
  }
}

function addFile(state: Walk, name: string, place: string): void {
  const data = state.tree.read(place);
  if (data === undefined)
    throw new HelmError('ChartInvalid', `error reading ${name}: not a regular file`, { path: name });
  if (data.length > MAX_FILE_BYTES) {
    const base = name.slice(name.lastIndexOf('/') + 1);
    const text = `chart file ${goQuote(base)} is larger than the maximum file size ${MAX_FILE_BYTES}`;
    throw new HelmError('ChartInvalid', text, { path: name });
  }
  if (state.files.length >= MAX_FILES)
    throw new HelmError('ChartInvalid', `chart has more than ${MAX_FILES} files`, {});
  state.files.push({ name, data: withoutBom(data) });
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
