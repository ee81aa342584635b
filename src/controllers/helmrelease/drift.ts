// Owns the comparison of a release's objects with what is live, and putting them back (helm.md §21.7). Seeing by watching
// that something has changed is the followed objects' business: here it is found out what.
import { helmReleaseReasons as reasons } from '../../api/helm/helmrelease.ts';
import { asKubeObject, asManifest, liveReference } from '../../apply/dry-run.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { errorMessage } from '../../lib/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import { formatObjectId, identityKey, type Manifest, referenceOf } from '../../objects/manifest.ts';
import { hasPolicy } from '../../objects/policy.ts';
import { jsonMergePatch } from '../../plan/client-side.ts';
import { differs, sameJson } from '../../plan/compare.ts';
import { type Drift, markCompared } from '../../plan/drift.ts';
import { compileIgnoreRules } from '../../plan/ignore-rules.ts';
import { noteCorrection } from '../shared/drift-guard.ts';
import { intervalMs } from '../shared/timing.ts';
import { findLive } from './actions/objects.ts';
import { readyObjects } from './actions/release.ts';
import type { ApplyMethod } from './actions/send.ts';
import { latestOf } from './history.ts';
import { fieldManager, memoryOf } from './ports.ts';
import { drifted, fullName } from './report.ts';
import type { Run } from './run.ts';

/** `disabled` on a released object, as label or annotation: it is not compared. */
const EXCLUDED = 'helm.toolkit.fluxcd.io/driftDetection';

/** An object that differs from its release. */
export interface Difference {
  readonly desired: Manifest;
  readonly live: Manifest | undefined;
  /** What an apply would make of it. */
  readonly wanted: Manifest;
  readonly send: Manifest;
  /** How the release was sent: it is put back in the same way. */
  readonly method: ApplyMethod;
  /** As it was seen by watching, if it was. */
  readonly drift: Drift;
}

const unseen: Drift = { because: 'fields lost', manager: '', fields: [] };

/** Compares all objects, says what differs and answers it. */
export async function detectDrift(run: Run): Promise<readonly Difference[]> {
  const { report, key, ports } = run;
  const differences: Difference[] = [];
  const seen = new Map(ports.objects.drifted(key).map((item) => [item.key, item.drift]));
  const followed: Parameters<typeof ports.objects.follow>[1][number][] = [];
  const { objects, method } = await releasedObjects(run);
  for (const desired of objects) {
    const live = await findLive(desired, run.client);
    if (hasPolicy(desired, EXCLUDED, 'disabled') || (live !== undefined && hasPolicy(live, EXCLUDED, 'disabled')))
      continue;
    const { wanted, send, isDifferent } = await compare(run, desired, live);
    // One that differs too: somebody else may put it back.
    if (live !== undefined) followed.push(toFollowed(desired, live, wanted));
    const drift = seen.get(identityKey(referenceOf(desired))) ?? unseen;
    if (isDifferent) differences.push({ desired, live, wanted, send, method, drift });
  }
  await ports.objects.follow(key, run.object.spec?.kubeConfig === undefined ? followed : [], []);
  const latest = latestOf(report.status)!;
  if (differences.length === 0) {
    if (report.has(drifted)) {
      report.mark(drifted, 'False', reasons.noDriftDetected, 'No drift detected against the cluster state');
    }
    return differences;
  }
  const lines = differences.map(describeDifference).join('\n');
  const message = `Cluster state of release ${fullName(latest)} has drifted from the desired state:\n${lines}`;
  if (report.message(drifted) !== message || !report.isTrue(drifted)) {
    report.emit('Warning', reasons.driftDetected, message, latest);
  }
  report.mark(drifted, 'True', reasons.driftDetected, message);
  return differences;
}

async function releasedObjects(run: Run): Promise<{ readonly objects: readonly Manifest[]; method: ApplyMethod }> {
  const release = await run.store.last();
  const context = { target: run.target, client: run.client, log: (line: string) => run.logs.push(line) };
  const objects = release === undefined ? [] : await readyObjects(release.manifest, context);
  return { objects, method: release?.apply_method ?? 'csa' };
}

