// Owns Go's double-quoted form of a string (strconv.Quote, the verb %q), which error messages of the Go tools carry.
// Text only: strings that hold invalid UTF-8 are the template language's affair.

const ESCAPES = new Map([
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
  ['"', '\\"'],
]);

const NEEDS_ESCAPE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]|["\\]/gu;

/** Quotes text as Go's `%q` does: printable runes stay, all others become escapes. */
export function goQuote(text: string): string {
  return `"${text.replace(NEEDS_ESCAPE, escapeRune)}"`;
}

function escapeRune(rune: string): string {
  const short = ESCAPES.get(rune);
  if (short !== undefined) return short;
  const code = rune.codePointAt(0)!;
  // A lone surrogate stands for a broken sequence; Go would have read U+FFFD there.
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}
