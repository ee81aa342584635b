// Owns rendering for controllers: which build runs on the event loop and which in a worker thread, the rounds of fetching
// what a render misses, and what is said of a render that its thread did not survive.
import type { Kustomization } from '../api/kustomize/kustomization.ts';
import type { Missing } from '../engines/kustomize/missing.ts';
import { formatDurationMs } from '../lib/duration.ts';
import type { FileTree } from '../lib/filetree.ts';
import type { ReadRecord } from '../lib/recording-tree.ts';
import { type Inputs, renderInputs } from '../render/inputs.ts';
import { RenderError } from '../render/render-error.ts';
import type { RenderedObjects, RenderSettings } from '../render/render-source.ts';
import { createWorkerPool, TaskError, type WorkerPool } from './pool.ts';
import { type BuildAnswer, type BuildInput, buildTree, createBuildPacks } from './render/kustomization.ts';
import { unpack } from './render/packed.ts';
import { type BuildHistory, placeBuild, withBuild } from './render/placement.ts';
import type { FetchedData, TreeSource } from './render/source.ts';

/** Renders without holding the event loop: nothing here takes more than 20 ms at a stretch. */
export interface Renderer {
  /**
   * Builds a Kustomization's objects. Throws the errors of the render room, `RenderError` `BuildFailed` for a build that
   * was cut or ran out of memory, and the signal's reason.
   */
  renderKustomization(request: KustomizationRequest, options: KustomizationOptions): Promise<RenderedSource>;
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
  readonly onRender?: (render: RenderReport) => void;
}

/** Where a render ran, and how it ended. */
export interface RenderReport {
  readonly engine: 'kustomize' | 'helm';
  readonly place: 'loop' | 'worker';
  /** `cut`: by its deadline, by its memory, or by a crash. */
  readonly outcome: 'done' | 'failed' | 'cut';
}

/** What a build is made of. */
export interface KustomizationRequest {
  /** `namespace/name`: what it cost is remembered under it. */
  readonly key: string;
  /** The files, as a thread opens them; absent when only this one can. */
  readonly source: TreeSource | undefined;
  /** The same files, for a build on the event loop. */
  readonly tree: FileTree;
  readonly object: Kustomization;
  readonly inputs: Inputs;
  readonly settings: RenderSettings;
}

/** How a build is run. */
export interface KustomizationOptions {
  readonly signal: AbortSignal;
  /** How long it may run in a thread. */
  readonly timeoutMs: number;
  readonly fetchMissing: FetchMissing;
}

/** Fetches what builds miss and answers all that was fetched so far. */
export type FetchMissing = (missing: readonly Missing[], signal: AbortSignal) => Promise<FetchedData>;

/** What a build made, and what it read for it. */
export interface RenderedSource extends RenderedObjects {
  readonly record: ReadRecord;
}

/** As many rounds of fetching as a chain of remote bases may need. */
const MAX_ROUNDS = 10;
const THREADS = 2;
const IDLE_MS = 10_000;
const HEAP_MB = 384;
/** Garbage of a render is short-lived: a larger nursery costs memory, a smaller one CPU. */
const NURSERY_MB = 24;
/** Templates may include a thousand times inside each other (helm.md §7); Node gives a thread 4 MB. */
const STACK_MB = 32;
/** Costs of so many Kustomizations are remembered. */
const MAX_HISTORIES = 10_000;

/** A renderer without threads yet. */
export function createRenderer(options: RendererOptions = {}): Renderer {
  const heapMb = options.heapMb ?? HEAP_MB;
  const pool = createWorkerPool({
    threads: options.threads ?? THREADS,
    idleMs: options.idleMs ?? IDLE_MS,
    resourceLimits: {
      maxOldGenerationSizeMb: heapMb,
      maxYoungGenerationSizeMb: NURSERY_MB,
      stackSizeMb: STACK_MB,
    },
  });
  const builds = new Builds(pool, options.onRender ?? (() => {}), heapMb);
  return {
    renderKustomization: (request, how) => builds.render(request, how),
    close: () => pool.close(),
  };
}

