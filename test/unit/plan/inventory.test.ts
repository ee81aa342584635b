import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  coversInventory,
  inventorySize,
  parseInventoryEntry,
  staleEntries,
  toInventoryEntry,
  unionInventory,
} from '../../../src/plan/inventory.ts';

const RBAC = 'rbac.authorization.k8s.io';

describe('inventory', () => {
  it.each([
    [
      'a namespaced object',
      { group: 'apps', kind: 'Deployment', namespace: 'a', name: 'web', version: 'v1' },
      'a_web_apps_Deployment',
    ],
    [
      'the core group',
      { group: '', kind: 'ConfigMap', namespace: 'a', name: 'cm1', version: 'v1' },
      'a_cm1__ConfigMap',
    ],
    [
      'a cluster-scoped object',
      { group: '', kind: 'Namespace', namespace: '', name: 'webapp', version: 'v1' },
      '_webapp__Namespace',
    ],
    [
      'an RBAC name with colons',
      { group: RBAC, kind: 'ClusterRole', namespace: '', name: 'system:x', version: 'v1' },
      `_system__x_${RBAC}_ClusterRole`,
    ],
  ])('writes and reads %s', (_name, reference, id) => {
    const entry = toInventoryEntry(reference);

    expect(entry).toEqual({ id, v: 'v1' });
    expect(parseInventoryEntry(entry)).toEqual(reference);
  });

  it.each(['', 'a', 'a_b', 'a_b_c', 'a__apps_Deployment', 'a_b_apps_'])('refuses the malformed id %j', (id) => {
    expect(parseInventoryEntry({ id, v: 'v1' })).toBeUndefined();
  });

  it('keeps every name that Kubernetes allows (property)', () => {
    const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
    fc.assert(
      fc.property(label, label, label, (namespace, name, group) => {
        const reference = { group, kind: 'Thing', namespace, name, version: 'v1' };
        expect(parseInventoryEntry(toInventoryEntry(reference))).toEqual(reference);
      }),
    );
  });

  it('never calls stale what is in the new inventory, and covers by the union (property)', () => {
    const entries = fc
      .uniqueArray(fc.integer({ min: 0, max: 20 }))
      .map((ids) => ids.map((id) => ({ id: `n_${id}__X`, v: 'v1' })));
    fc.assert(
      fc.property(entries, entries, (old, current) => {
        const stale = staleEntries(old, current);
        const union = unionInventory(old, current);
        expect(stale.filter((entry) => current.some(({ id }) => id === entry.id))).toEqual([]);
        expect(coversInventory(union, old) && coversInventory(union, current)).toBe(true);
        expect(new Set(union.map(({ id }) => id)).size).toBe(union.length);
      }),
    );
  });

  it('does not take another API version for another object', () => {
    expect(
      staleEntries([{ id: 'n_x_apps_Deployment', v: 'v1beta1' }], [{ id: 'n_x_apps_Deployment', v: 'v1' }]),
    ).toEqual([]);
  });

  it('knows about how much of a status it takes', () => {
    const entries = Array.from({ length: 10 }, (_, index) => ({ id: `ns_cm-${index}__ConfigMap`, v: 'v1' }));

    expect(inventorySize(entries)).toBe(JSON.stringify(entries).length - 1);
  });
});
