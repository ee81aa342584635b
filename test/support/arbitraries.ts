// Owns fast-check arbitraries that several tests share.
import fc from 'fast-check';

const SURROGATES = 0x800;
const FIRST_SURROGATE = 0xd800;

/**
 * Texts of any code points, well formed. fast-check's own unit `binary` builds a table of all 1.1 million first: a second
 * of CPU.
 */
export function anyText(): fc.Arbitrary<string> {
  const unit = fc
    .integer({ min: 0, max: 0x10ffff - SURROGATES })
    .map((number) => String.fromCodePoint(number < FIRST_SURROGATE ? number : number + SURROGATES));
  return fc.string({ unit });
}
