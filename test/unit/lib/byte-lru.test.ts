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

  it('drops on ageing what was not used since the last time', () => {
    const cache = createByteLru<string, number>(100);
    for (const key of ['old', 'got', 'set again']) cache.set(key, 1, 10);
    cache.age();
    cache.get('got');
    cache.set('set again', 2, 10);
    cache.set('new', 3, 10);

    cache.age();

    expect(['old', 'got', 'set again', 'new'].map((key) => cache.get(key))).toEqual([undefined, 1, 2, 3]);
    cache.age();
    cache.age();
    expect(['got', 'set again', 'new'].map((key) => cache.get(key))).toEqual([undefined, undefined, undefined]);
  });

  it('has all of its room again once everything is too old', () => {
    const cache = createByteLru<number, number>(100);
    for (let key = 0; key < 10; key += 1) cache.set(key, key, 10);
    cache.age();
    cache.age();

    for (let key = 10; key < 20; key += 1) cache.set(key, key, 10);

    expect(Array.from({ length: 10 }, (_, at) => cache.get(at + 10))).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });
});
