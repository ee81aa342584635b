// Owns the rollback of a release to an earlier revision, as Helm does it (helm.md §18).
import { type ReleaseRecord, withStatus } from '../../../engines/helm/release/record.ts';
import { errorMessage } from '../../../lib/errors.ts';
import { goQuote } from '../../../lib/goquote.ts';
import type { Manifest } from '../../../objects/manifest.ts';
import { maxHistory } from '../settings.ts';
import type { Steps } from '../wait.ts';
import { type ActionContext, storeAgain, storeNew, timestamp } from './context.ts';
import { deleteObjects, failed, findLive, withoutThose } from './objects.ts';
import { attempt, hooks, leavingObjects, readyObjects, waitUntilReady } from './release.ts';
import { changeObjects, methodOf } from './send.ts';

/** Makes a new revision of an earlier one. Throws once it is stored as failed, or before anything was stored. */
export async function* rollback(context: ActionContext, toVersion: number): Steps<void> {
  const { store, clock } = context;
  const spec = context.spec.rollback ?? {};
  const current = await store.last();
  const previous = await store.get(toVersion);
  if (current === undefined || previous === undefined) throw failed(`release has no ${toVersion} version`, undefined);
  const { notes } = previous.info;
  const method = methodOf(spec.serverSideApply, previous);
  const release: ReleaseRecord = {
    ...previous,
    version: current.version + 1,
    apply_method: method,
    hooks: previous.hooks.map((hook) => ({ ...hook, last_run: { phase: '' } })),
    info: {
      ...(current.info.first_deployed === undefined ? {} : { first_deployed: current.info.first_deployed }),
      last_deployed: timestamp(clock),
      description: `Rollback to ${toVersion}`,
      status: 'pending-rollback',
      ...(notes === undefined ? {} : { notes }),
    },
  };
  const objects = await readyObjects(previous.manifest, context);
  const old = await readyObjects(current.manifest, context, { lenient: true });
  await storeNew(context, release, maxHistory(context.spec));
  const sending = { method, strict: true, force: spec.force === true };
  const absent: Manifest[] = [];
  const end = yield* attempt(release, async function* (track) {
    if (spec.disableHooks !== true) yield* hooks(context, track, 'pre-rollback', '');
    if (spec.cleanupOnFail === true) {
      for (const object of withoutThose(objects, old)) {
        if ((await findLive(object, context.client)) === undefined) absent.push(object);
      }
    }
    const live = await changeObjects(context, { objects, old, before: current.apply_method }, sending);
    await deleteObjects(await leavingObjects(context, { old, objects, since: toVersion }), context);
    yield* waitUntilReady(context, live, spec);
    if (spec.disableHooks !== true) yield* hooks(context, track, 'post-rollback', '');
  });
  if (end.error !== undefined) {
    await storeAgain(context, withStatus(current, 'superseded'));
    const text = `Rollback ${goQuote(release.name)} failed: ${errorMessage(end.error)}`;
    await storeAgain(context, withStatus(end.release, 'failed', text));
    if (spec.cleanupOnFail === true) await deleteObjects(absent.toReversed(), context);
    throw end.error;
  }
  for (const deployed of await store.withStatus('deployed')) {
    await storeAgain(context, withStatus(deployed, 'superseded'));
  }
  await storeAgain(context, withStatus(end.release, 'deployed'));
}