async function compare(
  run: Run,
  desired: Manifest,
  live: Manifest | undefined,
): Promise<Pick<Difference, 'wanted' | 'send'> & { readonly isDifferent: boolean }> {
  if (live === undefined) return { wanted: desired, send: desired, isDifferent: true };
  const adapt = compileIgnoreRules(run.object.spec?.driftDetection?.ignore, fieldManager);
  const adapted = adapt?.(desired, live);
  const send = adapted?.send ?? desired;
  const options = { fieldManager, force: true, dryRun: true };
  const wanted = asManifest(await run.client.apply(asKubeObject(send), options));
  return { wanted, send, isDifferent: (adapted?.compare ?? differs)(live, wanted) };
}

/** Puts back what was found to differ. What cannot be is told, and no failure of the pass: the next one finds it again. */
export async function correctDrift(run: Run): Promise<void> {
  const { report, client, key, ports, object } = run;
  const latest = latestOf(report.status)!;
  const { guard } = memoryOf(ports, key);
  const done: string[] = [];
  const errors: string[] = [];
  const now = ports.clock.monotonic();
  for (const difference of run.differences) {
    const { send, live, drift } = difference;
    const id = formatObjectId(referenceOf(send));
    try {
      await putBack(difference, client);
      noteCorrection(guard, { key: identityKey(referenceOf(send)), drift }, now, intervalMs(object.spec!));
      done.push(`${id} ${live === undefined ? 'created' : 'configured'}`);
    } catch (error) {
      errors.push(`${id}: ${errorMessage(error)}`);
    }
  }
  const name = `cluster state of release ${fullName(latest)}`;
  if (errors.length === 0) {
    const message = `${name.replace('c', 'C')} has been corrected:\n${done.join('\n')}`;
    report.emit('Normal', reasons.driftCorrected, message, latest);
    return;
  }
  const partially = done.length === 0 ? '' : 'partially ';
  const message = `Failed to ${partially}correct ${name}:\n${[...errors, ...done].join('\n')}`;
  report.emit('Warning', reasons.driftCorrectionFailed, message, latest);
}

/** Objects that are patched from the client's side stay so: an apply would give them a second owner of the same name. */
async function putBack({ send, live, wanted, method }: Difference, client: DynamicClient): Promise<void> {
  if (method === 'ssa') await client.apply(asKubeObject(send), { fieldManager, force: true });
  else if (live === undefined) await client.create(asKubeObject(send), { fieldManager });
  else {
    const ways = { old: comparable(live), desired: comparable(wanted), live };
    const body = jsonMergePatch(ways, { adopts: false });
    await client.patch(liveReference(live), { type: 'merge', body }, { fieldManager });
  }
}

function toFollowed(desired: Manifest, live: Manifest, wanted: Manifest) {
  const { resourceVersion } = live.metadata;
  return {
    reference: referenceOf(live),
    mark: markCompared(live, wanted, desired, fieldManager),
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '',
  };
}

/** `Deployment/ns/web changed (0 additions, 1 changes, 0 removals)`. */
function describeDifference({ live, wanted, desired }: Difference): string {
  const id = formatObjectId(referenceOf(desired));
  if (live === undefined) return `${id} removed`;
  const counts = { additions: 0, changes: 0, removals: 0 };
  count(comparable(live), comparable(wanted), counts);
  return `${id} changed (${counts.additions} additions, ${counts.changes} changes, ${counts.removals} removals)`;
}

function comparable(object: Manifest): JsonObject {
  const { metadata, status: _status, ...rest } = object as JsonObject;
  const { labels = {}, annotations = {} } = metadata as JsonObject;
  return { ...rest, metadata: { labels, annotations } };
}

/** Counts the operations that make `wanted` of `live`. */
function count(live: JsonValue, wanted: JsonValue, counts: Record<'additions' | 'changes' | 'removals', number>): void {
  if (sameJson(live, wanted)) return;
  if (Array.isArray(live) && Array.isArray(wanted)) {
    const shared = Math.min(live.length, wanted.length);
    for (let index = 0; index < shared; index++) count(live[index]!, wanted[index]!, counts);
    counts.additions += wanted.length - shared;
    counts.removals += live.length - shared;
    return;
  }
  if (!isJsonObject(live) || !isJsonObject(wanted)) {
    counts.changes += 1;
    return;
  }
  for (const key of new Set([...Object.keys(live), ...Object.keys(wanted)])) {
    if (!Object.hasOwn(wanted, key)) counts.removals += 1;
    else if (Object.hasOwn(live, key)) count(live[key]!, wanted[key]!, counts);
    else counts.additions += 1;
  }
}
