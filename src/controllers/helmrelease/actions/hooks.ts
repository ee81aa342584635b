// Owns the running of hooks: their order, when old ones go, what is waited for, what is stored of it (helm.md §17).
import { asKubeObject, asManifest } from '../../../apply/dry-run.ts';
import type { HookEvent } from '../../../engines/helm/manifests.ts';
import { type HookRecord, hooksOf, type ReleaseRecord } from '../../../engines/helm/release/record.ts';
import { errorMessage } from '../../../lib/errors.ts';
import type { Manifest } from '../../../objects/manifest.ts';
import { fieldManager } from '../ports.ts';
import { type Steps, toTarget, type WaitTarget, waitFor } from '../wait.ts';
import { type ActionContext, storeAgain, timestamp } from './context.ts';
import { deleteObjects, failed, parseObjects, resolveObjects } from './objects.ts';

/** Kinds that run to an end; hooks of other kinds are done once they are there. */
const RUNNING_KINDS = new Set(['Job', 'Pod']);
const BEFORE_CREATION = 'before-hook-creation';

/** How the hooks of an event came out, and the release with what is known of their runs. */
export interface HooksEnd {
  readonly release: ReleaseRecord;
  readonly error: Error | undefined;
}

/** Runs the hooks of an event that `wanted` lets through. Never throws for a hook: the release goes on being needed. */
export async function* runHooks(
  context: ActionContext,
  before: ReleaseRecord,
  event: HookEvent,
  wanted: (hook: HookRecord) => boolean = () => true,
): Steps<HooksEnd> {
  let release = before;
  const done: HookRecord[] = [];
  try {
    for (const hook of hooksOf(before, event).filter(wanted)) {
      if (policiesOf(hook).includes(BEFORE_CREATION)) yield* deleteHook(context, hook);
      release = withRun(release, hook, { started_at: timestamp(context.clock), phase: 'Running' });
      await storeAgain(context, release);
      const error = yield* runHook(context, hook, event);
      const phase = error === undefined ? 'Succeeded' : 'Failed';
      const started_at = runOf(release, hook)?.started_at ?? '';
      release = withRun(release, hook, { started_at, completed_at: timestamp(context.clock), phase });
      if (error !== undefined) {
        yield* deleteByPolicy(context, [hook], 'hook-failed');
        yield* deleteByPolicy(context, done, 'hook-succeeded');
        return { release, error };
      }
      done.push(hook);
    }
    yield* deleteByPolicy(context, done.toReversed(), 'hook-succeeded');
    return { release, error: undefined };
  } catch (error) {
    return { release, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Creates a hook's objects and waits for their end. */
async function* runHook(context: ActionContext, hook: HookRecord, event: HookEvent): Steps<Error | undefined> {
  const targets: WaitTarget[] = [];
  try {
    for (const object of await objectsOf(hook, context)) {
      const created = await context.client.create(asKubeObject(object), { fieldManager });
      if (RUNNING_KINDS.has(object.kind)) targets.push(toTarget(asManifest(created)));
    }
  } catch (error) {
    return failed(`warning: Hook ${event} ${hook.path} failed: ${errorMessage(error)}`, undefined, error);
  }
  try {
    yield* waitFor({ goal: 'complete', targets, startedMs: context.clock.now(), deadlineMs: context.deadlineMs });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function* deleteByPolicy(context: ActionContext, hooks: readonly HookRecord[], policy: string): Steps<void> {
  for (const hook of hooks) if (policiesOf(hook).includes(policy)) yield* deleteHook(context, hook);
}

/** CRDs are never deleted: what was made of them would go with them. */
async function* deleteHook(context: ActionContext, hook: HookRecord): Steps<void> {
  if (hook.kind === 'CustomResourceDefinition') return;
  const targets = await deleteObjects(await objectsOf(hook, context), context, { keeps: false });
  yield* waitFor({ goal: 'gone', targets, startedMs: context.clock.now(), deadlineMs: context.deadlineMs });
}

async function objectsOf(hook: HookRecord, context: ActionContext): Promise<Manifest[]> {
  return resolveObjects(parseObjects(hook.manifest), context.target, context.client);
}

function policiesOf(hook: HookRecord): readonly string[] {
  const policies = hook.delete_policies ?? [];
  return policies.length === 0 ? [BEFORE_CREATION] : policies;
}

function runOf(release: ReleaseRecord, hook: HookRecord): HookRecord['last_run'] | undefined {
  return release.hooks.find((each) => isSame(each, hook))?.last_run;
}

function withRun(release: ReleaseRecord, hook: HookRecord, last_run: HookRecord['last_run']): ReleaseRecord {
  return { ...release, hooks: release.hooks.map((each) => (isSame(each, hook) ? { ...each, last_run } : each)) };
}

function isSame(a: HookRecord, b: HookRecord): boolean {
  return a.path === b.path && a.name === b.name && a.kind === b.kind && a.manifest === b.manifest;
}
