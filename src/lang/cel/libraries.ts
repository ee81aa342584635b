// Owns which functions an expression has: Flux's set, and Kubernetes' for validation rules.
import { Library } from './function.ts';
import { listFunctions } from './functions/lists.ts';
import { networkFunctions } from './functions/network.ts';
import { quantityFunctions } from './functions/quantity.ts';
import { semverFunctions } from './functions/semver.ts';
import { standardFunctions } from './functions/standard.ts';
import { stringFunctions } from './functions/strings.ts';
import { timeFunctions } from './functions/time.ts';

/** What Flux gives its expressions: optional types, strings, sets, encoders (flux.md §4.12). */
export const fluxLibrary = new Library([...standardFunctions(), ...timeFunctions(), ...stringFunctions()]);

/** What the API server gives rules of custom resources. */
export const kubernetesLibrary = new Library([
  ...standardFunctions(),
  ...timeFunctions(),
  ...stringFunctions(),
  ...listFunctions(),
  ...networkFunctions(),
  ...quantityFunctions(),
  ...semverFunctions(),
]);
