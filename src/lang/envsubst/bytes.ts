// Owns byte strings: text as JavaScript strings of one character per UTF-8 byte, because offsets and lengths of
// substitutions count bytes and may cut a letter in two. Runes are read from them as Go reads them.

/** UTF-8 as one character (U+0000 to U+00FF) per byte. */
export type ByteString = string;

const NOT_ASCII = /[^\x00-\x7f]/;

export function isAscii(text: string): boolean {
  return !NOT_ASCII.test(text);
}

export function toByteString(text: string): ByteString {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text of a byte string; what is no UTF-8 becomes U+FFFD. */
export function fromByteString(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** What Go reads where the bytes are no UTF-8. */
export const RUNE_ERROR = 0xfffd;

/** Smallest rune of each encoded length: shorter forms are no UTF-8. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000];

/** The rune at a position as `rune << 3 | width`; an invalid byte is RUNE_ERROR of width 1. `at` must be inside. */
export function runeAt(bytes: ByteString, at: number): number {
  const first = bytes.charCodeAt(at);
  if (first < 0x80) return (first << 3) | 1;
  const width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + width > bytes.length) return INVALID;
  let rune = first & (0xff >> (width + 1));
  for (let i = 1; i < width; i++) {
    const next = bytes.charCodeAt(at + i);
    if ((next & 0xc0) !== 0x80) return INVALID;
    rune = (rune << 6) | (next & 0x3f);
  }
  const isSurrogate = rune >= 0xd800 && rune <= 0xdfff;
  return rune < LEAST[width]! || rune > 0x10ffff || isSurrogate ? INVALID : (rune << 3) | width;
}

const INVALID = (RUNE_ERROR << 3) | 1;

/** The runes of a byte string, each as text; invalid bytes are U+FFFD one by one. */
export function runesOf(bytes: ByteString): string[] {
  const runes: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const packed = runeAt(bytes, at);
    runes.push(String.fromCodePoint(packed >> 3));
    at += packed & 7;
  }
  return runes;
}
