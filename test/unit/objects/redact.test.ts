import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskSecrets } from '../../../src/objects/redact.ts';

describe('maskSecrets', () => {
  it('masks each occurrence', () => {
    expect(maskSecrets('a s3cr3t and s3cr3t again', ['s3cr3t'])).toBe('a ***** and ***** again');
  });

  it('masks a value within another one as a whole', () => {
    expect(maskSecrets('got password123', ['password', 'password123'])).toBe('got *****');
  });

  it('masks escaped and encoded forms and single lines', () => {
    expect(maskSecrets('json "a\\"bcd"', ['a"bcd'])).toBe('json "*****"');
    expect(maskSecrets(`data ${btoa('s3cr3t')}`, ['s3cr3t'])).toBe('data *****');
    expect(maskSecrets('line second-line', ['first\nsecond-line'])).toBe('line *****');
  });

  it('leaves the text alone for empty values and takes replacement patterns literally', () => {
    expect(maskSecrets('same $& text', ['', '$&'])).toBe('same ***** text');
    expect(maskSecrets('text', [''])).toBe('text');
  });

  it('hides a short value only where it stands alone', () => {
    expect(maskSecrets("main@sha1:a1 is '1', not 1", ['1'])).toBe("main@sha1:a1 is '*****', not *****");
  });

  it('never leaves a value that it was given', () => {
    const value = fc.string({ minLength: 4 }).filter((text) => !/^\*+$/.test(text));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), fc.string(), (values, filler) => {
        const masked = maskSecrets(values.join(filler), values);

        for (const one of values) if (!'*****'.includes(one) && !one.includes('*')) expect(masked).not.toContain(one);
      }),
    );
  });
});
