// Owns the validation of custom resources against their version's schema and its rules. Pure.
import type { WriteRequest } from '../core.ts';
import type { KubeObject } from '../object.ts';
import type { FieldFault } from '../rest/errors.ts';
import { checkRules, type RuleEngine } from './rules.ts';
import { validateValue } from './schema-validate.ts';

/** Faults of a custom resource. `live` is the object before the change; rules run when the schema holds. */
export function validateCustom(
  write: WriteRequest,
  object: KubeObject,
  context: { readonly live: KubeObject | undefined; readonly rules: RuleEngine | undefined },
): FieldFault[] {
  const { metadata: _, apiVersion: __, kind: ___, ...body } = object;
  const faults = validateValue(write.version.schema, body, '');
  if (faults.length > 0 || context.rules === undefined) return faults;
  return checkRules(context.rules, write.version.schema, { self: object, old: context.live });
}
