// Owns how Go prints values: quoted strings and floats, as they show up in YAML output, map keys and error texts.

/** Go's `%q` and `%#v` of a string. */
export function quoteGo(text: string): string {
  let out = '"';
  for (const char of text) {
    const c = char.codePointAt(0)!;
    if (c === 34 || c === 92) out += `\\${char}`;
    else if (c >= 32 && c < 127) out += char;
    else out += quoteSpecial(char, c);
  }
  return `${out}"`;
}

const CONTROL_ESCAPES: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};

function quoteSpecial(char: string, c: number): string {
  const simple = CONTROL_ESCAPES[c];
  if (simple !== undefined) return simple;
  if (c < 128) return `\\x${c.toString(16).padStart(2, '0')}`;
  // Go prints letters, marks, numbers, punctuation and symbols as they are.
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char)) return char;
  return c > 0xffff ? `\\U${c.toString(16).padStart(8, '0')}` : `\\u${c.toString(16).padStart(4, '0')}`;
}

/** Go's shortest `%g`, with YAML's words for infinity and NaN. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  return formatShortest(mantissa, Number(exponent), Object.is(value, -0));
}

/** The same for a float32, as sigs.k8s.io/yaml prints a float that is a map key. */
export function formatFloat32(value: number): string {
  const narrow = Math.fround(value);
  if (Number.isNaN(narrow)) return '.nan';
  if (!Number.isFinite(narrow)) return narrow > 0 ? '.inf' : '-.inf';
  if (narrow === 0) return formatFloat(narrow);
  for (let digits = 0; digits <= 8; digits++) {
    const text = narrow.toExponential(digits);
    if (Math.fround(Number(text)) !== narrow) continue;
    const [mantissa, exponent] = text.split('e') as [string, string];
    return formatShortest(mantissa, Number(exponent), false);
  }
  return formatFloat(narrow);
}

/** Writes digits as strconv's 'g' does: with an exponent below -4 and from 6. */
function formatShortest(mantissa: string, exponent: number, negativeZero: boolean): string {
  const negative = mantissa.startsWith('-') || negativeZero;
  const digits = mantissa.replace(/[-.]/g, '');
  const sign = negative ? '-' : '';
  if (exponent < -4 || exponent >= 6) {
    const point = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
    const size = Math.abs(exponent);
    return `${sign}${point}e${exponent < 0 ? '-' : '+'}${size < 10 ? `0${size}` : size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, '0');
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}
