import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBytes } from '../../../../src/lang/gotemplate/gostring.ts';
import {
  compareStrings,
  GoInt,
  type GoMap,
  int,
  int64,
  isTrue,
  listItems,
  MAP,
  sortedKeys,
  stringList,
  TypedMap,
  typeName,
} from '../../../../src/lang/gotemplate/value.ts';
import { checkNodeCount, fromJson, toJson } from '../../../../src/lang/gotemplate/value-json.ts';

describe('types', () => {
  it('names values as Go does', () => {
    const values = [1.5, 'a', true, int(1), int64(1), [], new Map(), stringList([]), new Uint8Array(), null, undefined];

    expect(values.map(typeName)).toEqual([
      'float64',
      'string',
      'bool',
      'int',
      'int64',
      '[]interface {}',
      'map[string]interface {}',
      '[]string',
      '[]uint8',
      '<nil>',
      '<nil>',
    ]);
  });

  it('wraps integers to 64 bits', () => {
    expect(int64(2n ** 63n).value).toBe(-(2n ** 63n));
    expect(int(1023)).toBe(int(1023));
    expect(int(5000)).toEqual(new GoInt(5000n, int(1).type));
  });

  it('takes zero and empty values for false', () => {
    const falsy = [
      null,
      undefined,
      false,
      0,
      -0,
      '',
      int(0),
      [],
      new Map(),
      stringList([]),
      new TypedMap(MAP, null, true),
    ];

    expect(falsy.map(isTrue)).toEqual(falsy.map(() => false));
    expect([true, 1, 'false', int(1), [null], new Map([['a', null]])].map(isTrue)).toEqual(Array(6).fill(true));
  });

  it('lists the elements of any slice', () => {
    expect(listItems(Uint8Array.of(1, 2))?.map((item) => (item as GoInt).value)).toEqual([1n, 2n]);
    expect(listItems('ab')).toBeUndefined();
  });
});

describe('order of keys', () => {
  it('is that of their bytes', () => {
    const unit = fc.constantFrom(
      'a',
      'b',
      '\u007f',
      '\u0080',
      'é',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '😀',
      '\udc80',
      '\udcff',
    );
    const text = fc.array(unit, { maxLength: 4 }).map((units) => units.join(''));
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareStrings(a, b))).toBe(Buffer.compare(toBytes(a), toBytes(b)));
      }),
    );
  });

  it('does not mind keys that objects have by themselves', () => {
    expect(
      sortedKeys(
        new Map([
          ['toString', 1],
          ['__proto__', 2],
          ['a', 3],
        ]),
      ),
    ).toEqual(['__proto__', 'a', 'toString']);
  });
});

describe('JSON', () => {
  it('comes in with float64 numbers only', () => {
    const value = fromJson(JSON.parse('{"a":[1,"b",null],"__proto__":{"x":true}}')) as GoMap;

    expect(value.get('a')).toEqual([1, 'b', null]);
    expect(value.get('__proto__')).toEqual(new Map([['x', true]]));
    expect(fromJson(12345678901234567890n)).toBe(12345678901234567000);
  });

  it('goes out as Go encodes it', () => {
    const value = new Map<string, never>(
      Object.entries({ b: int(1), a: new Uint8Array([104, 105]), c: stringList(['x']) }) as never,
    );

    expect(JSON.stringify(toJson(value))).toBe('{"a":"aGk=","b":1,"c":["x"]}');
    expect(toJson(new TypedMap(MAP, null, true))).toBeNull();
    expect(() => toJson(Number.NaN)).toThrow('json: unsupported value: NaN');
  });

  it('round-trips', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = JSON.parse(JSON.stringify(value));

        expect(toJson(fromJson(plain))).toEqual(plain);
      }),
    );
  });

  it('stops at endless values', () => {
    const cycle: GoMap = new Map();
    cycle.set('self', cycle);
    let shared: GoMap = new Map();
    for (let i = 0; i < 40; i++)
      shared = new Map([
        ['a', shared],
        ['b', shared],
      ]);

    expect(() => checkNodeCount(shared)).toThrow(RangeError);
    expect(() => toJson(shared)).toThrow(RangeError);
    expect(() => checkNodeCount(cycle)).toThrow(RangeError);
  });
});
