import { describe, expect, it } from 'vitest';
import { NewestObjects } from '../../../src/runtime/newest.ts';

const object = (resourceVersion: string, uid = 'u') => ({
  apiVersion: 'v1',
  kind: 'X',
  metadata: { name: 'x', uid, resourceVersion },
});

describe('NewestObjects', () => {
  it('prefers an own write until the cache has caught up', () => {
    const newest = new NewestObjects();
    newest.remember('k', object('10'));

    expect(newest.pick('k', object('9'))?.metadata.resourceVersion).toBe('10');
    expect(newest.pick('k', object('11'))?.metadata.resourceVersion).toBe('11');
    expect(newest.pick('k', object('9'))?.metadata.resourceVersion).toBe('9');
  });

  it('compares versions as numbers of any length', () => {
    const newest = new NewestObjects();
    newest.remember('k', object('100000000000000000001'));

    expect(newest.pick('k', object('99999999999999999999'))?.metadata.resourceVersion).toBe('100000000000000000001');
  });

  it('does not bring back what is gone or was replaced', () => {
    const newest = new NewestObjects();
    newest.remember('k', object('10'));
    expect(newest.pick('k', undefined)).toBeUndefined();

    newest.remember('k', object('10'));
    expect(newest.pick('k', object('9', 'another'))?.metadata.uid).toBe('another');
  });
});
