// Owns the plan of one object whose manifest may name fields that the API server does not know: those of built-in kinds
// are left out, as in Flux, instead of failing the apply (flux.md §4.8 "Normalisation").
import { errorMessage } from '../lib/errors.ts';
import { formatObjectId, type Manifest, referenceOf } from '../objects/manifest.ts';
import { isTyped, undeclaredPaths, withoutField } from '../objects/undeclared.ts';
import { type DryRunOptions, dryRunObject, type PlannedObject } from './dry-run.ts';

export interface PlanOptions extends DryRunOptions {
  /** Told of fields that are left out, by the object's id. */
  readonly onUndeclared?: ((object: string, paths: readonly string[]) => void) | undefined;
}

/** A refusal names one field of each mapping: more rounds than anybody mistypes. */
const MAX_ROUNDS = 20;

/** Plans one object. Throws `ApplyError`. */
export async function planObject(input: Manifest, options: PlanOptions): Promise<PlannedObject> {
  let object = input;
  for (let round = 0; ; round += 1) {
    try {
      return await dryRunObject(object, options);
    } catch (error) {
      const paths = round < MAX_ROUNDS && isTyped(object) ? undeclaredPaths(errorMessage(error)) : [];
      const left = paths.reduce((next, path) => withoutField(next, path) ?? next, object);
      if (left === object) throw error;
      options.onUndeclared?.(formatObjectId(referenceOf(object)), paths);
      object = left;
    }
  }
}
