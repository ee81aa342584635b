// Owns TOML numbers: which digits are one, and the decoder's words for those that are none.
import { quote } from '../../lang/gotemplate/gostring.ts';
import { parseFloat64 } from '../../lang/gotemplate/strconv.ts';
import { type GoInt, int64 } from '../../lang/gotemplate/value.ts';

type Read<T> = { readonly value: T } | { readonly problem: string };

/** Reads an integer with sign, base prefix and underscores into an int64. */
export function parseTomlInteger(text: string): Read<GoInt> {
  const refuse = (why: string) => ({ problem: `Invalid integer ${quote(text)}: ${why}` });
  if (!underscoresOk(text)) return refuse('underscores must be surrounded by digits');
  if (leadingZero(text)) return refuse('cannot have leading zeroes');
  const digits = text.replaceAll('_', '');
  const value = digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits.replace('+', ''));
  return value === BigInt.asIntN(64, value)
    ? { value: int64(value) }
    : { problem: `${text} is out of range for int64` };
}

/** Reads a float that is neither an infinity nor NaN. */
export function parseTomlFloat(text: string): Read<number> {
  const refuse = (why: string) => ({ problem: `Invalid float ${quote(text)}: ${why}` });
  const parts = text.split(/[.eE]/).filter((part) => part !== '');
  if (!parts.every(underscoresOk)) return refuse('underscores must be surrounded by digits');
  if (leadingZero(parts[0] ?? '')) return refuse('cannot have leading zeroes');
  if (/\.(?![0-9])/.test(text)) return refuse("'.' must be followed by one or more digits");
  const value = parseFloat64(text.replaceAll('_', ''));
  if (value !== undefined && Number.isFinite(value)) return { value };
  const isNumber = !Number.isNaN(Number(text.replaceAll('_', '')));
  return { problem: isNumber ? `${text} is out of range for float64` : `Invalid float value: ${quote(text)}` };
}

function underscoresOk(text: string): boolean {
  let accept = false;
  for (const character of text) {
    if (character === '_' && !accept) return false;
    accept = /[0-9a-fA-F]/.test(character);
  }
  return accept;
}

function leadingZero(text: string): boolean {
  return /^0[^box]/.test(text) || /^[+-]0./.test(text);
}
