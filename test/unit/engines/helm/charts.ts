// Owns small charts for the tests of this folder.
import { archiveReader } from '../../../../src/engines/helm/archive.ts';
import { type Chart, createChart, type LoadOptions } from '../../../../src/engines/helm/chart.ts';
import { createRenderCache, type RenderOptions, renderChart } from '../../../../src/engines/helm/render.ts';
import { parseValues } from '../../../../src/engines/helm/values-file.ts';
import { systemTemplateHost } from '../../../../src/offload/template-host.ts';

/** A chart of texts by path; Chart.yaml may be left out. */
export function chartOf(files: Readonly<Record<string, string>>, options: LoadOptions = {}): Chart {
  const all: Record<string, string> = { 'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n', ...files };
  return createChart(
    Object.entries(all).map(([name, text]) => ({ name, data: Buffer.from(text) })),
    archiveReader(),
    options,
  );
}

/** Options that every render needs. */
export const renderOptions: Pick<RenderOptions, 'release' | 'host' | 'cache'> = {
  release: { name: 'rel', namespace: 'ns' },
  host: systemTemplateHost,
  cache: createRenderCache(),
};

/** Texts of what a chart renders to, by path. */
export function rendered(
  files: Readonly<Record<string, string>>,
  values = '',
  options: Partial<RenderOptions> = {},
): Record<string, string> {
  const result = renderChart(chartOf(files), parseValues(values, 'helm3'), { ...renderOptions, ...options });
  if ('missing' in result) throw new Error(`missing ${JSON.stringify(result.missing)}`);
  return Object.fromEntries(result.manifests.map(({ path, text }) => [path, text]));
}
