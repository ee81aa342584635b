// Owns install and upgrade: what Helm does for them, in steps (helm.md §18). Which of them runs is choose.ts, what the
// user is told run.ts.
import type { InstallSpec } from '../../../api/helm/helmrelease.ts';
import type { CrdFile } from '../../../engines/helm/chart.ts';
import type { Hook } from '../../../engines/helm/manifests.ts';
import {
  type ChartRecord,
  type HookRecord,
  isPending,
  type ReleaseRecord,
  withStatus,
} from '../../../engines/helm/release/record.ts';
import { errorMessage } from '../../../lib/errors.ts';
import { goQuote } from '../../../lib/goquote.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json.ts';
import type { Manifest } from '../../../objects/manifest.ts';
import type { RenderedRelease } from '../../../offload/render/chart.ts';
import { maxHistory } from '../settings.ts';
import { laidOver } from '../values.ts';
import { type Steps, toTarget, waitFor } from '../wait.ts';
import { type ActionContext, storeAgain, storeNew, timestamp } from './context.ts';
import { applyCrds } from './crds.ts';
import { runHooks } from './hooks.ts';
import {
  checkOwnership,
  deleteObjects,
  failed,
  findLive,
  markedAsHelms,
  ownedOnes,
  parseObjects,
  resolveObjects,
  withoutThose,
} from './objects.ts';
import { type ApplyMethod, changeObjects, methodOf, sendObjects } from './send.ts';

/** What is released. */
export interface ReleaseInput {
  readonly values: JsonObject;
  /** Renders the chart for a revision. */
  render(values: JsonObject, revision: number, isUpgrade: boolean): Promise<RenderedRelease>;
}

/** Installs. Throws once the release is stored as failed, or before anything was stored. */
export async function* install(context: ActionContext, input: ReleaseInput): Steps<readonly CrdFile[]> {
  const spec = context.spec.install ?? {};
  const last = await context.store.last();
  if (last !== undefined && !mayReplace(last, spec))
    throw failed('cannot re-use a name that is still in use', undefined);
  const version = (last?.version ?? 0) + 1;
  const rendered = yield* renderWithCrds(context, input, spec, { values: input.values, version, isUpgrade: false });
  if (last !== undefined) {
    await storeAgain(context, withStatus(last, 'superseded', 'superseded by new release'));
  }
  const objects = await readyObjects(rendered.manifest, context);
  if (spec.disableTakeOwnership === true) await checkOwnership(objects, context, 'install');
  if (spec.createNamespace === true) await createNamespace(context);
  const now = timestamp(context.clock);
  const method = spec.serverSideApply === false ? 'csa' : 'ssa';
  const release: ReleaseRecord = {
    ...newRecord(context, rendered, { config: input.values, version, method }),
    info: {
      first_deployed: now,
      last_deployed: now,
      description: 'Initial install underway',
      status: 'pending-install',
      ...(rendered.notes === '' ? {} : { notes: rendered.notes }),
    },
  };
  await storeNew(context, release, maxHistory(context.spec));
  const sending = { method, strict: spec.disableOpenAPIValidation !== true } as const;
  const end = yield* attempt(release, async function* (track) {
    if (spec.disableHooks !== true) yield* hooks(context, track, 'pre-install', 'failed pre-install');
    const live = await sendObjects(objects, context, sending);
    yield* waitUntilReady(context, live, spec);
    if (spec.disableHooks !== true) yield* hooks(context, track, 'post-install', 'failed post-install');
  });
  if (end.error !== undefined) {
    const text = `Release ${goQuote(release.name)} failed: ${errorMessage(end.error)}`;
    await storeAgain(context, withStatus(end.release, 'failed', text));
    throw end.error;
  }
  await storeAgain(context, withStatus(end.release, 'deployed', 'Install complete'));
  return rendered.crds;
}

function mayReplace(last: ReleaseRecord, spec: InstallSpec): boolean {
  return spec.replace === true && (last.info.status === 'uninstalled' || last.info.status === 'failed');
}

