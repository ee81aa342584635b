// Owns rendering a chart once, in a worker thread: which chart, with which answers to its lookups, and what of it comes
// back. Charts that were loaded are kept for the next render in the same thread.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadChartArchive } from '../../engines/helm/archive.ts';
import type { Capabilities } from '../../engines/helm/capabilities.ts';
import type { Chart, CrdFile } from '../../engines/helm/chart.ts';
import type { Compat } from '../../engines/helm/compat.ts';
import type { Lookup } from '../../engines/helm/functions.ts';
import type { Hook, Manifest } from '../../engines/helm/manifests.ts';
import { formatManifests } from '../../engines/helm/output.ts';
import { toReleaseChart } from '../../engines/helm/release-chart.ts';
import { createRenderCache, renderChart as render } from '../../engines/helm/render.ts';
import type { ReleaseInfo } from '../../engines/helm/scope.ts';
import { isTable } from '../../engines/helm/table.ts';
import { fromJson } from '../../lang/gotemplate/value-json.ts';
import { createByteLru } from '../../lib/byte-lru.ts';
import type { JsonObject } from '../../lib/json.ts';
import { type PostRender, postRender } from '../../render/post-render.ts';
import { systemTemplateHost } from '../template-host.ts';
import { type Packed, pack } from './packed.ts';

/** A chart to render, as plain data. */
export interface ChartRequest {
  /** A .tgz on disk with the digest of its bytes, under which the loaded chart is remembered; or the bytes. */
  readonly chart: { readonly path: string; readonly digest: string } | { readonly bytes: Uint8Array };
  /** In place of the version that the chart states: with the digest of the artifact it came in, as Flux has it. */
  readonly chartVersion?: string;
  /** The user's values, composed. */
  readonly values: JsonObject;
  readonly release: ReleaseInfo;
  /** @default 'helm4', which is what Flux embeds */
  readonly compat?: Compat;
  /** @default what Helm assumes without a cluster */
  readonly capabilities?: Capabilities;
  /** @default false */
  readonly skipSchemaValidation?: boolean;
  /** Notes of subcharts too. @default false */
  readonly subNotes?: boolean;
  readonly postRender?: PostRender;
}

/** What a release is made of. */
export interface RenderedRelease {
  /** What the release stores: the manifests without hooks and crds/. */
  readonly manifest: string;
  /** In install order. */
  readonly manifests: readonly Manifest[];
  readonly hooks: readonly Hook[];
  readonly notes: string;
  /** Files of crds/, never templated. */
  readonly crds: readonly CrdFile[];
  /** The chart as release storage keeps it (`toReleaseChart`). */
  readonly chart: JsonObject;
}

/** A request as it crosses into the thread. */
export interface ChartTaskInput extends ChartRequest {
  /** Whether templates may look up objects of the cluster; else they find nothing, as offline. */
  readonly looksUp: boolean;
  /** What was looked up so far, by `lookupKey`. */
  readonly found: ReadonlyMap<string, JsonObject>;
}

/** What comes back. */
export type ChartTaskAnswer = { readonly warnings: readonly string[] } & (
  | { readonly state: 'missing'; readonly missing: readonly Lookup[] }
  | {
      readonly state: 'rendered';
      readonly release: Omit<RenderedRelease, 'manifests' | 'hooks' | 'chart'> & {
        readonly manifests: Packed<Manifest>;
        readonly hooks: Packed<Hook>;
        readonly chart: Packed<JsonObject>;
      };
    }
);

/** A text that two lookups share when they ask for the same. */
export function lookupKey({ apiVersion, kind, namespace, name }: Lookup): string {
  return JSON.stringify([apiVersion, kind, namespace, name]);
}

const CHART_BYTES = 64 * 1024 * 1024;
const charts = createByteLru<string, Chart>(CHART_BYTES);
const cache = createRenderCache();

/** The task of a worker thread: loads the chart, or finds it, and renders. Throws HelmError. */
export function renderChart(input: ChartTaskInput): ChartTaskAnswer {
  const { release, compat = 'helm4', capabilities, looksUp, found } = input;
  const warnings = new Set<string>();
  const warn = (text: string) => void warnings.add(text);
  const chart = withVersion(loadChart(input.chart, compat, warn), input.chartVersion);
  const values = fromJson(input.values);
  const wanted = input.postRender;
  const rendered = render(chart, isTable(values) ? values : new Map(), {
    release,
    host: systemTemplateHost,
    cache,
    compat,
    ...(capabilities === undefined ? {} : { capabilities }),
    skipSchemaValidation: input.skipSchemaValidation ?? false,
    subNotes: input.subNotes ?? false,
    ...(looksUp ? { lookup: (asked: Lookup) => found.get(lookupKey(asked)) } : {}),
    ...(wanted === undefined ? {} : { postRender: (files) => postRender(files, wanted, warn) }),
    warn,
  });
  if ('missing' in rendered) return { state: 'missing', missing: rendered.missing, warnings: [...warnings] };
  const { manifests, hooks, notes, crds } = rendered;
  return {
    state: 'rendered',
    release: {
      manifest: formatManifests(manifests),
      manifests: pack(manifests),
      hooks: pack(hooks),
      notes,
      crds,
      chart: pack([toReleaseChart(chart)]),
    },
    warnings: [...warnings],
  };
}

function withVersion(chart: Chart, version: string | undefined): Chart {
  if (version === undefined || version === chart.metadata.version) return chart;
  return { ...chart, metadata: { ...chart.metadata, version } };
}

function loadChart(source: ChartRequest['chart'], compat: Compat, warn: (text: string) => void): Chart {
  const bytes = 'bytes' in source ? source.bytes : undefined;
  const digest = 'digest' in source ? source.digest : createHash('sha256').update(source.bytes).digest('hex');
  const key = `${compat} ${digest}`;
  const known = charts.get(key);
  if (known !== undefined) return known;
  const archive = bytes ?? readFileSync((source as { readonly path: string }).path);
  const chart = loadChartArchive(archive, { compat, warn });
  // Unpacked and parsed, a chart takes about ten times the bytes of its archive.
  charts.set(key, chart, archive.length * 10);
  return chart;
}
