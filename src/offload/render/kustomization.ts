// Owns building a Kustomization once, in whichever thread it is called: opening what plain data names, recording what is
// read, measuring what it cost.
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import { DEFAULT_PACK_LIMITS } from '../../engines/git/index-pack.ts';
import type { Missing } from '../../engines/kustomize/missing.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { type ReadRecord, recordReads } from '../../lib/recording-tree.ts';
import type { Manifest } from '../../objects/manifest.ts';
import type { Inputs } from '../../render/inputs.ts';
import { type RenderedObjects, type RenderSettings, renderSource } from '../../render/render-source.ts';
import { createPackOpener, type OpenObjects } from '../git/recipe.ts';
import { createMeter, type Reading } from './meter.ts';
import { type Packed, pack } from './packed.ts';
import type { BuildCost } from './placement.ts';
import { type FetchedData, openFetched, openTreeSource, type TreeSource } from './source.ts';

/** What a build is made of beside its files. */
export interface BuildInput {
  readonly object: Kustomization;
  /** Those that rendering reads, Secrets among them: they cross into the thread, and never into a message. */
  readonly inputs: Inputs;
  readonly settings: RenderSettings;
  readonly fetched: FetchedData | undefined;
}

/** What came of a build. */
export type BuildAnswer = { readonly cost: BuildCost } & (
  | { readonly state: 'built'; readonly rendered: RenderedObjects; readonly record: ReadRecord }
  | { readonly state: 'missing'; readonly missing: readonly Missing[] }
  /** It wanted to read more than it may here. */
  | { readonly state: 'too large' }
);

/** Builds from an open tree; within `limit` where there is one. Throws the errors of the render room. */
export async function buildTree(
  tree: FileTree,
  input: BuildInput,
  open: OpenObjects,
  limit?: Reading,
): Promise<BuildAnswer> {
  const clock = startClock();
  const meter = createMeter(limit);
  const { tree: recording, record } = recordReads(meter.wrap(tree));
  const fetched = input.fetched === undefined ? undefined : openFetched(input.fetched, open, meter.wrap);
  const rendering = renderSource(recording, input.object, input.inputs, { settings: input.settings, fetched });
  // Without decryption all of it is done by now. What others do before it can be awaited is not its cost: after a push
  // twenty builds end one after the other before the first of them goes on.
  const ms = input.object.spec?.decryption === undefined ? clock() : undefined;
  const cost = (): BuildCost => ({ ms: ms ?? clock(), reading: meter.reading() });
  try {
    const made = await rendering;
    if (meter.exceeded()) return { state: 'too large', cost: cost() };
    return made.state === 'built' ? { ...made, record, cost: cost() } : { ...made, cost: cost() };
  } catch (error) {
    if (meter.exceeded()) return { state: 'too large', cost: cost() };
    throw error;
  }
}

/** A build as it crosses into a worker thread. */
export interface WorkerBuildInput extends BuildInput {
  readonly source: TreeSource;
}

/** An answer as it crosses back. */
export type WorkerBuildAnswer = { readonly cost: BuildCost } & (
  | {
      readonly state: 'built';
      readonly rendered: Omit<RenderedObjects, 'objects'> & { readonly objects: Packed<Manifest> };
      readonly record: ReadRecord;
    }
  | { readonly state: 'missing'; readonly missing: readonly Missing[] }
);

/** Opens the packs that one build reads remote bases from. */
export function createBuildPacks(): ReturnType<typeof createPackOpener> {
  return createPackOpener(DEFAULT_PACK_LIMITS.maxObjectBytes);
}

/** The task of a worker thread: opens the source and builds. */
export async function renderKustomization(input: WorkerBuildInput): Promise<WorkerBuildAnswer> {
  const packs = createBuildPacks();
  try {
    const answer = await buildTree(openTreeSource(input.source, packs.open), input, packs.open);
    if (answer.state !== 'built') return answer as Extract<BuildAnswer, { state: 'missing' }>;
    return { ...answer, rendered: { ...answer.rendered, objects: pack(answer.rendered.objects) } };
  } finally {
    packs.close();
  }
}

/** CPU time of this thread where Node tells it (23.9), else time by the wall. */
function startClock(): () => number {
  const usage = process.threadCpuUsage as typeof process.threadCpuUsage | undefined;
  if (usage === undefined) {
    const start = performance.now();
    return () => performance.now() - start;
  }
  const start = usage();
  return () => {
    const { user, system } = usage(start);
    return (user + system) / 1000;
  };
}
