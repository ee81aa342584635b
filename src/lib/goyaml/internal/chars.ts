// Owns the character classes of YAML. A table for Latin-1 keeps the scanner's inner loops to one lookup.

const BLANK = 1;
const BREAK = 2;
const END = 4;
const WORD = 8;
const DIGIT = 16;
const HEX = 32;
const URI = 64;
const FLOW_END = 128;

const table = new Uint8Array(256);
function mark(chars: string, bits: number): void {
  for (let i = 0; i < chars.length; i++) table[chars.charCodeAt(i)]! |= bits;
}
mark('\0', END);
mark(' \t', BLANK);
mark('\n\r\u0085', BREAK);
mark('0123456789', WORD | DIGIT | HEX | URI);
mark('abcdefABCDEF', WORD | HEX | URI);
mark('ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ_-', WORD | URI);
mark(";/?:@&=+$,.!~*'()[]%", URI);
mark(',?[]{}', FLOW_END);

/** Space, tab, line break or the end of the text. */
export function isBlankOrEnd(c: number): boolean {
  return c < 256 ? (table[c]! & (BLANK | BREAK | END)) !== 0 : c === 0x2028 || c === 0x2029;
}

/** Line break (CR, LF, NEL, LS, PS) or the end of the text. */
export function isBreakOrEnd(c: number): boolean {
  return c < 256 ? (table[c]! & (BREAK | END)) !== 0 : c === 0x2028 || c === 0x2029;
}

/** Line break: CR, LF, NEL, LS or PS. */
export function isBreak(c: number): boolean {
  return c < 256 ? (table[c]! & BREAK) !== 0 : c === 0x2028 || c === 0x2029;
}

/** Space or tab. */
export function isBlank(c: number): boolean {
  return c === 32 || c === 9;
}

/** Letter, digit, `_` or `-`: what an anchor or a tag handle is made of. */
export function isWord(c: number): boolean {
  return c < 256 && (table[c]! & WORD) !== 0;
}

export function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

export function isHex(c: number): boolean {
  return c < 256 && (table[c]! & HEX) !== 0;
}

/** What a tag may be written with. */
export function isUri(c: number): boolean {
  return c < 256 && (table[c]! & URI) !== 0;
}

/** What ends a plain scalar inside `[]` and `{}`. */
export function endsFlowPlain(c: number): boolean {
  return c < 256 && (table[c]! & FLOW_END) !== 0;
}

/** Value of a hexadecimal digit. */
export function hexValue(c: number): number {
  return c <= 57 ? c - 48 : (c | 32) - 87;
}

/** What may stand in the output as it is. A tab may not, nor may what lies beyond the basic plane. */
export function isPrintable(c: number): boolean {
  if (c < 0x7f) return c >= 32 || c === 10;
  return (c >= 0xa0 && c < 0xd800) || (c >= 0xe000 && c <= 0xfffd && c !== 0xfeff);
}
