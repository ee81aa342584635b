import { describe, expect, it } from 'vitest';
import { MetricRegistry } from '../../../src/runtime/metrics.ts';
import { TokenCache } from '../../../src/runtime/token-cache.ts';
import { FakeClock } from '../../support/clock.ts';

const use = { kind: 'Kustomization', namespace: 'ns', name: 'app', operation: 'fetch_kubeconfig' };

function createWorld(options: { maxSize?: number; maxDurationMs?: number } = {}) {
  const clock = new FakeClock();
  const registry = new MetricRegistry();
  const cache = new TokenCache({ clock, registry, ...options });
  let issued = 0;
  const get = (key: string, lifeMs = 1_000_000) =>
    cache.get(key, use, async () => ({ token: `${key}${++issued}`, expiresMs: clock.now() + lifeMs }));
  return { clock, registry, cache, get };
}

describe('TokenCache', () => {
  it('keeps a token for four fifths of its life', async () => {
    const { clock, get } = createWorld();

    expect(await get('a')).toBe('a1');
    await clock.advance(799_000);
    expect(await get('a')).toBe('a1');
    await clock.advance(2_000);
    expect(await get('a')).toBe('a2');
  });

  it('keeps it no longer than it is told, and drops the one used least', async () => {
    const { clock, get } = createWorld({ maxSize: 2, maxDurationMs: 10_000 });
    await get('a');
    await get('b');
    await get('a');

    await get('c');

    expect(await get('a')).toBe('a1');
    expect(await get('b')).toBe('b4');
    await clock.advance(11_000);
    expect(await get('b')).toBe('b5');
  });

  it('keeps none of size 0, and no failure', async () => {
    const { get } = createWorld({ maxSize: 0 });
    expect([await get('a'), await get('a')]).toEqual(['a1', 'a2']);

    const { cache, get: again } = createWorld();
    await expect(cache.get('a', use, () => Promise.reject(new Error('forbidden')))).rejects.toThrow('forbidden');
    expect(await again('a')).toBe('a1');
  });

  it("counts under Flux's names, and forgets an object that is gone", async () => {
    const { registry, cache, get } = createWorld();
    await Promise.all([get('a'), get('a')]);

    const text = registry.render();
    const labels = 'kind="Kustomization",name="app",namespace="ns",operation="fetch_kubeconfig"';
    expect(text).toContain('gotk_token_cached_items 1');
    expect(text).toContain('gotk_token_cache_requests_total{status="success"} 2');
    expect(text).toContain(`gotk_token_cache_events_total{event_type="cache_miss",${labels}} 1`);
    cache.forget(use);
    expect(registry.render()).not.toContain('gotk_token_cache_events_total{');
  });
});
