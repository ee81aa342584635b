// Owns Go's order of map keys: digits count as numbers, letters come behind all else.

const LETTER = /\p{L}/u;
const DIGIT = /\p{Nd}/u;

function isLetter(c: number): boolean {
  if (c < 128) return (c >= 65 && c <= 90) || (c >= 97 && c <= 122);
  return LETTER.test(String.fromCodePoint(c));
}

function isDigit(c: number): boolean {
  return c < 128 ? c >= 48 && c <= 57 : DIGIT.test(String.fromCodePoint(c));
}

/** Order of keys as go-yaml v2 (sigs.k8s.io/yaml) writes them. */
export function compareKeys(a: string, b: string): number {
  return compare(a, b, false);
}

/** Order of keys as go-yaml v3 writes them: behind equal digits a letter comes first. */
export function compareKeysV3(a: string, b: string): number {
  return compare(a, b, true);
}

/** Order of the bytes, as Go compares texts. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compare(a: string, b: string, lettersAfterDigits: boolean): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  let i = 0;
  while (i < shorter && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  // Do not cut a surrogate pair.
  if (i > 0 && (a.charCodeAt(i - 1) & 0xfc00) === 0xd800) i--;
  if (i >= shorter) return a.length - b.length;
  const x = a.codePointAt(i)!;
  const y = b.codePointAt(i)!;
  const xLetter = isLetter(x);
  const yLetter = isLetter(y);
  if (xLetter && yLetter) return x - y;
  if (xLetter || yLetter) {
    const behindDigit = lettersAfterDigits && i > 0 && isDigit(a.charCodeAt(i - 1));
    return xLetter === behindDigit ? -1 : 1;
  }
  return compareDigits(a, b, i) || x - y;
}

/** Compares the numbers that begin at `i`; behind digits that are not all zero, a zero is not a leading one. */
function compareDigits(a: string, b: string, i: number): number {
  let lead = '';
  if (a[i] === '0' || b[i] === '0') {
    for (let j = i - 1; j >= 0 && isDigit(a.charCodeAt(j)); j--) {
      if (a[j] === '0') continue;
      lead = '1';
      break;
    }
  }
  const x = digitsAt(a, i);
  const y = digitsAt(b, i);
  const difference = toInt64(lead + x) - toInt64(lead + y);
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return x.length - y.length;
}

function digitsAt(text: string, from: number): string {
  let i = from;
  while (i < text.length && isDigit(text.charCodeAt(i))) i++;
  return text.slice(from, i);
}

/** As Go adds it up: wrapping around, and foreign digits by their distance from `0`. */
function toInt64(digits: string): bigint {
  if (digits === '') return 0n;
  if (/^\d{1,18}$/.test(digits)) return BigInt(digits);
  let value = 0n;
  for (let i = 0; i < digits.length; i++) value = BigInt.asIntN(64, value * 10n + BigInt(digits.charCodeAt(i) - 48));
  return value;
}
