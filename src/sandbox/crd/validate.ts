// Owns the validation of custom resources against their version's schema and its rules. Pure.
import type { WriteRequest } from '../core.ts';
import { formatGoMap, goTypeOf } from '../go-values.ts';
import { getKey, isRecord, type KubeObject, readPath } from '../object.ts';
import { type FieldFault, invalidFault } from '../rest/errors.ts';
import { checkRules, hasRules, type RuleEngine } from './rules.ts';
import { validateValue } from './schema-validate.ts';

/** Faults of a custom resource. `live` is the object before the change. */
export function validateCustom(
  write: WriteRequest,
  object: KubeObject,
  context: { readonly live: KubeObject | undefined; readonly rules: RuleEngine | undefined },
): FieldFault[] {
  const faults = [...schemaFaults(write, object), ...scaleFaults(write, object)];
  const { rules } = context;
  if (rules === undefined || !hasRules(write.version.schema.raw)) return faults;
  if (faults.some(({ type }) => BLOCKING.has(type))) return [...faults, NOT_CHECKED];
  return [...faults, ...checkRules(rules, write.version.schema, { self: object, old: context.live })];
}

/** Of a status write the status alone is looked at, and messages name fields from there. */
function schemaFaults({ version, subresource }: WriteRequest, object: KubeObject): FieldFault[] {
  const { metadata: _, apiVersion: __, kind: ___, ...body } = object;
  if (subresource !== 'status') return validateValue(version.schema, body, '');
  const node = version.schema.map?.fields.get('status');
  if (node === undefined || object['status'] === undefined) return [];
  return validateValue(node, object['status'], '').map((fault) => ({
    ...fault,
    field: fault.field === '<nil>' ? 'status' : `status${fault.field.startsWith('[') ? '' : '.'}${fault.field}`,
  }));
}

const MAX_REPLICAS = 2 ** 31 - 1;

/** Faults of what the scale subresource reads. */
function scaleFaults({ version, subresource }: WriteRequest, object: KubeObject): FieldFault[] {
  const scale = version.custom?.scale;
  if (scale === undefined) return [];
  const { specReplicasPath: spec, statusReplicasPath: status, labelSelectorPath: selector } = scale;
  const faults = subresource === 'status' ? [] : replicasFaults(object, spec);
  faults.push(...replicasFaults(object, status));
  if (selector) {
    const value = valueAt(object, selector);
    if (value !== undefined && typeof value !== 'string') faults.push(accessFault(selector, '', value, 'string'));
  }
  return faults;
}

function valueAt(object: KubeObject, path: string): unknown {
  return readPath(object, path.replace(/^\./, '').split('.'));
}

function replicasFaults(object: KubeObject, path: string): FieldFault[] {
  const steps = path.replace(/^\./, '').split('.');
  let value: unknown = object;
  for (const [i, step] of steps.entries()) {
    if (!isRecord(value)) {
      const at = `.${steps.slice(0, i).join('.')}.${step}`;
      return [accessFault(path, 0, value, 'map[string]interface{}', at)];
    }
    value = getKey(value, step);
    if (value === undefined || (value === null && i < steps.length - 1)) return [];
  }
  if (typeof value !== 'bigint' && !Number.isInteger(value)) return [accessFault(path, 0, value, 'int64')];
  if (Number(value) < 0) return [invalidFault(path, value, 'should be a non-negative integer')];
  return Number(value) > MAX_REPLICAS
    ? [invalidFault(path, value, `should be less than or equal to ${MAX_REPLICAS}`)]
    : [];
}

/** A value of a Go type that is not the one wanted; the fault shows the wanted type's zero. */
function accessFault(path: string, zero: unknown, value: unknown, wanted: string, at = path): FieldFault {
  const type = value === null ? '<nil>' : goTypeOf(value);
  const why = `${at} accessor error: ${formatGoMap(value)} is of the type ${type}, expected ${wanted}`;
  return invalidFault(path, zero, why);
}

/** Faults that leave a value that rules cannot be trusted with. */
const BLOCKING: ReadonlySet<string> = new Set([
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

const NOT_CHECKED: FieldFault = {
  type: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};
