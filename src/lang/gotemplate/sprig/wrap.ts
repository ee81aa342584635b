// Owns wrapping text at spaces to a width in bytes, with the quirks of the library that sprig uses.
import type { Budget } from '../execution.ts';
import { fromBytes, toBytes } from '../gostring.ts';

/** How text is wrapped. */
export interface WrapOptions {
  /** In bytes; below 1 counts as 1. */
  readonly width: number;
  /** Put between lines. @default a newline, also for the empty string */
  readonly newline?: string;
  /** Cut words that are longer than a line. */
  readonly breakWords: boolean;
}

const SPACE = 0x20;

/** Wraps text; spaces at the start of a new line go, newlines in the text do not start one. */
export function wrapText(text: string, options: WrapOptions, budget: Budget): string {
  const bytes = toBytes(text);
  const newline = options.newline || '\n';
  const width = Math.max(options.width, 1);
  const lines: string[] = [];
  let offset = 0;
  while (bytes.length - offset > width) {
    if (bytes[offset] === SPACE) {
      offset++;
      continue;
    }
    const space = bytes.subarray(offset, offset + width + 1).lastIndexOf(SPACE);
    const { end, next } =
      space >= 0 ? { end: offset + space, next: offset + space + 1 } : longWord(bytes, offset, width, options);
    lines.push(fromBytes(bytes.subarray(offset, end)));
    if (newline.length > 64) budget.checkString(lines.length * newline.length);
    if (next < 0) return lines.join(newline);
    offset = next;
  }
  lines.push(fromBytes(bytes.subarray(offset)));
  return lines.join(newline);
}

/** End of the line of a word that does not fit, and where the next line starts (-1: the text is over). */
function longWord(
  bytes: Uint8Array,
  offset: number,
  width: number,
  { breakWords }: WrapOptions,
): { end: number; next: number } {
  if (breakWords) return { end: offset + width, next: offset + width };
  const space = bytes.indexOf(SPACE, offset + width);
  return space < 0 ? { end: bytes.length, next: -1 } : { end: space, next: space + 1 };
}
