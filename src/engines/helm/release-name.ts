// Owns what a release may be called.
import { goQuote } from '../../lib/goquote.ts';
import type { Compat } from './compat.ts';
import { HelmError } from './errors.ts';

const MAX_LENGTH = 53;
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Throws HelmError `NameInvalid` unless the name can be a release's. */
export function checkReleaseName(name: string, compat: Compat): void {
  if (name !== '' && name.length <= MAX_LENGTH && NAME.test(name)) return;
  const problem =
    name === ''
      ? 'no name provided'
      : `invalid release name, must match regex ${NAME.source} and the length must not be longer than ${MAX_LENGTH}`;
  const prefix = compat === 'helm4' ? 'release name check failed: ' : '';
  throw new HelmError('NameInvalid', `${prefix}release name ${goQuote(name)}: ${problem}`, {});
}
