// Owns the first choice of a style for a string value; the emitter may still have to quote it otherwise.
import { type Dialect, isOldBool, resolvePlain } from '../resolve.ts';

const BASE_60 = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/;

/** Literal for several lines, double-quoted for what would read as another type, else plain. */
export function textStyle(text: string, dialect: Dialect): 'plain' | 'double' | 'literal' {
  if (text.includes('\n')) return 'literal';
  if (resolvePlain(text, dialect) !== undefined) return 'double';
  if (dialect === 'v3' && isOldBool(text)) return 'double';
  return text.includes(':') && BASE_60.test(text) ? 'double' : 'plain';
}
