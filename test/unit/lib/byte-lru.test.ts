import { describe, expect, it } from 'vitest';
import { createByteLru } from '../../../src/lib/byte-lru.ts';

describe('createByteLru', () => {
  it('drops what was not used for the longest time', () => {
    const cache = createByteLru<string, number>(100);
    for (const [index, key] of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].entries()) cache.set(key, index, 10);

    cache.get('a');
    cache.set('k', 10, 10);

    expect([cache.get('a'), cache.get('b'), cache.get('k')]).toEqual([0, undefined, 10]);
  });

  it('does not keep what would push most of the rest out', () => {
    const cache = createByteLru<string, number>(100);

    cache.set('large', 1, 13);
    cache.set('small', 2, 12);

    expect([cache.get('large'), cache.get('small')]).toEqual([undefined, 2]);
  });

  it('counts a value that is set again once', () => {
    const cache = createByteLru<string, number>(100);
    for (let times = 0; times < 20; times++) cache.set('a', times, 12);
    cache.set('b', 1, 12);

    expect([cache.get('a'), cache.get('b')]).toEqual([19, 1]);
  });
});
