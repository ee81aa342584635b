// Owns the uninstall of a release, as Helm does it (helm.md §18).
import { type ReleaseRecord, withStatus } from '../../../engines/helm/release/record.ts';
import { errorMessage } from '../../../lib/errors.ts';
import type { Manifest } from '../../../objects/manifest.ts';
import type { Steps, WaitTarget } from '../wait.ts';
import { waitFor } from '../wait.ts';
import { type ActionContext, storeAgain, timestamp } from './context.ts';
import { runHooks } from './hooks.ts';
import { deleteObjects, failed, inUninstallOrder, isKept, ownedOnes } from './objects.ts';
import { leavingObjects, readyObjects } from './release.ts';

/** What was found: `done` says that this uninstall did it. */
export type UninstallEnd = 'done' | 'not found' | 'already uninstalled';

const PROPAGATION = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' } as const;

/** Deletes the release's objects and its revisions, or only marks them with `keepHistory`. */
export async function* uninstall(context: ActionContext): Steps<UninstallEnd> {
  const { store } = context;
  const spec = context.spec.uninstall ?? {};
  const last = await store.last();
  if (last === undefined) return 'not found';
  if (last.info.status === 'uninstalled') {
    if (spec.keepHistory !== true) await purge(context);
    return 'already uninstalled';
  }
  let release = withStatus(
    { ...last, info: { ...last.info, deleted: timestamp(context.clock) } },
    'uninstalling',
    'Deletion in progress (or silently failed)',
  );
  if (spec.disableHooks !== true) {
    const before = yield* runHooks(context, release, 'pre-delete');
    release = before.release;
    if (before.error !== undefined) throw before.error;
  }
  await storeAgain(context, release);
  const propagation = PROPAGATION[spec.deletionPropagation ?? 'background'];
  let targets: readonly WaitTarget[];
  try {
    const objects = await readyObjects(release.manifest, context, { lenient: true });
    const leaving = inUninstallOrder([...objects, ...(await olderObjects(context, last, objects))].filter(isNotKept));
    targets = await deleteObjects(leaving, context, { propagation });
  } catch (error) {
    context.log(`uninstall: Failed to delete release: ${errorMessage(error)}`);
    throw failed(`failed to delete release: ${release.name}`, undefined, error);
  }
  const errors: string[] = [];
  const { deadlineMs } = context;
  try {
    if (spec.disableWait !== true) {
      yield* waitFor({ goal: 'gone', targets, startedMs: context.clock.now(), deadlineMs });
    }
  } catch (error) {
    errors.push(errorMessage(error));
  }
  if (spec.disableHooks !== true) {
    const after = yield* runHooks(context, release, 'post-delete');
    release = after.release;
    if (after.error !== undefined) errors.push(errorMessage(after.error));
  }
  release = withStatus(release, 'uninstalled', 'Uninstallation complete');
  if (spec.keepHistory === true) {
    await storeAgain(context, release);
    for (const deployed of await store.withStatus('deployed')) {
      await storeAgain(context, withStatus(deployed, 'superseded'));
    }
  } else {
    context.stored(release);
    await purge(context);
  }
  if (errors.length > 0) {
    throw failed(`uninstallation completed with ${errors.length} error(s): ${errors.join('; ')}`, undefined);
  }
  return 'done';
}

/** What a last revision that was cut short has not taken away yet: of the good one before it, and of others since then. */
async function olderObjects(
  context: ActionContext,
  last: ReleaseRecord,
  objects: readonly Manifest[],
): Promise<Manifest[]> {
  if (last.info.status === 'deployed') return [];
  const ends: readonly string[] = ['deployed', 'superseded', 'uninstalled'];
  const base = context.store
    .revisions()
    .findLast(({ version, status }) => version < last.version && ends.includes(status));
  const release = base?.status === 'uninstalled' ? undefined : await context.store.get(base?.version ?? 0);
  const old = release === undefined ? [] : await readyObjects(release.manifest, context, { lenient: true });
  return ownedOnes(await leavingObjects(context, { old, objects, since: base?.version ?? 0 }), context);
}

function isNotKept(object: Manifest): boolean {
  return !isKept(object);
}

async function purge({ store }: ActionContext): Promise<void> {
  for (const { version } of store.revisions()) await store.delete(version);
}
