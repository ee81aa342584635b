// Owns the checks of an object before it is stored: metadata, immutable fields, and the validators of its kind. The
// rules of custom resources are crd/validate.ts; tables of built-in kinds are schema/.
import type { Core, WriteRequest } from '../core.ts';
import { validateCustom } from '../crd/validate.ts';
import { equalJson, getKey, isRecord, type KubeObject, readPath } from '../object.ts';
import { checkBuiltin } from '../schema/checks.ts';
import { rulesOf } from '../schema/kinds.ts';
import { type FieldFault, forbiddenFault, invalidFault } from './errors.ts';
import { checkAnnotations, checkFinalizers, checkLabels, checkName } from './names.ts';

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
  if (write.resource.custom) faults.push(...validateCustom(write, object, { live, rules: core.rules }));
  else faults.push(...checkBuiltin(write.version.schema, object, { statusOnly: write.subresource === 'status' }));
  return faults;
}

function checkOwners(object: KubeObject): FieldFault[] {
  const faults: FieldFault[] = [];
  let controllers = 0;
  // The API server names no index here.
  const at = 'metadata.ownerReferences';
  for (const owner of object.metadata.ownerReferences ?? []) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (!owner[field])
        faults.push(
          invalidFault(
            `${at}.${field}`,
            owner[field] ?? '',
            field === 'apiVersion' ? 'version must not be empty' : 'must not be empty',
          ),
        );
    }
    if (owner.controller) controllers++;
  }
  if (controllers > 1) {
    faults.push(
      invalidFault(
        'metadata.ownerReferences',
        object.metadata.ownerReferences,
        'Only one reference can have Controller set to true',
      ),
    );
  }
  return faults;
}

/** Faults of a change: fields that must stay as they are. */
export function checkUpdate(_core: Core, write: WriteRequest, next: KubeObject, live: KubeObject): FieldFault[] {
  if (write.subresource !== '') return [];
  const faults: FieldFault[] = [];
  const rules = rulesOf(write.resource);
  for (const { path, message = 'field is immutable' } of rules.immutable ?? []) {
    const steps = path.split('.');
    const now = readPath(next, steps);
    if (!equalJson(readPath(live, steps), now)) faults.push(invalidFault(path, now ?? null, message));
  }
  if (rules.mutableSpec && !equalJson(frozen(live, rules.mutableSpec.fields), frozen(next, rules.mutableSpec.fields))) {
    faults.push(forbiddenFault('spec', rules.mutableSpec.message));
  }
  if (readPath(live, ['immutable']) === true) faults.push(...checkSealed(next, live));
  if (live.metadata.deletionTimestamp !== undefined) faults.push(...checkNewFinalizers(next, live));
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

function checkNewFinalizers(next: KubeObject, live: KubeObject): FieldFault[] {
  const before = live.metadata.finalizers ?? [];
  const added = (next.metadata.finalizers ?? []).filter((name) => !before.includes(name));
  if (added.length === 0) return [];
  const list = added.map((name) => JSON.stringify(name)).join(', ');
  return [
    forbiddenFault(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
    ),
  ];
}
