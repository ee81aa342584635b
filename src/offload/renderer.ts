// Owns rendering for controllers: the threads that render, and the two ways in, Kustomizations and charts.
import { createWorkerPool, RENDER_STACK_MB } from './pool.ts';
import { Builds, type KustomizationOptions, type KustomizationRequest, type RenderedSource } from './render/builds.ts';
import type { ChartRequest, RenderedRelease } from './render/chart.ts';
import { type ChartOptions, renderRelease } from './render/releases.ts';
import type { Report } from './render/report.ts';

/** Renders without holding the event loop: nothing here takes more than 20 ms at a stretch. */
export interface Renderer {
  /**
   * Builds a Kustomization's objects. Throws the errors of the render room, `RenderError` `BuildFailed` for a build that
   * was cut or ran out of memory, and the signal's reason.
   */
  renderKustomization(request: KustomizationRequest, options: KustomizationOptions): Promise<RenderedSource>;
  /**
   * Renders a chart as Helm does for a release, always in a thread. Throws `HelmError` with Helm's words, with code
   * `RenderCut` for a render that was cut or ran out of memory, and the signal's reason.
   */
  renderChart(request: ChartRequest, options: ChartOptions): Promise<RenderedRelease>;
  /** Ends all threads; renders under way fail. */
  close(): Promise<void>;
}

/** Options of `createRenderer`. */
export interface RendererOptions {
  /** Most threads at once. @default 2 */
  readonly threads?: number;
  /** How long a thread without work is kept. @default 10_000 */
  readonly idleMs?: number;
  /** Heap that one thread may have, in MiB. @default 384 */
  readonly heapMb?: number;
  /** Told of every render, failed ones too. */
  readonly onRender?: Report;
}

const THREADS = 2;
const IDLE_MS = 10_000;
/** A second thread loads and compiles the engines once more, half a second of CPU and 50 MB: not for many small renders. */
const PATIENCE_MS = 500;
const HEAP_MB = 384;
/** Garbage of a render is short-lived: a larger nursery costs memory, a smaller one CPU. */
const NURSERY_MB = 24;

/** A renderer without threads yet. */
export function createRenderer(options: RendererOptions = {}): Renderer {
  const { threads = THREADS, idleMs = IDLE_MS, heapMb = HEAP_MB, onRender: report = () => {} } = options;
  const pool = createWorkerPool({
    threads,
    idleMs,
    patienceMs: PATIENCE_MS,
    resourceLimits: {
      maxOldGenerationSizeMb: heapMb,
      maxYoungGenerationSizeMb: NURSERY_MB,
      stackSizeMb: RENDER_STACK_MB,
    },
  });
  const builds = new Builds(pool, { report, heapMb });
  return {
    renderKustomization: (request, how) => builds.render(request, how),
    renderChart: (request, how) => renderRelease(request, how, { pool, report, heapMb }),
    close: () => pool.close(),
  };
}