/** Upgrades. Throws once the release is stored as failed, or before anything was stored. */
export async function* upgrade(context: ActionContext, input: ReleaseInput): Steps<readonly CrdFile[]> {
  const { store, clock } = context;
  const spec = context.spec.upgrade ?? {};
  const last = await store.last();
  if (last === undefined) throw failed(`${goQuote(context.target.name)} has no deployed releases`, undefined);
  if (isPending(last.info.status)) {
    throw failed('another operation (install/upgrade/rollback) is in progress', undefined);
  }
  const deployed = (await store.withStatus('deployed')).at(-1);
  const base = deployed ?? last;
  const version = last.version + 1;
  const values = spec.preserveValues === true ? laidOver(base.config, input.values) : input.values;
  const defaults = spec.preserveValues === true ? laidOver(chartValues(base), values) : values;
  const rendered = yield* renderWithCrds(context, input, spec, { values: defaults, version, isUpgrade: true });
  const objects = await readyObjects(rendered.manifest, context);
  const old = await readyObjects(base.manifest, context, { lenient: true });
  const fresh = withoutThose(objects, old);
  if (spec.disableTakeOwnership === true) await checkOwnership(fresh, context, 'update');
  const method = methodOf(spec.serverSideApply, last);
  const release: ReleaseRecord = {
    ...newRecord(context, rendered, { config: values, version, method }),
    info: {
      ...(last.info.first_deployed === undefined ? {} : { first_deployed: last.info.first_deployed }),
      last_deployed: timestamp(clock),
      description: 'Preparing upgrade',
      status: 'pending-upgrade',
      ...(rendered.notes === '' ? {} : { notes: rendered.notes }),
    },
    labels: base.labels,
  };
  await storeNew(context, release, maxHistory(context.spec));
  const sending = { method, strict: spec.disableOpenAPIValidation !== true, force: spec.force === true };
  const absent: Manifest[] = [];
  const end = yield* attempt(release, async function* (track) {
    if (spec.disableHooks !== true) yield* hooks(context, track, 'pre-upgrade', 'pre-upgrade hooks failed');
    if (spec.cleanupOnFail === true) absent.push(...(await absentOnes(fresh, context)));
    const live = await changeObjects(context, { objects, old, before: base.apply_method }, sending);
    await deleteObjects(await leavingObjects(context, { old, objects, since: base.version }), context);
    yield* waitUntilReady(context, live, spec);
    if (spec.disableHooks !== true) yield* hooks(context, track, 'post-upgrade', 'post-upgrade hooks failed');
  });
  if (end.error !== undefined) {
    const text = `Upgrade ${goQuote(release.name)} failed: ${errorMessage(end.error)}`;
    await storeAgain(context, withStatus(end.release, 'failed', text));
    if (spec.cleanupOnFail === true) await deleteObjects(absent.toReversed(), context);
    throw end.error;
  }
  if (deployed !== undefined) await storeAgain(context, withStatus(deployed, 'superseded'));
  await storeAgain(context, withStatus(end.release, 'deployed', 'Upgrade complete'));
  return rendered.crds;
}

/** The release as far as it got, and what stopped it. */
interface Attempt {
  readonly release: ReleaseRecord;
  readonly error: Error | undefined;
}

/** The record as hooks leave it: they write into it when they ran. */
export interface Track {
  release: ReleaseRecord;
}

