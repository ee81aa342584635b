// Owns sprig's random functions; the randomness itself comes from the host.
import type { Execution, TemplateHost } from '../execution.ts';
import { funcWith, type GoFunction } from '../function.ts';
import { GoError, INT, int, STRING } from '../value.ts';

const DIGITS = '0123456789';
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');

export function randomFunctions(): [string, GoFunction][] {
  return [
    ['randAlphaNum', randomText(LETTERS + DIGITS)],
    ['randAlpha', randomText(LETTERS)],
    ['randNumeric', randomText(DIGITS)],
    ['randAscii', randomText(PRINTABLE)],
    ['randBytes', funcWith([INT], randomBase64)],
    ['randInt', funcWith([INT, INT], randomBetween)],
    ['uuidv4', funcWith([], ({ host }) => uuid(host))],
    ['shuffle', funcWith([STRING], shuffle)],
  ];
}

/** A number from 0 below `limit` (at most 2^32), each as likely as the others. */
function randomBelow(host: TemplateHost, limit: number): number {
  const usable = 2 ** 32 - (2 ** 32 % limit);
  for (;;) {
    const value = Buffer.from(host.random(4)).readUInt32BE();
    if (value < usable) return value % limit;
  }
}

function randomText(alphabet: string): GoFunction {
  return funcWith([INT], ({ host, budget }, count) => {
    if (count <= 0) return '';
    budget.checkString(count);
    return Array.from({ length: count }, () => alphabet[randomBelow(host, alphabet.length)]).join('');
  });
}

function randomBase64({ host, budget }: Execution, count: number): string {
  if (count < 0) throw new GoError('runtime error: makeslice: len out of range');
  budget.checkString(count);
  return Buffer.from(host.random(count)).toString('base64');
}

function randomBetween({ host }: Execution, low: number, high: number) {
  const span = high - low;
  if (span <= 0) throw new GoError('invalid argument to Intn');
  if (span > 2 ** 32) throw new GoError(`randInt: range of ${span} is too large`);
  return int(low + randomBelow(host, span));
}

function uuid(host: TemplateHost): string {
  const bytes = Uint8Array.from(host.random(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function shuffle({ host }: Execution, text: string): string {
  const runes = [...text];
  for (let last = runes.length - 1; last > 0; last--) {
    const other = randomBelow(host, last + 1);
    [runes[last], runes[other]] = [runes[other]!, runes[last]!];
  }
  return runes.join('');
}
