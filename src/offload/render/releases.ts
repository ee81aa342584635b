// Owns renders of charts on the side of the controller: the rounds of lookups, warnings, and what is said of a render that
// was cut. Charts are always rendered in a thread: parsing one takes longer than the event loop may stand still.
import { HelmError } from '../../engines/helm/errors.ts';
import type { Lookup } from '../../engines/helm/functions.ts';
import type { JsonObject } from '../../lib/json.ts';
import { TaskError, type WorkerPool } from '../pool.ts';
import { type ChartRequest, type ChartTaskAnswer, lookupKey, type RenderedRelease } from './chart.ts';
import { unpack } from './packed.ts';
import { describeCut, type Report, reported } from './report.ts';
import { inRounds, MAX_ROUNDS } from './rounds.ts';

/** How a chart is rendered. */
export interface ChartOptions {
  readonly signal: AbortSignal;
  /** How long one round may run in a thread. */
  readonly timeoutMs: number;
  /**
   * Answers what templates look up: the object, the list (`{items: …}`), or an empty object where there is none.
   * Without it every lookup finds nothing.
   */
  readonly lookup?: (wanted: Lookup, signal: AbortSignal) => Promise<JsonObject>;
  /** Gets each of Helm's warnings, once. */
  readonly warn?: (text: string) => void;
}

/** What the renders of one process share. */
export interface ReleaseContext {
  readonly pool: WorkerPool;
  readonly report: Report;
  readonly heapMb: number;
}

/** Renders a chart, round by round. Throws HelmError and the signal's reason. */
export async function renderRelease(
  request: ChartRequest,
  options: ChartOptions,
  context: ReleaseContext,
): Promise<RenderedRelease> {
  const { signal, lookup, warn = () => {} } = options;
  const found = new Map<string, JsonObject>();
  const run = async () => {
    const once = () => renderOnce(request, { ...options, found }, context);
    const answer = await reported(context.report, { engine: 'helm', place: 'worker' }, once);
    return answer.state === 'missing' ? answer : { answer };
  };
  const answer = await inRounds(run, async (missing: readonly Lookup[]) => {
    for (const wanted of missing) found.set(lookupKey(wanted), await lookup!(wanted, signal));
  });
  if (answer === undefined) {
    const text = `templates look up more and more objects: not done after ${MAX_ROUNDS} rounds`;
    throw new HelmError('TemplateFailed', text, {});
  }
  for (const text of answer.warnings) warn(text);
  const { release } = answer;
  const [chart] = await unpack(release.chart, signal);
  const manifests = await unpack(release.manifests, signal);
  const hooks = await unpack(release.hooks, signal);
  return { ...release, manifests, hooks, chart: chart! };
}

async function renderOnce(
  request: ChartRequest,
  { signal, timeoutMs, lookup, found }: ChartOptions & { readonly found: ReadonlyMap<string, JsonObject> },
  { pool, heapMb }: ReleaseContext,
): Promise<ChartTaskAnswer> {
  try {
    return await pool.run('renderChart', { ...request, looksUp: lookup !== undefined, found }, { signal, timeoutMs });
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    const message = `chart rendering failed: ${describeCut(error, timeoutMs, heapMb)}`;
    throw new HelmError('RenderCut', message, {}, { cause: error });
  }
}
