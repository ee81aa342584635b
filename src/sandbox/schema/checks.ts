// Owns the validation of built-in kinds: required fields and allowed values, as tables by type. The full rules of the
// real server are larger; these are the faults that people make. Pure.
import { getKey, isRecord, type KubeObject } from '../object.ts';
import { type FieldFault, invalidFault, requiredFault, unsupportedFault } from '../rest/errors.ts';
import { checkLabels } from '../rest/names.ts';
import { BUILTIN_CHECKS } from './check-rules.ts';
import type { SchemaNode } from './node.ts';

/** Faults of a built-in object; with `statusOnly` only below status. */
export function checkBuiltin(
  node: SchemaNode,
  object: KubeObject,
  options: { readonly statusOnly: boolean },
): FieldFault[] {
  const faults: FieldFault[] = [];
  if (options.statusOnly) {
    const status = node.map?.fields.get('status');
    if (status) walk(status, object['status'], 'status', faults);
    return faults;
  }
  walk(node, object, '', faults);
  // The volumes of a StatefulSet's claims are only in its pods; the real server does not look for them here either.
  if (object.kind === 'StatefulSet') return faults.filter(({ type }) => type !== 'FieldValueNotFound');
  return faults;
}

function walk(node: SchemaNode, value: unknown, path: string, faults: FieldFault[]): void {
  if (Array.isArray(value)) {
    const items = node.list?.items;
    if (items) for (const [i, item] of value.entries()) walk(items, item, `${path}[${i}]`, faults);
    return;
  }
  if (!isRecord(value) || node.map === undefined) return;
  const rules = BUILTIN_CHECKS[node.definition];
  if (rules) {
    const prefix = path === '' ? '' : `${path}.`;
    for (const field of rules.required ?? []) {
      const present = getKey(value, field);
      if (isAbsent(present)) faults.push(requiredFault(prefix + field, rules.details?.[field]));
    }
    for (const [field, allowed] of Object.entries(rules.oneOf ?? {})) {
      const present = getKey(value, field);
      if (typeof present === 'string' && present !== '' && !allowed.includes(present))
        faults.push(unsupportedFault(prefix + field, present, allowed));
    }
    for (const field of rules.notNegative ?? []) {
      const present = getKey(value, field);
      if (typeof present === 'number' && present < 0)
        faults.push(invalidFault(prefix + field, present, 'must be greater than or equal to 0'));
    }
    for (const field of rules.port ?? []) {
      const present = getKey(value, field);
      if (typeof present === 'number' && present === 0 && rules.required?.includes(field))
        faults.push(requiredFault(prefix + field));
      else if (typeof present === 'number' && (present < 1 || present > 65535)) {
        faults.push(invalidFault(prefix + field, present, 'must be between 1 and 65535, inclusive'));
      }
    }
    if (rules.extra) faults.push(...rules.extra(value, path));
  }
  // The object's own metadata was checked before; a template's labels were not.
  if (node.typeName === 'ObjectMeta') {
    if (path !== 'metadata')
      faults.push(...checkLabels(getKey(value, 'labels') as Record<string, string> | undefined, `${path}.labels`));
    return;
  }
  for (const key of Object.keys(value)) {
    if (path === '' && key === 'status') continue;
    const item = getKey(value, key);
    if (typeof item !== 'object' || item === null) continue;
    const field = node.map.fields.get(key);
    if (field) walk(field, item, path === '' ? key : `${path}.${key}`, faults);
    else if (node.map.values) walk(node.map.values, item, `${path}[${key}]`, faults);
  }
}

function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return Array.isArray(value) && value.length === 0;
}
