// Owns the helm generator's side of the engine: checking a chart entry, finding its values files, and what is handed to
// the function that renders charts. Rendering is the helm engine's.
import { posix } from 'node:path';
import type { FileTree } from '../../../lib/filetree.ts';
import type { JsonObject } from '../../../lib/json.ts';
import { buildError, wrapError } from '../errors.ts';
import type { Missing } from '../missing.ts';
import type { HelmChartEntry, HelmGlobals } from './kustomization-fields.ts';

/** A chart to render, everything resolved. */
export interface ChartRequest {
  readonly chart: HelmChartEntry;
  /** Where the kustomization's files are; paths below are absolute in it. */
  readonly tree: FileTree;
  /** Directory the chart is in, or is to be pulled into. */
  readonly chartPath: string;
  /** Values files in order, the chart's or the entry's own first; each later one wins. */
  readonly valuesFiles: readonly { readonly path: string; readonly text: string | undefined }[];
  readonly valuesInline: JsonObject | undefined;
  /** How inline values and the first file go together. */
  readonly valuesMerge: 'merge' | 'override' | 'replace';
}

/** Renders a chart to YAML, as `helm template` prints it, or says what has to be fetched first. */
export type RenderChart = (request: ChartRequest) => { readonly manifests: string } | { readonly missing: Missing };

const MERGE_WORDS = ['merge', 'override', 'replace'] as const;

/** Checks an entry and resolves its paths. Throws with the reference's text. */
export function prepareChart(
  entry: HelmChartEntry,
  globals: HelmGlobals,
  context: { readonly root: string; readonly tree: FileTree; readonly load: (path: string) => Uint8Array },
): ChartRequest {
  if (entry.name === '') throw buildError('chart name cannot be empty');
  const home = posix.resolve(context.root, globals.chartHome || 'charts');
  const versioned = entry.version !== '' && entry.repo !== '';
  const chartPath = posix.join(versioned ? posix.join(home, `${entry.name}-${entry.version}`) : home, entry.name);
  const additional = entry.additionalValuesFiles.map((file) => {
    try {
      return { path: posix.join(context.root, file), text: toText(context.load(file)) };
    } catch (error) {
      throw wrapError(error, 'could not load additionalValuesFile');
    }
  });
  const valuesMerge = MERGE_WORDS.find((word) => word === (entry.valuesMerge || 'override'));
  if (valuesMerge === undefined) throw buildError('valuesMerge must be one of [merge override replace]');
  const path =
    entry.valuesFile === '' ? posix.join(chartPath, 'values.yaml') : posix.resolve(context.root, entry.valuesFile);
  const text = entry.valuesFile === '' ? undefined : toText(context.load(entry.valuesFile));
  return {
    chart: entry,
    tree: context.tree,
    chartPath,
    valuesFiles: [{ path, text }, ...additional],
    valuesInline: entry.valuesInline,
    valuesMerge,
  };
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
