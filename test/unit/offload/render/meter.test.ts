import { describe, expect, it } from 'vitest';
import { createMemoryTree } from '../../../../src/lib/memory-tree.ts';
import { createMeter } from '../../../../src/offload/render/meter.ts';

const tree = createMemoryTree({ 'a.yaml': '12345', 'b.yaml': '678', link: { link: 'a.yaml' } });

describe('the meter of a build', () => {
  it('counts over all its trees', () => {
    const meter = createMeter();
    const [one, other] = [meter.wrap(tree), meter.wrap(tree)];

    one.read('a.yaml');
    other.read('absent');
    one.list('');
    other.readLink('link');
    one.stat('b.yaml');

    expect(meter.reading()).toEqual({ questions: 5, bytes: 5 });
    expect(meter.exceeded()).toBe(false);
  });

  it.each([
    ['bytes', { questions: 9, bytes: 4 }],
    ['questions', { questions: 1, bytes: 99 }],
  ])('refuses every question once there were too many %s', (_name, limit) => {
    const meter = createMeter(limit);
    const metered = meter.wrap(tree);
    expect(metered.read('a.yaml')).toHaveLength(5);

    expect(() => metered.stat('b.yaml')).toThrow('reads more than it may');
    expect(() => metered.list('')).toThrow('reads more than it may');
    expect(meter.exceeded()).toBe(true);
  });
});