/** Runs steps that may fail, and keeps the record that they had come to. */
export async function* attempt(release: ReleaseRecord, run: (track: Track) => Steps<void>): Steps<Attempt> {
  const track: Track = { release };
  try {
    yield* run(track);
    return { release: track.release, error: undefined };
  } catch (error) {
    return { release: track.release, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Runs the hooks of an event; a failure is told with the words before it. */
export async function* hooks(
  context: ActionContext,
  track: Track,
  event: 'pre-install' | 'post-install' | 'pre-upgrade' | 'post-upgrade' | 'pre-rollback' | 'post-rollback',
  words: string,
): Steps<void> {
  const end = yield* runHooks(context, track.release, event);
  track.release = end.release;
  if (end.error === undefined) return;
  const text = words === '' ? errorMessage(end.error) : `${words}: ${errorMessage(end.error)}`;
  throw failed(text, undefined, end.error);
}

/** Waits until objects are healthy, unless that is switched off. */
export async function* waitUntilReady(
  context: ActionContext,
  live: readonly Manifest[],
  spec: { readonly disableWait?: boolean; readonly disableWaitForJobs?: boolean },
): Steps<void> {
  if (spec.disableWait === true) return;
  const waited = spec.disableWaitForJobs === true ? live.filter((object) => object.kind !== 'Job') : live;
  const startedMs = context.clock.now();
  yield* waitFor({ goal: 'ready', targets: waited.map(toTarget), startedMs, deadlineMs: context.deadlineMs });
}

async function* renderWithCrds(
  context: ActionContext,
  input: ReleaseInput,
  spec: Pick<InstallSpec, 'skipCRDs' | 'crds'>,
  how: { readonly values: JsonObject; readonly version: number; readonly isUpgrade: boolean },
): Steps<RenderedRelease> {
  const render = () => input.render(how.values, how.version, how.isUpgrade);
  const rendered = await render();
  const policy = spec.skipCRDs === true ? 'Skip' : (spec.crds ?? 'Create');
  const isNew = yield* applyCrds(context, rendered.crds, policy);
  // Templates may ask which kinds there are.
  return isNew ? render() : rendered;
}

/** The objects of a manifest, ready to be sent. `lenient`: those of kinds that are gone are left out. */
export async function readyObjects(
  manifest: string,
  context: Pick<ActionContext, 'target' | 'client' | 'log'>,
  { lenient = false }: { readonly lenient?: boolean } = {},
): Promise<Manifest[]> {
  const resolve = (objects: readonly Manifest[]) => resolveObjects(objects, context.target, context.client);
  const parsed = parseObjects(manifest);
  if (!lenient) return markedAsHelms(await resolve(parsed), context.target);
  const found: Manifest[] = [];
  for (const object of parsed) {
    try {
      found.push(...(await resolve([object])));
    } catch {
      context.log(`the kind of ${object.kind} ${object.metadata.name} is not served any more`);
    }
  }
  return markedAsHelms(found, context.target);
}

/**
 * What is to go, the last one first: objects of `old` that the release has no longer, and what revisions since then have
 * made before they were cut short. Helm forgets the latter.
 */
export async function leavingObjects(
  context: ActionContext,
  {
    old,
    objects,
    since,
  }: { readonly old: readonly Manifest[]; readonly objects: readonly Manifest[]; readonly since: number },
): Promise<Manifest[]> {
  const leaving = withoutThose(old, objects);
  for (const { version, status } of context.store.revisions()) {
    const wasCutShort = status === 'failed' || status === 'uninstalling';
    const release = version > since && wasCutShort ? await context.store.get(version) : undefined;
    if (release === undefined) continue;
    const made = await readyObjects(release.manifest, context, { lenient: true });
    leaving.push(...(await ownedOnes(withoutThose(made, [...objects, ...leaving]), context)));
  }
  return leaving.toReversed();
}

async function absentOnes(objects: readonly Manifest[], context: ActionContext): Promise<Manifest[]> {
  const absent: Manifest[] = [];
  for (const object of objects) if ((await findLive(object, context.client)) === undefined) absent.push(object);
  return absent;
}

async function createNamespace({ client, target }: ActionContext): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: target.namespace } };
  const labelled = { ...namespace, metadata: { ...namespace.metadata, labels: { name: target.namespace } } };
  if ((await client.findMetadata({ ...namespace, name: target.namespace })) === undefined)
    await client.create(labelled);
}

function newRecord(
  { target }: ActionContext,
  rendered: RenderedRelease,
  { config, version, method }: { readonly config: JsonObject; readonly version: number; readonly method: ApplyMethod },
): Omit<ReleaseRecord, 'info'> {
  return {
    name: target.name,
    namespace: target.namespace,
    version,
    chart: rendered.chart as ChartRecord,
    config,
    manifest: rendered.manifest,
    hooks: rendered.hooks.map(toHookRecord),
    apply_method: method,
    labels: {},
  };
}

function toHookRecord(hook: Hook): HookRecord {
  return {
    name: hook.name,
    kind: hook.kind,
    path: hook.path,
    manifest: hook.text,
    events: hook.events,
    last_run: { phase: '' },
    ...(hook.weight === 0 ? {} : { weight: hook.weight }),
    ...(hook.deletePolicies.length === 0 ? {} : { delete_policies: hook.deletePolicies }),
    ...(hook.outputLogPolicies.length === 0 ? {} : { output_log_policies: hook.outputLogPolicies }),
  };
}

function chartValues(release: ReleaseRecord): JsonObject {
  const values = release.chart['values'];
  return isJsonObject(values) ? values : {};
}
