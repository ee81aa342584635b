import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/lib/errors.ts';
import { classify } from '../../../src/runtime/classify.ts';

class DomainError extends CodedError<string, Record<string, never>> {}

describe('classify', () => {
  it.each([
    ['GitUrlInvalid', 'stalled'],
    ['InvalidDuration', 'stalled'],
    ['ApiForbidden', 'transient'],
    ['GitAuthenticationRequired', 'transient'],
    ['constructor', 'transient'],
  ])('%s is %s', (code, want) => {
    expect(classify(new DomainError(code, '', {}))).toBe(want);
  });

  it.each([new TypeError('x'), 'text', undefined, null, { code: 7 }])('anything else is transient: %s', (thrown) => {
    expect(classify(thrown)).toBe('transient');
  });
});
