// Owns the uninstall of a release, as Helm does it (helm.md §18).
import { withStatus } from '../../../engines/helm/release/record.ts';
import { errorMessage } from '../../../lib/errors.ts';
import type { Steps, WaitTarget } from '../wait.ts';
import { waitFor } from '../wait.ts';
import { type ActionContext, storeAgain, timestamp } from './context.ts';
import { runHooks } from './hooks.ts';
import { deleteObjects, failed, inUninstallOrder, isKept } from './objects.ts';
import { readyObjects } from './release.ts';

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
    const leaving = inUninstallOrder(objects.filter((object) => !isKept(object)));
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

async function purge({ store }: ActionContext): Promise<void> {
  for (const { version } of store.revisions()) await store.delete(version);
}
