// Owns the checks of an object before it is stored: metadata, immutable fields, and the validators of its kind. The
// rules of custom resources are crd/validate.ts; tables of built-in kinds are schema/.
import type { Core, WriteRequest } from '../core.ts';
import { validateCustom } from '../crd/validate.ts';
import { equalJson, getKey, isRecord, type KubeObject, type ObjectMeta, readPath } from '../object.ts';
import { checkChange } from '../schema/change-rules.ts';
import { checkBuiltin } from '../schema/checks.ts';
import { rulesOf } from '../schema/kinds.ts';
import { toStorage } from './convert.ts';
import { type FieldFault, forbiddenFault, invalidFault } from './errors.ts';
import { checkAnnotations, checkCoreFinalizers, checkFinalizers, checkLabels, checkName } from './names.ts';

/** Faults of an object by itself. */
export function checkObject(core: Core, write: WriteRequest, object: KubeObject, live?: KubeObject): FieldFault[] {
  const { metadata } = object;
  const faults = live === undefined ? checkName(write.resource, metadata.name, metadata.generateName) : [];
  faults.push(
    ...checkLabels(metadata.labels, 'metadata.labels'),
    ...checkAnnotations(metadata.annotations, 'metadata.annotations'),
    ...checkFinalizers(metadata.finalizers),
    ...checkOwners(object),
  );
  // The one built-in group whose validation does not ask for it is policy.
  if (!write.resource.custom && write.resource.group !== 'policy')
    faults.push(...checkCoreFinalizers(metadata.finalizers, 'metadata.finalizers'));
  if (write.subresource === 'finalize') {
    const finalizers = readPath(object, ['spec', 'finalizers']) as readonly string[] | undefined;
    faults.push(...checkCoreFinalizers(finalizers, 'spec.finalizers'));
  }
  if (write.resource.custom) faults.push(...validateCustom(write, object, { live, rules: core.rules }));
  else faults.push(...checkStored(write, object));
  return faults;
}

/** The rules of built-in kinds are those of the stored version. */
function checkStored({ resource, subresource }: WriteRequest, object: KubeObject): FieldFault[] {
  const { schema } = resource.versions.get(resource.storageVersion)!;
  return checkBuiltin(schema, toStorage(resource, object), { statusOnly: subresource === 'status' });
}

function checkOwners(object: KubeObject): FieldFault[] {
  const faults: FieldFault[] = [];
  const controllers: string[] = [];
  // The API server names no index here.
  const at = 'metadata.ownerReferences';
  for (const owner of object.metadata.ownerReferences ?? []) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (!owner[field] || (field === 'apiVersion' && owner[field].split('/').length > 2))
        faults.push(
          invalidFault(
            `${at}.${field}`,
            owner[field] ?? '',
            field === 'apiVersion' ? 'version must not be empty' : 'must not be empty',
          ),
        );
    }
    if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
      faults.push(invalidFault(at, owner, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (owner.controller) controllers.push(`${owner.kind}/${owner.name}`);
  }
  if (controllers.length > 1) {
    const found = `Found "true" in references for ${controllers[0]} and ${controllers[1]}`;
    const why = `Only one reference can have Controller set to true. ${found}`;
    faults.push(invalidFault(at, object.metadata.ownerReferences, why));
  }
  return faults;
}

/** Faults of what a change does to metadata that only the server writes. */
export function checkMetaUpdate({ metadata: next }: KubeObject, { metadata: live }: KubeObject): FieldFault[] {
  const faults = live.deletionTimestamp === undefined ? [] : checkNewFinalizers(next, live);
  const fixed = (field: 'uid' | 'deletionTimestamp' | 'deletionGracePeriodSeconds'): void => {
    const value = next[field];
    if (value === undefined || value === null || value === '' || value === live[field]) return;
    faults.push(invalidFault(`metadata.${field}`, value, 'field is immutable'));
  };
  fixed('uid');
  if (live.deletionTimestamp === undefined) fixed('deletionTimestamp');
  fixed('deletionGracePeriodSeconds');
  return faults;
}

/** Faults of a change: fields that must stay as they are. */
export function checkUpdate(write: WriteRequest, next: KubeObject, live: KubeObject): FieldFault[] {
  if (write.subresource !== '') return [];
  const faults: FieldFault[] = [];
  const rules = rulesOf(write.resource);
  for (const { path, message = 'field is immutable', forbidden, shown } of rules.immutable ?? []) {
    const steps = path.split('.');
    const now = readPath(next, steps) ?? null;
    if (equalJson(readPath(live, steps) ?? null, now)) continue;
    if (forbidden) faults.push(forbiddenFault(path, message));
    else faults.push(invalidFault(path, shown && now !== null ? shown(now) : now, message));
  }
  if (rules.mutableSpec && !equalJson(frozen(live, rules.mutableSpec.fields), frozen(next, rules.mutableSpec.fields))) {
    faults.push(forbiddenFault('spec', rules.mutableSpec.message));
  }
  if (!write.resource.custom) {
    faults.push(...checkChange(`${write.resource.group}/${write.resource.kind}`, next, live));
  }
  if (readPath(live, ['immutable']) === true) faults.push(...checkSealed(next, live));
  return faults;
}

function frozen(object: KubeObject, mutable: readonly string[]): Record<string, unknown> {
  const spec = object['spec'];
  if (!isRecord(spec)) return {};
  return Object.fromEntries(Object.entries(spec).filter(([key]) => !mutable.includes(key)));
}

/** ConfigMaps and Secrets that say `immutable: true`. */
function checkSealed(next: KubeObject, live: KubeObject): FieldFault[] {
  const faults: FieldFault[] = [];
  if (getKey(next, 'immutable') !== true)
    faults.push(forbiddenFault('immutable', 'field is immutable when `immutable` is set'));
  for (const field of ['data', 'binaryData', 'stringData']) {
    if (!equalJson(getKey(live, field) ?? {}, getKey(next, field) ?? {})) {
      faults.push(forbiddenFault(field, 'field is immutable when `immutable` is set'));
    }
  }
  return faults;
}

function checkNewFinalizers(next: ObjectMeta, live: ObjectMeta): FieldFault[] {
  const before = live.finalizers ?? [];
  const added = (next.finalizers ?? []).filter((name) => !before.includes(name));
  if (added.length === 0) return [];
  const list = added.map((name) => JSON.stringify(name)).join(', ');
  return [
    forbiddenFault(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
    ),
  ];
}
