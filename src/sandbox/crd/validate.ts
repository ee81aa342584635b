// Owns the validation of custom resources against their version's schema. Pure.
import type { WriteRequest } from '../core.ts';
import type { KubeObject } from '../object.ts';
import type { FieldFault } from '../rest/errors.ts';
import { validateValue } from './schema-validate.ts';

/** Faults of a custom resource. `live` is the object before the change, for rules on transitions. */
export function validateCustom(write: WriteRequest, object: KubeObject, _live: KubeObject | undefined): FieldFault[] {
  const { metadata: _, apiVersion: __, kind: ___, ...body } = object;
  return validateValue(write.version.schema, body, '');
}
