import { describe, expect, it } from 'vitest';
import { type BuildCost, type BuildHistory, placeBuild, withBuild } from '../../../../src/offload/render/placement.ts';

const small = { questions: 10, bytes: 1000 };
const large = { questions: 10, bytes: 1_000_000 };
const many = { questions: 100_000, bytes: 1000 };
const cost = (ms: number, reading = small): BuildCost => ({ ms, reading });

describe('where a build runs', () => {
  it.each<{ name: string; history: BuildHistory; decrypts?: boolean; place: 'loop' | 'worker' }>([
    { name: 'what is not known is begun here, and may read little', history: [], place: 'loop' },
    { name: 'what decrypts and is not known goes to a worker', history: [], decrypts: true, place: 'worker' },
    { name: 'a cheap one stays', history: [cost(2)], place: 'loop' },
    { name: 'a slow one may have been slow for once', history: [cost(60)], place: 'loop' },
    { name: 'one that was slow twice goes', history: [cost(60), cost(30)], place: 'worker' },
    { name: 'one that has become quick stays', history: [cost(3), cost(60)], place: 'loop' },
    { name: 'one that has become slow gets a second go', history: [cost(60), cost(3)], place: 'loop' },
    { name: 'a large one goes, however quick it was', history: [cost(1, large)], place: 'worker' },
    { name: 'one that asks much goes', history: [cost(1, many)], place: 'worker' },
    { name: 'one that has become small stays', history: [cost(1), cost(1, large)], place: 'loop' },
    { name: 'slow decryption goes after one build', history: [cost(60)], decrypts: true, place: 'worker' },
    { name: 'quick decryption stays', history: [cost(3)], decrypts: true, place: 'loop' },
  ])('$name', ({ history, decrypts = false, place }) => {
    expect(placeBuild(history, decrypts).in).toBe(place);
  });

  it('remembers two builds', () => {
    expect(withBuild([cost(1), cost(2)], cost(3))).toEqual([cost(3), cost(1)]);
  });
});
