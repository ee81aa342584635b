import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSet, type SetMode } from '../../../../src/engines/helm/set.ts';
import type { Table } from '../../../../src/engines/helm/table.ts';
import { GoInt, type GoValue } from '../../../../src/lang/gotemplate/value.ts';
import { toJson } from '../../../../src/lang/gotemplate/value-json.ts';

function set(text: string, mode: SetMode = { kind: 'typed' }, values: Table = new Map()): unknown {
  parseSet(text, values, mode);
  return toJson(values);
}

describe('parseSet', () => {
  it.each([
    ['a=1', { a: 1 }],
    ['a=1,b=x', { a: 1, b: 'x' }],
    ['a=007,b=-3,c=+4,d=0,e=00', { a: '007', b: -3, c: 4, d: 0, e: '00' }],
    ['a=TRUE,b=False,c=Null,d=~,e=yes', { a: true, b: false, c: null, d: '~', e: 'yes' }],
    ['a=1.5,b=1e3', { a: '1.5', b: '1e3' }],
    ['a=9223372036854775807,b=9223372036854775808', { a: 9223372036854775807n, b: '9223372036854775808' }],
    ['a.b.c=1,a.b.d=2', { a: { b: { c: 1, d: 2 } } }],
    ['a\\.b=1,c=x\\,y', { 'a.b': 1, c: 'x,y' }],
    ['a={1,x,},b={}', { a: [1, 'x', ''], b: [''] }],
    ['a[0]=x,a[2]=y', { a: ['x', null, 'y'] }],
    ['a[0].b=1,a[0].c=2', { a: [{ b: 1, c: 2 }] }],
    ['a[0][1]=x', { a: [[null, 'x']] }],
    ['a[0][1]=', { a: [[null, '']] }],
    ['a[0].b=', { a: [] }],
    ['a[0]', { a: [] }],
    ['a=', { a: '' }],
    ['a=1,', { a: 1 }],
    ['=1,b=2', { b: 2 }],
    ['', {}],
    ['a[+1]=x', { a: [null, 'x'] }],
    ['__proto__.x=1,constructor.y=2', { ['__proto__']: { x: 1 }, constructor: { y: 2 } }],
  ])('reads %s', (text, want) => {
    expect(set(text)).toEqual(want);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it.each([
    ['a', 'key "a" has no value'],
    ['a,b=1', 'key "a" has no value (cannot end with ,)'],
    [',a=1', 'key "" has no value (cannot end with ,)'],
    ['a..b=1', 'key map "a" has no value'],
    ['a={1', "list must terminate with '}'"],
    ['a[-1]=x', 'negative -1 index not allowed'],
    ['a[x]=1', 'error parsing index: strconv.Atoi: parsing "x": invalid syntax'],
    [
      'a[9223372036854775808]=1',
      'error parsing index: strconv.Atoi: parsing "9223372036854775808": value out of range',
    ],
    ['a[65537]=1', 'index of 65537 is greater than maximum supported index of 65536'],
    ['a[0', 'error parsing index: EOF'],
    ['a[0]x=1', 'unexpected data at end of array index: "x"'],
    [`${'a.'.repeat(31)}b=1`, 'value name nested level is greater than maximum supported nested level of 30'],
    ['a=1,a.b=2', 'unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}'],
    ['a=x,a[0]=2', 'unable to parse key: interface conversion: interface {} is string, not []interface {}'],
    ['a=null,a.b=2', 'unable to parse key: interface conversion: interface {} is nil, not map[string]interface {}'],
    [`a${'[0]'.repeat(1001)}=1`, 'more than 1000 list indexes in a row'],
    [
      Array.from({ length: 17 }, (_, i) => `k${i}[65536]=1`).join(','),
      'lists grow by more than 1000000 empty elements',
    ],
  ])('refuses %s', (text, message) => {
    expect(() => set(text)).toThrow(expect.objectContaining({ code: 'ValuesInvalid', message }));
  });

  it('keeps text with --set-string', () => {
    expect(set('a=1,b=true,c={1,null}', { kind: 'string' })).toEqual({ a: '1', b: 'true', c: ['1', 'null'] });
  });

  it('takes everything with --set-literal', () => {
    expect(set('a.b[1]=x,{y}=\\z', { kind: 'literal' })).toEqual({ a: { b: [null, 'x,{y}=\\z'] } });
  });

  it('reads files with --set-file', () => {
    const read = (path: string) => `contents of ${path}`;

    expect(set('a=x.txt,b={y,z}', { kind: 'file', read })).toEqual({
      a: 'contents of x.txt',
      b: ['contents of y', 'contents of z'],
    });
  });

  it.each([
    ['a={"b":[1,null]} , c="x,y"', { a: { b: [1, null] }, ' c': 'x,y' }],
    ['a=,b=1e2', { a: null, b: 100 }],
    ['a[1]=true', { a: [null, true] }],
    ['a={"__proto__":1}', { a: { ['__proto__']: 1 } }],
  ])('reads JSON %s', (text, want) => {
    expect(set(text, { kind: 'json' })).toEqual(want);
  });

  it.each(['a={', 'a=1.', 'a=1e400', 'a="x', 'a=nul', `a=${'['.repeat(1500)}`])('refuses JSON %s', (text) => {
    expect(() => set(text, { kind: 'json' })).toThrow();
  });

  it('makes int64 of integers and float64 of JSON numbers', () => {
    const values: Table = new Map();

    parseSet('a=1', values, { kind: 'typed' });
    parseSet('b=1', values, { kind: 'json' });

    expect(values.get('a')).toBeInstanceOf(GoInt);
    expect(values.get('b')).toBe(1);
  });

  it('takes a cut index for the end with Helm 4', () => {
    const values: Table = new Map();

    parseSet('a=1,l[0', values, { kind: 'typed' }, 'helm4');

    expect(toJson(values)).toEqual({ a: 1 });
  });

  const plainKey = fc.stringMatching(/^[a-z]{1,6}$/);
  const anyText = fc.string({ unit: 'grapheme', maxLength: 12 });
  const escaped = (text: string) => text.replace(/[\\,{}[\]=.]/g, '\\$&');

  it('gives back any text that was escaped, under any path', () => {
    fc.assert(
      fc.property(fc.array(plainKey, { minLength: 1, maxLength: 5 }), anyText, (path, text) => {
        const values: Table = new Map();

        parseSet(`${path.join('.')}=${escaped(text)}`, values, { kind: 'string' });

        let here: GoValue = values;
        for (const key of path) here = (here as Table).get(key);
        expect(here).toBe(text);
      }),
    );
  });

  it('gives back any JSON value', () => {
    fc.assert(
      fc.property(plainKey, fc.jsonValue({ noUnicodeString: true } as never), (key, value) => {
        expect(set(`${key}=${JSON.stringify(value)}`, { kind: 'json' })).toEqual(
          JSON.parse(JSON.stringify({ [key]: value })),
        );
      }),
    );
  });

  it('either reads a text or says what is wrong, whatever it is', () => {
    const text = fc.stringMatching(/^[a-c.[\]{},=\\0-2 "]{0,30}$/);
    fc.assert(
      fc.property(text, fc.constantFrom<SetMode['kind']>('typed', 'string', 'json', 'literal'), (line, kind) => {
        try {
          parseSet(line, new Map(), { kind } as SetMode);
        } catch (error) {
          expect((error as { code?: string; name: string }).code ?? (error as Error).name).toMatch(
            /^(ValuesInvalid|SyntaxError|RangeError)$/,
          );
        }
      }),
    );
  });
});
