// Owns what `helm template` does once its chart is loaded: render and print. Apart from the values, which hold Go's
// types, the request is plain data: a thread with a larger stack can do it too.
import type { TemplateHost } from '../../lang/gotemplate/execution.ts';
import { toBytes } from '../../lang/gotemplate/gostring.ts';
import type { Capabilities } from './capabilities.ts';
import type { Chart } from './chart.ts';
import type { Compat } from './compat.ts';
import { HelmError } from './errors.ts';
import { formatOutput, type OutputOptions } from './output.ts';
import { createRenderCache, renderChart } from './render.ts';
import type { ReleaseInfo } from './scope.ts';
import type { Table } from './table.ts';

/** What to render and how to print it. */
export interface TemplateRequest {
  readonly chart: Chart;
  readonly release: ReleaseInfo;
  readonly compat: Compat;
  readonly capabilities: Capabilities;
  readonly skipSchemaValidation: boolean;
  readonly output: OutputOptions;
}

/** Renders and answers what helm prints. Throws HelmError. */
export function renderTemplateOutput(
  { chart, output, ...options }: TemplateRequest,
  values: Table,
  { host, warn }: { readonly host: TemplateHost; readonly warn: (text: string) => void },
): string {
  const rendered = renderChart(chart, values, { ...options, host, cache: createRenderCache(), warn });
  if ('missing' in rendered) {
    throw new HelmError('TemplateFailed', 'a template looked up cluster objects, which this command has none of', {});
  }
  return formatOutput(rendered, output);
}

/** The bytes of a text of this engine, in which bytes that are no UTF-8 stand as lone surrogates. */
export function encodeText(text: string): Uint8Array {
  return toBytes(text);
}
