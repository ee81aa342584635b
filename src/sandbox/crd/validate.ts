// Owns the validation of custom resources against their version's schema and its rules. Pure.
import type { WriteRequest } from '../core.ts';
import type { KubeObject } from '../object.ts';
import type { FieldFault } from '../rest/errors.ts';
import { checkRules, hasRules, type RuleEngine } from './rules.ts';
import { validateValue } from './schema-validate.ts';

/** Faults of a custom resource. `live` is the object before the change. */
export function validateCustom(
  write: WriteRequest,
  object: KubeObject,
  context: { readonly live: KubeObject | undefined; readonly rules: RuleEngine | undefined },
): FieldFault[] {
  const { metadata: _, apiVersion: __, kind: ___, ...body } = object;
  const faults = validateValue(write.version.schema, body, '');
  const { rules } = context;
  if (rules === undefined || !hasRules(write.version.schema.raw)) return faults;
  if (faults.some(({ type }) => BLOCKING.has(type))) return [...faults, NOT_CHECKED];
  return [...faults, ...checkRules(rules, write.version.schema, { self: object, old: context.live })];
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
