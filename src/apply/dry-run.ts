// Owns the question what an apply of one object would do: reads the live object, asks the server for a dry-run and
// compares (flux.md §4.8 steps 1-6). Writing is apply.ts.

import { forceKey, ssaKey } from '../api/meta/keys.ts';
import type { KubeObject, ObjectReference } from '../api/meta/object.ts';
import { ApiError, hasStatus, isAlreadyExists, isClientError } from '../cluster/api-error.ts';
import type { DynamicClient } from '../cluster/client.ts';
import type { JsonValue } from '../lib/json.ts';
import { abridge, isAbridged } from '../objects/abridge.ts';
import { type Manifest, namespaceOf } from '../objects/manifest.ts';
import { normalizeForApply } from '../objects/normalize.ts';
import { applyExclusion, hasPolicy, ownExclusion } from '../objects/policy.ts';
import { differs, gainsFields } from '../plan/compare.ts';
import { type JsonPatchOperation, migrateVersionPatch, type TakenManager, takeOverPatch } from '../plan/take-over.ts';
import { dryRunError, migrateError, namespaceMissing } from './apply-error.ts';

export interface DryRunOptions {
  readonly client: DynamicClient;
  readonly manager: string;
  /** Recreate on a change of immutable fields, for all objects. */
  readonly force: boolean;
  readonly takenManagers: readonly TakenManager[];
  /** Write the desired API version into managedFields before the dry-run. @default false */
  readonly migrateApiVersion?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Ends writes that are under way. Where it is another one than `signal`, which ends all else, they are waited for: a
   * write that is given up may arrive later.
   */
  readonly writeSignal?: AbortSignal | undefined;
  /** Names the owner of a live object that is somebody else's; such an object is left alone. */
  readonly otherOwner?: ((live: Manifest) => string | undefined) | undefined;
  /**
   * The live object as a cache has it, with digests in place of large values (objects/abridge.ts); undefined when no cache
   * has it. It need not be the newest: what it is compared with says which version that must be.
   */
  readonly cached?: ((desired: Manifest) => Promise<Manifest | undefined>) | undefined;
  /** True for an object that is most likely not there yet: then nothing is read before its dry-run. */
  readonly isNew?: ((desired: Manifest) => boolean) | undefined;
  /** Adapts the desired object to the live one before it is sent: the drift-ignore rules. Absent: as it is. */
  readonly adapt?: ((desired: Manifest, live: Manifest) => AdaptedObject) | undefined;
}

/** What drift-ignore rules make of an object: what to send, and both sides as they are compared. */
export interface AdaptedObject {
  readonly send: Manifest;
  readonly compare: (live: Manifest, dryRun: Manifest) => boolean;
}

/** What an apply of one object would do. */
export type PlannedObject = {
  readonly desired: Manifest;
  readonly live: Manifest | undefined;
} /** `owner`: it is left to somebody else, who is named. */ & (
  | { readonly action: 'skip'; readonly because: string; readonly owner?: string }
  | { readonly action: 'unchanged' }
  | { readonly action: 'create' }
  | { readonly action: 'configure'; readonly takeOver: readonly JsonPatchOperation[] | undefined }
  | { readonly action: 'recreate' }
);

/**
 * Plans one object. Throws `ApplyError`. No content is written, a forced deletion neither. Ownership may be: a list
 * item that kubectl changed the key of stands beside ours until it is ours too, and a server that refuses both (two
 * ports of one name) would refuse for ever.
 */
export async function dryRunObject(
  input: Manifest,
  options: DryRunOptions,
  isSecondTry = false,
): Promise<PlannedObject> {
  const { client } = options;
  const normalized = normalizeForApply(input);
  await checkPlace(normalized, options);
  const foreseen = isSecondTry ? undefined : await foresee(normalized, options);
  if (foreseen !== undefined && versionOf(foreseen.dryRun) === undefined) {
    return { desired: normalized, live: undefined, action: 'create' };
  }
  const found = foreseen?.live ?? (await readLive(normalized, options));
  const because = applyExclusion(normalized, found);
  if (because !== undefined) return { desired: normalized, live: found, action: 'skip', because };
  const owner = found === undefined ? undefined : options.otherOwner?.(found);
  if (owner !== undefined) {
    return { desired: normalized, live: found, action: 'skip', because: `belongs to ${owner}`, owner };
  }
  const live = found === undefined ? undefined : await migrated(normalized, found, options);
  const adapted = live === undefined ? undefined : options.adapt?.(normalized, live);
  const desired = adapted?.send ?? normalized;
  const merges = hasPolicy(desired, ssaKey, 'Merge') || hasPolicy(live, ssaKey, 'Merge');
  const takeOver =
    merges || live === undefined ? undefined : takeOverPatch(live, options.manager, options.takenManagers);
  let dryRun: Manifest;
  try {
    const isForeseen = desired === normalized && live !== undefined && versionOf(live) === versionOf(foreseen?.dryRun);
    dryRun = isForeseen ? foreseen!.dryRun : await sendDryRun(desired, options);
  } catch (error) {
    if (takeOver !== undefined && !isSecondTry && isRefusal(error)) {
      await client.patch(
        liveReference(desired),
        { type: 'json', body: takeOver },
        { fieldManager: options.manager, signal: options.writeSignal },
      );
      return dryRunObject(input, options, true);
    }
    if (live !== undefined && (await isProvenImmutable(desired, live, error, options))) {
      return { desired, live, action: 'recreate' };
    }
    throw dryRunError(desired, error);
  }
  if (live === undefined) return { desired, live, action: 'create' };
  const isShort = live === foreseen?.live && isAbridged(live.kind);
  const isOther = isShort ? differs(abridge(live), abridge(dryRun)) : (adapted?.compare ?? differs)(live, dryRun);
  if (takeOver !== undefined || isOther || gainsFields(live, dryRun, options.manager)) {
    return { desired, live, action: 'configure', takeOver };
  }
  // The values that the cache left out are those of the dry-run.
  return { desired, live: isShort ? { ...dryRun, metadata: live.metadata } : live, action: 'unchanged' };
}

