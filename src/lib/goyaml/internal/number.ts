// Owns how a JSON number is written in YAML.
import { formatFloat } from './goformat.ts';

/** Integers that int64 or uint64 can hold are written as such, all else as Go's shortest float. */
export function formatNumber(value: number | bigint): { tag: '!!int' | '!!float'; text: string } {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return { tag: '!!int', text: value === 0 ? '0' : String(value) };
    if (!Number.isInteger(value)) return { tag: '!!float', text: formatFloat(value) };
  }
  // Through the text: JSON prints 1e19 with the shortest digits and zeros, and Go reads that back exactly.
  const wide = typeof value === 'bigint' ? value : Math.abs(value) < 1e21 ? BigInt(String(value)) : undefined;
  if (wide !== undefined && wide >= -(1n << 63n) && wide < 1n << 64n) return { tag: '!!int', text: wide.toString() };
  return { tag: '!!float', text: formatFloat(Number(value)) };
}
