// Owns the objects of a release on the cluster: reading them from a manifest, marking them as Helm's, finding
// and deleting them (helm.md §18). Writing them is send.ts, waiting for them wait.ts, hooks are hooks.ts.
import { asManifest, liveReference } from '../../../apply/dry-run.ts';
import { isNotFound } from '../../../cluster/api-error.ts';
import type { DynamicClient } from '../../../cluster/client.ts';
import { installOrder } from '../../../engines/helm/manifests.ts';
import { CodedError, errorCode, errorMessage } from '../../../lib/errors.ts';
import { fromYamlDocuments } from '../../../lib/goyaml/sigs.ts';
import { isJsonObject, type JsonValue } from '../../../lib/json.ts';
import {
  annotationsOf,
  identityKey,
  isManifest,
  labelsOf,
  type Manifest,
  namespaceOf,
  referenceOf,
  withMetadata,
} from '../../../objects/manifest.ts';
import type { ReleaseTarget } from '../settings.ts';
import { toTarget, type WaitTarget } from '../wait.ts';
import type { ActionContext } from './context.ts';

/** A failure of an action in Helm's words. */
export class ActionError extends CodedError<'HelmActionFailed', { readonly objects: readonly string[] }> {}

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const RELEASE_NAME = 'meta.helm.sh/release-name';
const RELEASE_NAMESPACE = 'meta.helm.sh/release-namespace';
const POLICY = 'helm.sh/resource-policy';
const CONCURRENCY = 4;

/** The objects of a manifest as they stand in it; lists are taken apart. */
export function parseObjects(manifest: string): Manifest[] {
  return fromYamlDocuments(manifest).flatMap(flatten);
}

function flatten(value: JsonValue): Manifest[] {
  if (isJsonObject(value) && Array.isArray(value['items']) && String(value['kind']).endsWith('List')) {
    return (value['items'] as readonly JsonValue[]).flatMap(flatten);
  }
  return isManifest(value) ? [value] : [];
}

/** The objects with their namespace, in the manifest's order. Throws `ActionError` for kinds that are not served. */
export async function resolveObjects(
  objects: readonly Manifest[],
  target: ReleaseTarget,
  client: DynamicClient,
): Promise<Manifest[]> {
  const resolved: Manifest[] = [];
  for (const object of objects) {
    const mapping = await resolveKind(object, client);
    const { namespace: _own, ...metadata } = object.metadata;
    const namespace = namespaceOf(object) || target.namespace;
    resolved.push({
      ...object,
      metadata: { ...metadata, name: object.metadata.name, ...(mapping.namespaced ? { namespace } : {}) },
    });
  }
  return resolved;
}

async function resolveKind(object: Manifest, client: DynamicClient) {
  try {
    return await client.discovery.resolve(object);
  } catch (error) {
    if (errorCode(error) !== 'NoMatch') throw error;
    const where = `resource mapping not found for name: "${object.metadata.name}" namespace: "${namespaceOf(object)}"`;
    const text = `${where} from "": ${errorMessage(error)}\nensure CRDs are installed first`;
    throw failed(`unable to build kubernetes objects from release manifest: ${text}`, object, error);
  }
}

/** The objects with what says whose they are. */
export function markedAsHelms(objects: readonly Manifest[], { name, namespace }: ReleaseTarget): Manifest[] {
  const annotations = { [RELEASE_NAME]: name, [RELEASE_NAMESPACE]: namespace };
  return objects.map((object) => withMetadata(object, { labels: { [MANAGED_BY]: 'Helm' }, annotations }));
}

/** Refuses objects that are there and are not this release's. */
export async function checkOwnership(
  objects: readonly Manifest[],
  context: ActionContext,
  action: 'install' | 'update',
): Promise<void> {
  await eachOf(objects, async (object) => {
    const live = await findLive(object, context.client);
    const problems = live === undefined ? [] : ownershipProblems(live, context.target);
    if (problems.length === 0) return;
    const { kind, name, namespace } = referenceOf(object);
    const text = `${kind} "${name}" in namespace "${namespace}" exists and cannot be imported into the current release`;
    const why = `invalid ownership metadata; ${problems.join('; ')}`;
    throw failed(`Unable to continue with ${action}: ${text}: ${why}`, object);
  });
}

