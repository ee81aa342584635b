// Owns short-lived tokens and how long they are used: four fifths of their life, an hour at the most, as kubelet and
// Flux have it (flux.md §6.1, §6.3). Where they come from is the caller's business.
import type { Clock } from '../lib/clock.ts';
import type { MetricRegistry } from './metrics.ts';

export interface IssuedToken {
  readonly token: string;
  /** Epoch ms. */
  readonly expiresMs: number;
}

/** For whom and for what a token is asked, for metrics. */
export interface TokenUse {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly operation: string;
}

export interface TokenCacheOptions {
  readonly clock: Clock;
  readonly registry: MetricRegistry;
  /** Tokens that are kept; 0 keeps none. @default 100 */
  readonly maxSize?: number | undefined;
  /** @default 1 hour, which is also the most */
  readonly maxDurationMs?: number | undefined;
}

interface Kept {
  readonly token: Promise<IssuedToken>;
  untilMs: number;
}

const HOUR_MS = 3_600_000;
const USED_SHARE = 0.8;

/** Tokens by a key that says all they depend on. The least recently used goes first. */
export class TokenCache {
  readonly #clock: Clock;
  readonly #maxSize: number;
  readonly #maxDurationMs: number;
  readonly #kept = new Map<string, Kept>();
  readonly #metrics: ReturnType<typeof registerMetrics>;

  constructor({ clock, registry, maxSize = 100, maxDurationMs = HOUR_MS }: TokenCacheOptions) {
    this.#clock = clock;
    this.#maxSize = maxSize;
    this.#maxDurationMs = Math.min(maxDurationMs, HOUR_MS);
    this.#metrics = registerMetrics(registry);
  }

  /** The kept token, or a new one. Those who ask at the same time share one request; a failed one is not kept. */
  async get(key: string, use: TokenUse, issue: () => Promise<IssuedToken>): Promise<string> {
    if (this.#maxSize <= 0) return (await issue()).token;
    const { namespace, name, kind, operation } = use;
    const known = this.#kept.get(key);
    const isHit = known !== undefined && this.#clock.now() < known.untilMs;
    this.#metrics.events.add({ event_type: isHit ? 'cache_hit' : 'cache_miss', kind, name, namespace, operation });
    const kept = isHit ? known : this.#begin(key, issue);
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    this.#evict();
    try {
      const { token } = await kept.token;
      this.#metrics.requests.add({ status: 'success' });
      return token;
    } catch (error) {
      this.#metrics.requests.add({ status: 'failure' });
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
      throw error;
    } finally {
      this.#metrics.items.set({}, this.#kept.size);
    }
  }

  /** Drops the series of an object that is gone. */
  forget(use: Omit<TokenUse, 'operation'>): void {
    this.#metrics.events.remove({ kind: use.kind, namespace: use.namespace, name: use.name });
  }

  #begin(key: string, issue: () => Promise<IssuedToken>): Kept {
    const kept: Kept = { token: issue(), untilMs: Number.POSITIVE_INFINITY };
    this.#kept.set(key, kept);
    kept.token.then(
      ({ expiresMs }) => {
        const now = this.#clock.now();
        kept.untilMs = now + Math.min(USED_SHARE * (expiresMs - now), this.#maxDurationMs);
      },
      () => {},
    );
    return kept;
  }

  #evict(): void {
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#maxSize) return;
      this.#kept.delete(oldest);
      this.#metrics.evictions.add({});
    }
  }
}

function registerMetrics(registry: MetricRegistry) {
  return {
    items: registry.family('gotk_token_cached_items', 'Total number of items in the cache.', 'gauge'),
    evictions: registry.family('gotk_token_cache_evictions_total', 'Total number of cache evictions.', 'counter'),
    requests: registry.family(
      'gotk_token_cache_requests_total',
      'Total number of cache requests partitioned by success or failure.',
      'counter',
    ),
    events: registry.family(
      'gotk_token_cache_events_total',
      'Total number of cache retrieval events for a Gitops Toolkit resource reconciliation.',
      'counter',
    ),
  };
}
