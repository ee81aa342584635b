// Owns the tests of a release: its test hooks, as `helm test` runs them (helm.md §18).
import type { HookRecord, ReleaseRecord } from '../../../engines/helm/release/record.ts';
import type { Steps } from '../wait.ts';
import { type ActionContext, storeAgain } from './context.ts';
import { runHooks } from './hooks.ts';
import { failed } from './objects.ts';

/** Runs the tests that the filters let through and stores their outcome. Throws when one fails. */
export async function* test(context: ActionContext): Steps<ReleaseRecord> {
  const last = await context.store.last();
  if (last === undefined) throw failed('release: not found', undefined);
  const end = yield* runHooks(context, last, 'test', filterOf(context));
  await storeAgain(context, end.release);
  if (end.error !== undefined) throw end.error;
  return end.release;
}

function filterOf({ spec }: ActionContext): (hook: HookRecord) => boolean {
  const filters = spec.test?.filters ?? [];
  const excluded = new Set(filters.filter((filter) => filter.exclude === true).map((filter) => filter.name));
  const included = new Set(filters.filter((filter) => filter.exclude !== true).map((filter) => filter.name));
  return ({ name }) => !excluded.has(name) && (included.size === 0 || included.has(name));
}