function ownershipProblems(live: Manifest, target: ReleaseTarget): string[] {
  const check = (what: string, values: Readonly<Record<string, string>>, key: string, wanted: string): string[] => {
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    if (value === wanted) return [];
    const found = value === undefined ? `missing key "${key}": must be set to` : `key "${key}" must equal`;
    const current = value === undefined ? '' : `: current value is "${value}"`;
    return [`${what} validation error: ${found} "${wanted}"${current}`];
  };
  const annotations = annotationsOf(live);
  return [
    ...check('label', labelsOf(live), MANAGED_BY, 'Helm'),
    ...check('annotation', annotations, RELEASE_NAME, target.name),
    ...check('annotation', annotations, RELEASE_NAMESPACE, target.namespace),
  ];
}

/** Those of the objects that are there and marked as this release's. */
export async function ownedOnes(
  objects: readonly Manifest[],
  { client, target }: Pick<ActionContext, 'client' | 'target'>,
): Promise<Manifest[]> {
  const owned: Manifest[] = [];
  for (const object of objects) {
    const live = await findLive(object, client);
    if (live !== undefined && ownershipProblems(live, target).length === 0) owned.push(object);
  }
  return owned;
}

/** Deletes objects, the last one first. What is gone already counts as deleted; answers what was there. */
export async function deleteObjects(
  objects: readonly Manifest[],
  { client }: Pick<ActionContext, 'client'>,
  options: { readonly propagation?: 'Background' | 'Foreground' | 'Orphan'; readonly keeps?: boolean } = {},
): Promise<WaitTarget[]> {
  const { propagation = 'Background', keeps = true } = options;
  const deleted: WaitTarget[] = [];
  const errors: string[] = [];
  for (const object of objects) {
    try {
      const live = await findLive(object, client);
      if (live === undefined || (keeps && isKept(live))) continue;
      const { uid } = live.metadata;
      await client.delete(liveReference(live), { propagation, ...(typeof uid === 'string' ? { uid } : {}) });
      deleted.push(toTarget(live));
    } catch (error) {
      errors.push(errorMessage(error));
    }
  }
  if (errors.length > 0) throw failed(errors.join('; '), undefined);
  return deleted;
}

/** True for objects that Helm leaves when their release goes. */
export function isKept(object: Manifest): boolean {
  return annotationsOf(object)[POLICY]?.trim().toLowerCase() === 'keep';
}

/** Objects that only the first list has. */
export function withoutThose(objects: readonly Manifest[], others: readonly Manifest[]): Manifest[] {
  const keys = new Set(others.map((other) => identityKey(referenceOf(other))));
  return objects.filter((object) => !keys.has(identityKey(referenceOf(object))));
}

/** The order in which Helm uninstalls: the reverse of its install order. */
export function inUninstallOrder(objects: readonly Manifest[]): Manifest[] {
  const rank = new Map(installOrder('helm4').map((kind, index) => [kind, index]));
  const place = (object: Manifest) => rank.get(object.kind) ?? Number.POSITIVE_INFINITY;
  return objects.toSorted((a, b) => {
    const [first, second] = [place(a), place(b)];
    return first === second ? 0 : first > second ? -1 : 1;
  });
}

/** The live object; undefined when there is none, or its kind is not served (any more). */
export async function findLive(object: Manifest, client: DynamicClient): Promise<Manifest | undefined> {
  try {
    const found = await client.find(liveReference(object));
    return found === undefined ? undefined : asManifest(found);
  } catch (error) {
    if (errorCode(error) === 'NoMatch' || isNotFound(error)) return undefined;
    throw error;
  }
}

/** Runs for a few objects at once; the first failure ends it. */
export async function eachOf(objects: readonly Manifest[], run: (object: Manifest) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < objects.length) await run(objects[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, objects.length) }, worker));
}

export function failed(message: string, object: Manifest | undefined, cause?: unknown): ActionError {
  const objects = object === undefined ? [] : [identityKey(referenceOf(object))];
  return new ActionError('HelmActionFailed', message, { objects }, { cause });
}