/** A dry-run that was asked for first, and the live object that it was made of, if a cache has it. */
interface Foreseen {
  readonly dryRun: Manifest;
  readonly live: Manifest | undefined;
}

/**
 * Asks for the dry-run before anything is read. Its answer has the version of the live object, and none where there is
 * none: what is new needs no read, and what a cache has in that version neither. Undefined where the live object has a
 * say in what is sent or whether it is, or where the server refuses: then all is done in its order.
 */
async function foresee(desired: Manifest, options: DryRunOptions): Promise<Foreseen | undefined> {
  if (options.adapt !== undefined || ownExclusion(desired) !== undefined) return undefined;
  const cached = await options.cached?.(desired);
  if (cached === undefined && options.isNew?.(desired) !== true) return undefined;
  if (applyExclusion(desired, cached) !== undefined) return undefined;
  if (cached !== undefined && options.otherOwner?.(cached) !== undefined) return undefined;
  try {
    const dryRun = await sendDryRun(desired, options);
    const isSame = cached !== undefined && versionOf(cached) === versionOf(dryRun);
    return { dryRun, live: isSame ? cached : undefined };
  } catch (error) {
    if (isClientError(error)) return undefined;
    throw dryRunError(desired, error);
  }
}

async function sendDryRun(desired: Manifest, { client, manager, signal }: DryRunOptions): Promise<Manifest> {
  return asManifest(
    await client.apply(asKubeObject(desired), { fieldManager: manager, force: true, dryRun: true, signal }),
  );
}

function versionOf(object: Manifest | undefined): JsonValue | undefined {
  return object?.metadata['resourceVersion'];
}

/** The live object with the API version of the desired one in its managedFields. */
async function migrated(desired: Manifest, live: Manifest, options: DryRunOptions): Promise<Manifest> {
  const patch = options.migrateApiVersion === true ? migrateVersionPatch(live, desired.apiVersion) : undefined;
  if (patch === undefined) return live;
  const { client, manager: fieldManager, writeSignal: signal } = options;
  try {
    return asManifest(
      await client.patch(liveReference(desired), { type: 'json', body: patch }, { fieldManager, signal }),
    );
  } catch (error) {
    throw migrateError(desired, error);
  }
}

/** Throws where the kind is not served, or the object has no namespace and needs one. */
async function checkPlace(desired: Manifest, { client, signal }: DryRunOptions): Promise<void> {
  const mapping = await client.discovery.resolve(desired, signal).catch((error: unknown) => {
    throw dryRunError(desired, error);
  });
  if (mapping.namespaced && namespaceOf(desired) === '') throw namespaceMissing(desired);
}

async function readLive(desired: Manifest, { client, signal }: DryRunOptions): Promise<Manifest | undefined> {
  try {
    const found = await client.find(liveReference(desired), { signal });
    return found === undefined ? undefined : asManifest(found);
  } catch (error) {
    throw dryRunError(desired, error);
  }
}

function isRefusal(error: unknown): boolean {
  return hasStatus(error, 409) || hasStatus(error, 422);
}

const IMMUTABLE = /is immutable|immutable field|may not be changed|updates to .* are forbidden|cannot change/i;

/**
 * True when force is asked for and nothing but an immutable field stands in the way. Flux takes any refusal for
 * that and deletes the live object even when the new one is plainly invalid; here a dry-run of a create must pass.
 */
async function isProvenImmutable(
  desired: Manifest,
  live: Manifest,
  error: unknown,
  options: DryRunOptions,
): Promise<boolean> {
  const forced = options.force || hasPolicy(desired, forceKey, 'enabled') || hasPolicy(live, forceKey, 'enabled');
  if (!forced || !(error instanceof ApiError)) return false;
  if (!isRefusal(error) && !IMMUTABLE.test(error.message)) return false;
  try {
    // The server validates a create before it looks whether the name is taken.
    await options.client.create(asKubeObject(desired), { dryRun: true, signal: options.signal });
    return true;
  } catch (refusal) {
    return isAlreadyExists(refusal);
  }
}

/** The reference that reads the live object of a manifest. */
export function liveReference(manifest: Manifest): ObjectReference {
  const namespace = namespaceOf(manifest);
  const base = { apiVersion: manifest.apiVersion, kind: manifest.kind, name: manifest.metadata.name };
  return namespace === '' ? base : { ...base, namespace };
}

/** The same object in the client's type: both describe plain JSON. */
export function asKubeObject(manifest: Manifest): KubeObject {
  return manifest as unknown as KubeObject;
}

export function asManifest(object: KubeObject): Manifest {
  return object as unknown as Manifest;
}
