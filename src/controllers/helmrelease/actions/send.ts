// Owns the writing of a release's objects: applied by the server, or patched or replaced from the client's side as Helm 3
// does it (helm.md §18). Which objects there are is objects.ts, the patches are plan/client-side.ts.
import type { ApplyMode } from '../../../api/helm/helmrelease.ts';
import { applyStages } from '../../../apply/apply.ts';
import { asKubeObject, asManifest, liveReference } from '../../../apply/dry-run.ts';
import type { Patch, WriteOptions } from '../../../cluster/client.ts';
import type { ReleaseRecord } from '../../../engines/helm/release/record.ts';
import { errorMessage } from '../../../lib/errors.ts';
import { identityKey, type Manifest, referenceOf } from '../../../objects/manifest.ts';
import { normalizeForApply } from '../../../objects/normalize.ts';
import { patchTypeOf } from '../../../objects/schema/patch-schema.ts';
import { jsonMergePatch, strategicMergePatch, type ThreeWays } from '../../../plan/client-side.ts';
import { sameJson } from '../../../plan/compare.ts';
import { type TakenManager, takenManagers } from '../../../plan/take-over.ts';
import { fieldManager } from '../ports.ts';
import type { ActionContext } from './context.ts';
import { eachOf, failed, findLive } from './objects.ts';

const CONCURRENCY = 4;

/** What applied releases on the client's side: its fields become ours when a release moves over. */
const clientSideManagers: readonly TakenManager[] = [...takenManagers, { prefix: 'helm', operations: ['Update'] }];

/** Who merges: the server (`ssa`) or the client (`csa`). */
export type ApplyMethod = NonNullable<ReleaseRecord['apply_method']>;

/** How objects are sent. */
export interface SendOptions {
  readonly method: ApplyMethod;
  /** Whether the server refuses fields that it does not know. */
  readonly strict: boolean;
  /** Replace objects that are there rather than patch them; only on the client's side. */
  readonly force?: boolean;
}

/** How a release is sent on: as the spec says, or as the one that it follows was sent. Helm 3 never says how it was. */
export function methodOf(mode: ApplyMode | undefined, before: ReleaseRecord): ApplyMethod {
  if (mode === 'enabled') return 'ssa';
  return mode === 'disabled' ? 'csa' : (before.apply_method ?? 'csa');
}

/** Creates the objects, or changes those that are there, kind after kind. Answers them as they are now. */
export async function sendObjects(
  objects: readonly Manifest[],
  context: ActionContext,
  options: SendOptions,
): Promise<Manifest[]> {
  const sent = new Map<Manifest, Manifest>();
  for (const group of byKind(objects)) {
    await eachOf(group, async (object) => {
      sent.set(
        object,
        await (options.method === 'ssa' ? apply(object, context, options) : patch(object, context, options)),
      );
    });
  }
  return objects.map((object) => sent.get(object)!);
}

/** Objects of a release before and after it changes. */
export interface ObjectChange {
  readonly objects: readonly Manifest[];
  readonly old: readonly Manifest[];
  /** How they were sent so far. */
  readonly before: ApplyMethod | undefined;
}

/**
 * Sends what a release has now. An object that is rendered as before is only compared with what is live, so that an
 * upgrade which changes nothing writes nothing.
 */
export async function changeObjects(
  context: ActionContext,
  { objects, old, before }: ObjectChange,
  options: SendOptions,
): Promise<Manifest[]> {
  if (options.method === 'csa') return patchObjects(objects, old, context, options);
  const isCompared = (object: Manifest) => before !== 'ssa' || old.some((other) => sameJson(object, other));
  const result: Manifest[] = [];
  for (let at = 0; at < objects.length; ) {
    const compares = isCompared(objects[at]!);
    const end = objects.findIndex((object, index) => index > at && isCompared(object) !== compares);
    const group = objects.slice(at, end < 0 ? undefined : end);
    result.push(...(compares ? await correctObjects(group, context) : await sendObjects(group, context, options)));
    at += group.length;
  }
  return result;
}

