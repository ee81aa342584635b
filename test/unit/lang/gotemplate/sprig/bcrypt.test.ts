import { describe, expect, it } from 'vitest';
import { bcryptHash } from '../../../../../src/lang/gotemplate/sprig/bcrypt.ts';

/** Salts of known hashes, undone from bcrypt's alphabet. */
function saltOf(hash: string): Uint8Array {
  const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const standard = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const text = [...hash.slice(7, 29)].map((char) => standard[alphabet.indexOf(char)]).join('');
  return Buffer.from(`${text}==`, 'base64').subarray(0, 16);
}

describe('bcryptHash', () => {
  // Published test vectors of the algorithm.
  it.each([
    ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy'],
    ['abc', '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i'],
  ])('%j', (password, hash) => {
    const cost = Number(hash.slice(4, 6));

    expect(bcryptHash(Buffer.from(password), saltOf(hash), cost)).toBe(hash);
  });

  it('refuses more than 72 bytes', () => {
    expect(() => bcryptHash(new Uint8Array(73), new Uint8Array(16), 4)).toThrow(
      'bcrypt: password length exceeds 72 bytes',
    );
  });
});
