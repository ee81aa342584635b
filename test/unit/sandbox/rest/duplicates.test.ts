import { describe, expect, it } from 'vitest';
import { duplicateKeys } from '../../../../src/sandbox/rest/duplicates.ts';

describe('keys that stand twice', () => {
  it.each([
    ['{}', []],
    ['[1,{"a":1}]', []],
    ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}', []],
    ['{"a":1,"a":2}', ['a']],
    ['{"a":1,"a":2,"a":3}', ['a']],
    ['{"a":{"b":{"c":1,"c":2}},"d":1}', ['a.b.c']],
    ['{"a":[{"b":1},{"b":1,"b":2}],"a":[]}', ['a[1].b', 'a']],
    ['{"a":[[1,{"b":1,"b":1}]]}', ['a[0][1].b']],
    // Texts are no keys, whatever is in them.
    ['{"a":"a","b":"{\\"a\\":1,\\"a\\":1}","c":["a","a"]}', []],
    ['{ "a" \n:\t1 , "a" : 2 }', ['a']],
    ['{"a\\"b":1,"a\\"b":2,"\\u0061":1,"a":2}', ['a"b', 'a']],
    ['{"a\\\\":1,"b":"\\\\"}', []],
    ['{"__proto__":1,"__proto__":2}', ['__proto__']],
  ])('of %s are %j', (text, found) => {
    expect(duplicateKeys(text)).toEqual(found);
  });

  it('are looked for to the end of any text', () => {
    for (const text of ['{"a', '{"a\\', '{"a":1,"a"', '{"\\x":1}', ']]]}', '{'.repeat(10_000), '"', ':"a":']) {
      expect(() => duplicateKeys(text)).not.toThrow();
    }
  });
});
