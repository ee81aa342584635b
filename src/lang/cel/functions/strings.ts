// Owns the extension functions on text, sets and encodings: cel-go's ext.Strings, ext.Sets and ext.Encoders.
import { goQuote } from '../../../lib/goquote.ts';
import { failed } from '../errors.ts';
import { type Call, type CelFunction, fn, method } from '../function.ts';
import { checkSize } from '../operators.ts';
import { type CelList, type CelValue, isEqual } from '../value.ts';
import { formatText } from './format.ts';
import { countRunes } from './standard.ts';

export function stringFunctions(): CelFunction[] {
  return [
    method('charAt', ['string', 'int'], 'string', (_call, text: string, at: bigint) => charAt(text, at)),
    ...indexFunctions(),
    method('join', ['list'], 'string', (call, list: CelList) => join(call, list, '')),
    method('join', ['list', 'string'], 'string', (call, list: CelList, by: string) => join(call, list, by)),
    method('lowerAscii', ['string'], 'string', (_call, text: string) =>
      text.replace(/[A-Z]+/g, (run) => run.toLowerCase()),
    ),
    method('upperAscii', ['string'], 'string', (_call, text: string) =>
      text.replace(/[a-z]+/g, (run) => run.toUpperCase()),
    ),
    method('replace', ['string', 'string', 'string'], 'string', (call, text: string, old: string, by: string) =>
      replace(call, text, old, by, -1),
    ),
    method(
      'replace',
      ['string', 'string', 'string', 'int'],
      'string',
      (call, text: string, old: string, by: string, limit: bigint) => replace(call, text, old, by, Number(limit)),
    ),
    method('split', ['string', 'string'], 'list', (call, text: string, by: string) => split(call, text, by, -1)),
    method('split', ['string', 'string', 'int'], 'list', (call, text: string, by: string, limit: bigint) =>
      split(call, text, by, Number(limit)),
    ),
    method('substring', ['string', 'int'], 'string', (_call, text: string, from: bigint) =>
      substring(text, from, undefined),
    ),
    method('substring', ['string', 'int', 'int'], 'string', (_call, text: string, from: bigint, to: bigint) =>
      substring(text, from, to),
    ),
    method('trim', ['string'], 'string', (_call, text: string) =>
      text.replace(/^[\s\u0085]+|[\s\u0085]+$/g, (run) => run.replaceAll(/[^\ufeff]/g, '')),
    ),
    method('reverse', ['string'], 'string', (_call, text: string) => [...text].reverse().join('')),
    method('format', ['string', 'list'], 'string', (call, text: string, args: CelList) =>
      formatText(text, args, call.spend),
    ),
    fn('strings.quote', ['string'], 'string', (_call, text: string) => goQuote(text)),
    ...setFunctions(),
    ...encoders(),
  ];
}

function charAt(text: string, at: bigint): string {
  const runes = [...text];
  if (at < 0n || at > runes.length) throw failed(`index out of range: ${at}`);
  return runes[Number(at)] ?? '';
}

function indexFunctions(): CelFunction[] {
  return [
    method('indexOf', ['string', 'string'], 'int', (_call, text: string, part: string) => indexOf(text, part, 0n)),
    method('indexOf', ['string', 'string', 'int'], 'int', (_call, text: string, part: string, from: bigint) =>
      indexOf(text, part, from),
    ),
    method('lastIndexOf', ['string', 'string'], 'int', (_call, text: string, part: string) =>
      runeIndex(text, text.lastIndexOf(part)),
    ),
    method('lastIndexOf', ['string', 'string', 'int'], 'int', (_call, text: string, part: string, from: bigint) => {
      return runeIndex(text, text.lastIndexOf(part, unitIndex(text, from)));
    }),
  ];
}

function indexOf(text: string, part: string, from: bigint): bigint {
  return runeIndex(text, text.indexOf(part, unitIndex(text, from)));
}

/** Position in UTF-16 units of a position in runes. */
function unitIndex(text: string, at: bigint): number {
  if (at < 0n || at > countRunes(text)) throw failed(`index out of range: ${at}`);
  return [...text].slice(0, Number(at)).join('').length;
}

function runeIndex(text: string, at: number): bigint {
  return at < 0 ? -1n : BigInt(countRunes(text.slice(0, at)));
}

function join(call: Call, list: CelList, by: string): string {
  let size = 0;
  for (const item of list) {
    if (typeof item !== 'string') throw failed(`join: list elements must be strings`);
    size += item.length + by.length;
  }
  checkSize(size);
  call.spend(size / 16);
  return list.join(by);
}

function replace(call: Call, text: string, old: string, by: string, limit: number): string {
  const pieces = old === '' ? ['', ...text, ''] : text.split(old);
  const count = limit < 0 ? pieces.length - 1 : Math.min(limit, pieces.length - 1);
  checkSize(text.length + count * by.length);
  call.spend((text.length + count * by.length) / 16);
  if (old === '' && text === '') return count > 0 ? by : '';
  const whole = old === '' ? pieces.slice(0, -1) : pieces;
  const tail = old === '' && count === pieces.length - 1 ? by : '';
  let out = whole[0]!;
  for (let i = 1; i < whole.length; i++) out += (i <= count ? by : old) + whole[i];
  return out + tail;
}

function split(call: Call, text: string, by: string, limit: number): string[] {
  if (limit === 0) return [];
  call.spend(text.length / 16);
  const pieces = by === '' ? [...text] : text.split(by);
  checkSize(pieces.length);
  if (limit < 0 || pieces.length <= limit) return pieces;
  return [...pieces.slice(0, limit - 1), pieces.slice(limit - 1).join(by)];
}

function substring(text: string, from: bigint, to: bigint | undefined): string {
  const runes = [...text];
  const end = to ?? BigInt(runes.length);
  if (from < 0n || from > runes.length) throw failed(`index out of range: ${from}`);
  if (end < 0n || end > runes.length) throw failed(`index out of range: ${end}`);
  if (from > end) throw failed(`invalid substring range. start: ${from}, end: ${end}`);
  return runes.slice(Number(from), Number(end)).join('');
}

function setFunctions(): CelFunction[] {
  const has = (call: Call, list: CelList, value: CelValue): boolean =>
    list.some((item) => isEqual(item, value, call.spend));
  const containsAll = (call: Call, list: CelList, other: CelList): boolean =>
    other.every((item) => has(call, list, item));
  return [
    fn('sets.contains', ['list', 'list'], 'bool', containsAll),
    fn('sets.equivalent', ['list', 'list'], 'bool', (call, list: CelList, other: CelList) => {
      return containsAll(call, list, other) && containsAll(call, other, list);
    }),
    fn('sets.intersects', ['list', 'list'], 'bool', (call, list: CelList, other: CelList) =>
      list.some((item) => has(call, other, item)),
    ),
  ];
}

function encoders(): CelFunction[] {
  return [
    fn('base64.encode', ['bytes'], 'string', (_call, bytes: Uint8Array) => Buffer.from(bytes).toString('base64')),
    fn('base64.decode', ['string'], 'bytes', (_call, text: string) => {
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw failed('illegal base64 data');
      return new Uint8Array(Buffer.from(text, 'base64'));
    }),
  ];
}
