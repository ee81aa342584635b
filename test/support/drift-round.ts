// Owns one round of the drift suites: every kind of edit once, in seeded order, each put back or rightly left alone, and
// what it took: times for people to read, writes to be counted.
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { gitRepository, kustomization } from './build.ts';
import type { ClusterUse } from './cluster.ts';
import {
  contentOf,
  contentTypes,
  type DriftEdit,
  driftEdits,
  ownFieldsOf,
  worldFiles,
  worldObjects,
  worldPaths,
} from './drift-edits.ts';
import { isReady, type Live, paths, type ReconcilerUse } from './reconciler.ts';
import type { Random } from './seeded-choices.ts';

/** What an object must be like, and how often it was written to get there. */
interface Expected {
  content: unknown;
  readonly ownFields: unknown;
  putBack: number;
}

const LOOK_MS = 10;
/** Ends a wait for what is not put back: a bound on hanging, as other suites have it. */
const DEADLINE_MS = 45_000;
/** The patch that takes fields over, and the apply. */
const WRITES_PER_EDIT = 2;
/** Patches of a whole round that came too late, as a status moved the entries, and were sent again. */
const SENT_AGAIN = 5;

/** Deploys the world, makes every edit, and answers how long each took to be put back, in ms. */
export async function runDriftRound(cluster: ClusterUse, suite: ReconcilerUse, choices: Random): Promise<number[]> {
  const { namespace } = cluster;
  const repository = await suite.repository(worldFiles(namespace));
  await suite.apply(gitRepository('app', repository.url));
  await suite.apply(kustomization('app', 'app'));
  await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
  await suite.quiet();
  const expected = new Map<string, Expected>();
  for (const name of worldObjects) {
    const live = await suite.get(worldPaths[name](namespace));
    expected.set(name, { content: contentOf(live), ownFields: ownFieldsOf(live), putBack: 0 });
  }
  const before = suite.requests.length;
  const times: number[] = [];
  for (const edit of shuffled(driftEdits, choices)) {
    const time = await makeEdit(edit, expected.get(edit.object)!, cluster, suite, choices);
    if (time !== undefined) times.push(time);
  }
  await suite.quiet();
  const writes = suite.requests
    .slice(before)
    .filter(({ method, path }) => method !== 'GET' && !path.includes('dryRun='));
  for (const name of worldObjects) {
    const path = worldPaths[name](namespace);
    const { content, ownFields, putBack } = expected.get(name)!;
    const live = await suite.get(path);
    expect(contentOf(live), name).toEqual(content);
    expect(ownFieldsOf(live), name).toEqual(ownFields);
    const count = writes.filter((request) => request.path.split('?')[0] === path).length;
    expect(count, `writes of ${name}`).toBeLessThanOrEqual(putBack === 0 ? 0 : WRITES_PER_EDIT * putBack + SENT_AGAIN);
  }
  const object = await suite.get(paths.kustomization(namespace, 'app'));
  expect(object.status.conditions.map((item: Live) => item.type)).toEqual(['Ready']);
  await cluster.admin.call('PATCH', worldPaths.shared(namespace), { body: { metadata: { finalizers: null } } });
  await removeClusterScoped(cluster, suite);
  return times;
}

/** Makes an edit and waits for its fate. Answers how long it took to be put back, in ms. */
async function makeEdit(
  edit: DriftEdit,
  expected: Expected,
  cluster: ClusterUse,
  suite: ReconcilerUse,
  choices: Random,
): Promise<number | undefined> {
  const { method = 'PATCH' } = edit;
  const path = worldPaths[edit.object](cluster.namespace);
  const before = await sendEdit(edit, path, cluster, suite, choices);
  const started = performance.now();
  if (edit.fate === 'left alone') {
    expected.content = contentOf(await suite.get(path));
    return undefined;
  }
  expected.putBack += 1;
  const isBack = (live: Live | undefined): boolean =>
    live !== undefined &&
    live.metadata.resourceVersion !== before.metadata.resourceVersion &&
    (method !== 'DELETE' || live.metadata.uid !== before.metadata.uid) &&
    isDeepStrictEqual(ownFieldsOf(live), expected.ownFields) &&
    isDeepStrictEqual(contentOf(live), expected.content);
  for (;;) {
    const live = await suite.get(path);
    const took = performance.now() - started;
    if (isBack(live)) return took;
    if (took > DEADLINE_MS) throw new Error(`'${edit.name}' was not put back: ${JSON.stringify(live, null, 1)}`);
    await systemClock.sleep(LOOK_MS);
  }
}

/**
 * Sends an edit, and answers the object that it was made of. A replacement names the version that it was read at, and
 * what lockstep still writes for the edit before may come between: then it is read and made again, as people do.
 */
async function sendEdit(
  edit: DriftEdit,
  path: string,
  cluster: ClusterUse,
  suite: ReconcilerUse,
  choices: Random,
): Promise<Live> {
  const { method = 'PATCH', type = 'merge', manager, subresource } = edit;
  const query = method === 'DELETE' ? '' : `?fieldManager=${manager}${type === 'apply' ? '&force=true' : ''}`;
  const to = subresource === undefined ? path : `${path}/${subresource}`;
  for (let tries = 1; ; tries++) {
    const before = await suite.get(path);
    const body = edit.body?.(choices, before) as object | undefined;
    const answer = await cluster.admin.call(method, `${to}${query}`, {
      ...(body === undefined ? {} : { body, contentType: contentTypes[type] }),
    });
    if (answer.status === 409 && method === 'PUT' && tries < SENT_AGAIN) continue;
    expect(answer.status, `${edit.name}: ${JSON.stringify(answer.body)}`).toBe(200);
    return before;
  }
}

/** Deletes the Kustomization, so that what is in no namespace of the test goes too. */
async function removeClusterScoped(cluster: ClusterUse, suite: ReconcilerUse): Promise<void> {
  const path = paths.kustomization(cluster.namespace, 'app');
  await cluster.admin.call('DELETE', path);
  await suite.waitFor(path, (object) => object === undefined, 'gone');
}

function shuffled<T>(items: readonly T[], choices: Random): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(choices.below(rest.length), 1)[0]!);
}
