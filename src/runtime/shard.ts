// Owns sharding: which primary objects this process reconciles, and the lease names that go with it (flux.md §6.4).
import { createHash } from 'node:crypto';

/** A share of the objects. */
export interface Shard {
  /** Label selector of the primary watches; undefined for all objects. */
  readonly labelSelector: string | undefined;
  /** Name of a controller's lease in this shard. */
  leaseName(controller: string): string;
}

/** The shard of a label selector such as `sharding.fluxcd.io/key=shard1` or `!sharding.fluxcd.io/key`. */
export function createShard(labelSelector: string | undefined): Shard {
  const selector = labelSelector === undefined || labelSelector === '' ? undefined : labelSelector;
  const suffix = selector === undefined ? '' : `-${createHash('sha256').update(selector).digest('hex').slice(0, 8)}`;
  return {
    labelSelector: selector,
    leaseName: (controller) => `${controller}-leader-election${suffix}`,
  };
}
