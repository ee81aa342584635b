// Owns builds of Kustomizations on the side of the controller: which one runs where, what it cost, and the rounds of
// fetching what it misses.
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import type { Missing } from '../../engines/kustomize/missing.ts';
import type { FileTree } from '../../lib/filetree.ts';
import type { ReadRecord } from '../../lib/recording-tree.ts';
import { type Inputs, renderInputs } from '../../render/inputs.ts';
import { RenderError } from '../../render/render-error.ts';
import type { RenderedObjects, RenderSettings } from '../../render/render-source.ts';
import { TaskError, type WorkerPool } from '../pool.ts';
import { type BuildAnswer, type BuildInput, buildTree, createBuildPacks } from './kustomization.ts';
import type { Reading } from './meter.ts';
import { unpack } from './packed.ts';
import { type BuildHistory, placeBuild, withBuild } from './placement.ts';
import { describeCut, type Report, reported } from './report.ts';
import { inRounds, MAX_ROUNDS } from './rounds.ts';
import type { FetchedData, TreeSource } from './source.ts';

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
  /** How long one round may run in a thread. */
  readonly timeoutMs: number;
  readonly fetchMissing: FetchMissing;
}

/** Fetches what builds miss and answers all that was fetched so far. */
export type FetchMissing = (missing: readonly Missing[], signal: AbortSignal) => Promise<FetchedData>;

/** What a build made, and what it read for it. */
export interface RenderedSource extends RenderedObjects {
  readonly record: ReadRecord;
}

/** Costs of so many Kustomizations are remembered. */
const MAX_HISTORIES = 10_000;

type Finished = Exclude<BuildAnswer, { readonly state: 'too large' }>;

/** Builds of all Kustomizations. */
export class Builds {
  readonly #pool: WorkerPool;
  readonly #report: Report;
  readonly #heapMb: number;
  readonly #histories = new Map<string, BuildHistory>();

  constructor(pool: WorkerPool, options: { readonly report: Report; readonly heapMb: number }) {
    this.#pool = pool;
    this.#report = options.report;
    this.#heapMb = options.heapMb;
  }

  /** Throws the errors of the render room, RenderError `BuildFailed` for one that was cut, and the signal's reason. */
  async render(request: KustomizationRequest, options: KustomizationOptions): Promise<RenderedSource> {
    const { object, settings } = request;
    const inputs = renderInputs(object, request.inputs, settings.ageSecret);
    let fetched: FetchedData | undefined;
    const run = async () => {
      const built = await this.#build(request, { object, inputs, settings, fetched }, options);
      return built.state === 'missing' ? built : { answer: { ...built.rendered, record: built.record } };
    };
    const answer = await inRounds(run, async (missing: readonly Missing[]) => {
      fetched = await options.fetchMissing(missing, options.signal);
    });
    if (answer !== undefined) return answer;
    const message = `kustomize build failed: remote bases go deeper than ${MAX_ROUNDS} levels`;
    throw new RenderError('BuildFailed', message, {});
  }

  async #build(request: KustomizationRequest, input: BuildInput, options: KustomizationOptions): Promise<Finished> {
    const { key, source, tree, object } = request;
    const place = placeBuild(this.#histories.get(key) ?? [], object.spec?.decryption !== undefined);
    if (source === undefined || place.in === 'loop') {
      const limit = source === undefined || place.in !== 'loop' ? undefined : place.limit;
      const answer = await this.#buildHere(tree, input, limit);
      this.#note(key, answer);
      if (answer.state !== 'too large') return answer;
    }
    const run = () => this.#buildThere(source!, input, options);
    const answer = await reported(this.#report, { engine: 'kustomize', place: 'worker' }, run);
    this.#note(key, answer);
    return answer;
  }

  /** A build that turns out too large here is not reported: it is about to run in a worker. */
  async #buildHere(tree: FileTree, input: BuildInput, limit: Reading | undefined): Promise<BuildAnswer> {
    const report: Report = (render) => {
      if (!exceeded) this.#report(render);
    };
    let exceeded = false;
    const packs = createBuildPacks();
    try {
      return await reported(report, { engine: 'kustomize', place: 'loop' }, async () => {
        const answer = await buildTree(tree, input, packs.open, limit);
        exceeded = answer.state === 'too large';
        return answer;
      });
    } finally {
      packs.close();
    }
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
}