class Builds {
  readonly #pool: WorkerPool;
  readonly #report: (render: RenderReport) => void;
  readonly #heapMb: number;
  readonly #histories = new Map<string, BuildHistory>();

  constructor(pool: WorkerPool, report: (render: RenderReport) => void, heapMb: number) {
    this.#pool = pool;
    this.#report = report;
    this.#heapMb = heapMb;
  }

  async render(request: KustomizationRequest, options: KustomizationOptions): Promise<RenderedSource> {
    const { object, settings } = request;
    const inputs = renderInputs(object, request.inputs, settings.ageSecret);
    let fetched: FetchedData | undefined;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const answer = await this.#build(request, { object, inputs, settings, fetched }, options);
      if (answer.state === 'built') return { ...answer.rendered, record: answer.record };
      fetched = await options.fetchMissing(answer.missing, options.signal);
    }
    const message = `kustomize build failed: remote bases go deeper than ${MAX_ROUNDS} levels`;
    throw new RenderError('BuildFailed', message, {});
  }

  async #build(request: KustomizationRequest, input: BuildInput, options: KustomizationOptions): Promise<Finished> {
    const { key, source, tree, object } = request;
    const place = placeBuild(this.#histories.get(key) ?? [], object.spec?.decryption !== undefined);
    if (place.in === 'loop' || source === undefined) {
      const limit = place.in === 'loop' && source !== undefined ? place.limit : undefined;
      const answer = await this.#watched('loop', () => buildHere(tree, input, limit));
      this.#note(key, answer);
      if (answer.state !== 'too large') return answer;
    }
    const answer = await this.#watched('worker', () => this.#buildThere(source!, input, options));
    this.#note(key, answer);
    return answer;
  }

  async #buildThere(source: TreeSource, input: BuildInput, options: KustomizationOptions): Promise<Finished> {
    const { signal, timeoutMs } = options;
    try {
      const answer = await this.#pool.run('renderKustomization', { ...input, source }, { signal, timeoutMs });
      if (answer.state === 'missing') return answer;
      const objects = await unpack(answer.rendered.objects, signal);
      return { ...answer, rendered: { ...answer.rendered, objects } };
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      const message = `kustomize build failed: ${describeCut(error, timeoutMs, this.#heapMb)}`;
      throw new RenderError('BuildFailed', message, {}, { cause: error });
    }
  }

  #note(key: string, { cost }: BuildAnswer): void {
    const history = withBuild(this.#histories.get(key) ?? [], cost);
    this.#histories.delete(key);
    this.#histories.set(key, history);
    if (this.#histories.size <= MAX_HISTORIES) return;
    const [oldest] = this.#histories.keys();
    this.#histories.delete(oldest!);
  }

  async #watched<Answer extends BuildAnswer>(
    place: RenderReport['place'],
    run: () => Promise<Answer>,
  ): Promise<Answer> {
    const report = (outcome: RenderReport['outcome']) => this.#report({ engine: 'kustomize', place, outcome });
    try {
      const answer = await run();
      if (answer.state !== 'too large') report('done');
      return answer;
    } catch (error) {
      report(error instanceof Error && error.cause instanceof TaskError ? 'cut' : 'failed');
      throw error;
    }
  }
}

type Finished = Exclude<BuildAnswer, { readonly state: 'too large' }>;

async function buildHere(tree: FileTree, input: BuildInput, limit: BuildLimit): Promise<BuildAnswer> {
  const packs = createBuildPacks();
  try {
    return await buildTree(tree, input, packs.open, limit);
  } finally {
    packs.close();
  }
}

type BuildLimit = Parameters<typeof buildTree>[3];

/** What happened to a render that its thread did not survive, and what to do. */
function describeCut({ code, message }: TaskError, timeoutMs: number, heapMb: number): string {
  switch (code) {
    case 'TaskTimeout':
      return `not finished after ${formatDurationMs(timeoutMs)}: raise spec.timeout or split it up`;
    case 'TaskOutOfMemory':
      return `it needs more than the ${heapMb} MiB of memory that a render may have: split it up`;
    case 'TaskCrashed':
      return message;
    default:
      return code satisfies never;
  }
}
