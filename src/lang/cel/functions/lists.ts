// Owns Kubernetes' functions on lists and regular expressions.
import { failed, noSuchOverload } from '../errors.ts';
import { type Call, type CelFunction, method } from '../function.ts';
import { applyBinary, compare } from '../operators.ts';
import { type CelList, type CelValue, Duration, isEqual, Uint } from '../value.ts';

export function listFunctions(): CelFunction[] {
  return [
    method('isSorted', ['list'], 'bool', (call, list: CelList) => {
      call.spend(list.length);
      return list.every((item, i) => i === 0 || compare(list[i - 1]!, item) <= 0);
    }),
    method('sum', ['list'], 'any', (call, list: CelList) => sum(call, list)),
    method('min', ['list'], 'any', (call, list: CelList) => extreme(call, list, 'min', (order) => order < 0)),
    method('max', ['list'], 'any', (call, list: CelList) => extreme(call, list, 'max', (order) => order > 0)),
    method('indexOf', ['list', 'any'], 'int', (call, list: CelList, value: CelValue) =>
      BigInt(list.findIndex((item) => isEqual(item, value, call.spend))),
    ),
    method('lastIndexOf', ['list', 'any'], 'int', (call, list: CelList, value: CelValue) =>
      BigInt(list.findLastIndex((item) => isEqual(item, value, call.spend))),
    ),
    method(
      'find',
      ['string', 'string'],
      'string',
      (call, text: string, pattern: string) => call.regexp(pattern).find(text) ?? '',
    ),
    method('findAll', ['string', 'string'], 'list', (call, text: string, pattern: string) =>
      call.regexp(pattern).findAll(text),
    ),
    method('findAll', ['string', 'string', 'int'], 'list', (call, text: string, pattern: string, limit: bigint) =>
      call.regexp(pattern).findAll(text, Number(limit)),
    ),
  ];
}

function sum(call: Call, list: CelList): CelValue {
  const [first] = list;
  if (first === undefined) return 0n;
  call.spend(list.length);
  let total: CelValue = zeroOf(first);
  for (const item of list) total = applyBinary('+', total, item, call.spend);
  return total;
}

function zeroOf(value: CelValue): CelValue {
  if (typeof value === 'bigint') return 0n;
  if (typeof value === 'number') return 0;
  if (value instanceof Uint) return new Uint(0n);
  if (value instanceof Duration) return new Duration(0n);
  throw noSuchOverload();
}

function extreme(call: Call, list: CelList, name: string, isBetter: (order: number) => boolean): CelValue {
  call.spend(list.length);
  let best = list[0];
  if (best === undefined) throw failed(`${name} called on empty list`);
  for (const item of list) if (isBetter(compare(item, best))) best = item;
  return best;
}
