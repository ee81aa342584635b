// Owns the list of sprig functions that Helm exposes: all of them but env and expandenv, and no name resolution.
import { func, type GoFunction } from '../function.ts';
import { STRING } from '../value.ts';
import { certificateFunctions } from './certificates.ts';
import { cryptoFunctions } from './crypto.ts';
import { dateFunctions } from './dates.ts';
import { dictFunctions } from './dicts.ts';
import { encodingFunctions } from './encoding.ts';
import { listFunctions } from './lists.ts';
import { numberFunctions } from './numbers.ts';
import { pathFunctions } from './paths.ts';
import { randomFunctions } from './random.ts';
import { regexFunctions } from './regex.ts';
import { stringFunctions } from './strings.ts';
import { urlFunctions } from './urls.ts';
import { valueFunctions } from './values.ts';
import { versionFunctions } from './versions.ts';

/** A new table of the functions; make one and keep it, as compiled templates belong to their table. */
export function sprigFunctions(): Map<string, GoFunction> {
  return new Map<string, GoFunction>([
    ...stringFunctions(),
    ...numberFunctions(),
    ...listFunctions(),
    ...dictFunctions(),
    ...valueFunctions(),
    ...dateFunctions(),
    ...pathFunctions(),
    ...regexFunctions(),
    ...urlFunctions(),
    ...versionFunctions(),
    ...encodingFunctions(),
    ...randomFunctions(),
    ...cryptoFunctions(),
    ...certificateFunctions(),
    // Templates never reach the network: every name resolves to nothing.
    ['getHostByName', func([STRING], () => '')],
  ]);
}