async function apply(object: Manifest, { client }: ActionContext, options: SendOptions): Promise<Manifest> {
  try {
    return asManifest(
      await client.apply(asKubeObject(object), { ...writeOptions(options), fieldManager, force: true }),
    );
  } catch (error) {
    const { namespace, name, kind } = referenceOf(object);
    const what = `${namespace}/${name} ${object.apiVersion}, Kind=${kind}`;
    throw failed(`server-side apply failed for object ${what}: ${errorMessage(error)}`, object, error);
  }
}

/** Applies what differs from what is live, and nothing else; fields of Helm's client side become ours. */
async function correctObjects(objects: readonly Manifest[], context: ActionContext): Promise<Manifest[]> {
  const { changes, errors } = await applyStages([{ name: 'rest', objects, wait: false }], {
    client: context.client,
    clock: context.clock,
    manager: fieldManager,
    force: false,
    takenManagers: clientSideManagers,
    concurrency: CONCURRENCY,
  });
  if (errors[0] !== undefined) throw failed(errorMessage(errors[0]), objects[0], errors[0]);
  return changes.map((change) => change.object ?? change.desired);
}

/** Patches one after the other. As in Helm, one that fails does not keep the others back. */
async function patchObjects(
  objects: readonly Manifest[],
  old: readonly Manifest[],
  context: ActionContext,
  options: SendOptions,
): Promise<Manifest[]> {
  const before = new Map(old.map((object) => [identityKey(referenceOf(object)), object]));
  const result: Manifest[] = [];
  const errors: Error[] = [];
  for (const object of objects) {
    try {
      result.push(await patch(object, context, options, before.get(identityKey(referenceOf(object)))));
    } catch (error) {
      errors.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  if (errors.length === 0) return result;
  throw failed(errors.map(errorMessage).join(' && '), undefined, errors[0]);
}

/** Creates an object, or patches the live one to what changed since `old`. One that is taken over has no `old`. */
async function patch(
  object: Manifest,
  { client }: ActionContext,
  options: SendOptions,
  old?: Manifest,
): Promise<Manifest> {
  const { kind, metadata } = object;
  const how = writeOptions(options);
  const live = await findLive(object, client);
  if (live === undefined) return create(object, { client }, how);
  if (options.force === true) return replace(object, live, { client }, how);
  try {
    const change = patchFor(object, live, old);
    return Object.keys(change.body).length === 0
      ? live
      : asManifest(await client.patch(liveReference(live), change, how));
  } catch (error) {
    throw failed(`cannot patch "${metadata.name}" with kind ${kind}: ${errorMessage(error)}`, object, error);
  }
}

function patchFor(object: Manifest, live: Manifest, old: Manifest | undefined): Patch {
  const desired = normalizeForApply(object);
  const ways: ThreeWays = { old: old === undefined ? desired : normalizeForApply(old), desired, live };
  const type = patchTypeOf(object.apiVersion, object.kind);
  if (type === undefined) return { type: 'merge', body: jsonMergePatch(ways, { adopts: old === undefined }) };
  return { type: 'strategic', body: strategicMergePatch(ways, type) };
}

async function create(
  object: Manifest,
  { client }: Pick<ActionContext, 'client'>,
  options: WriteOptions,
): Promise<Manifest> {
  try {
    return asManifest(await client.create(asKubeObject(object), options));
  } catch (error) {
    throw failed(`failed to create resource: ${errorMessage(error)}`, object, error);
  }
}

async function replace(
  object: Manifest,
  live: Manifest,
  { client }: Pick<ActionContext, 'client'>,
  options: WriteOptions,
): Promise<Manifest> {
  const { resourceVersion } = live.metadata;
  const metadata = { ...object.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  try {
    return asManifest(await client.update(asKubeObject({ ...object, metadata }), options));
  } catch (error) {
    throw failed(`failed to replace object: ${errorMessage(error)}`, object, error);
  }
}

function writeOptions({ strict }: SendOptions): WriteOptions {
  return { fieldManager, fieldValidation: strict ? 'Strict' : 'Ignore' };
}

function byKind(objects: readonly Manifest[]): Manifest[][] {
  const groups: Manifest[][] = [];
  for (const object of objects) {
    const group = groups.at(-1);
    if (group?.[0]?.kind === object.kind) group.push(object);
    else groups.push([object]);
  }
  return groups;
}
