import { describe, expect, it } from 'vitest';
import { der, derInteger, derOid, readDer, readSequence, TAG } from '../../../../../src/lang/gotemplate/sprig/der.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('DER', () => {
  it('writes lengths in the fewest bytes', () => {
    expect(hex(der(TAG.null))).toBe('0500');
    expect(hex(der(TAG.octetString, new Uint8Array(127))).slice(0, 4)).toBe('047f');
    expect(hex(der(TAG.octetString, new Uint8Array(128))).slice(0, 6)).toBe('048180');
    expect(hex(der(TAG.octetString, new Uint8Array(256))).slice(0, 8)).toBe('04820100');
  });

  it('writes non-negative integers and object identifiers', () => {
    expect(hex(derInteger(Uint8Array.of(0, 0, 0x7f)))).toBe('02017f');
    expect(hex(derInteger(Uint8Array.of(0x80)))).toBe('02020080');
    expect(hex(derInteger(Uint8Array.of()))).toBe('020100');
    expect(hex(derOid('1.2.840.113549.1.1.11'))).toBe('06092a864886f70d01010b');
  });

  it('reads what it writes', () => {
    const parts = readSequence(der(TAG.sequence, derOid('2.5.4.3'), der(TAG.octetString, new Uint8Array(300))));

    expect(parts.map(({ tag, content }) => [tag, content.length])).toEqual([
      [TAG.oid, 3],
      [TAG.octetString, 300],
    ]);
  });

  it.each([['30'], ['3005'], ['308080'], ['3085ffffffffff'], ['0401']])('refuses %s', (bytes) => {
    expect(() => readDer(Buffer.from(bytes, 'hex'))).toThrow('asn1: syntax error');
  });

  it('wants a sequence where one must be', () => {
    expect(() => readSequence(der(TAG.null))).toThrow("asn1: structure error: tags don't match");
  });
});
