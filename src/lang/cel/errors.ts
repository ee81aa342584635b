// Owns the errors of CEL expressions, in cel-go's words where it has them.
import { CodedError } from '../../lib/errors.ts';

/**
 * Codes: `CelInvalid` (does not parse or check), `CelFailed` (an evaluation has no result), `CelLimit` (too much work).
 */
export class CelError extends CodedError<'CelInvalid' | 'CelFailed' | 'CelLimit', { readonly expression?: string }> {}

export function failed(message: string): CelError {
  return new CelError('CelFailed', message, {});
}

export function noSuchOverload(): CelError {
  return failed('no such overload');
}

export function limitExceeded(what: string): CelError {
  return new CelError('CelLimit', `${what}: the expression does too much`, {});
}
