import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { patchTypeOf } from '../../../src/objects/schema/patch-schema.ts';
import { jsonMergePatch, strategicMergePatch } from '../../../src/plan/client-side.ts';

const deployment = patchTypeOf('apps/v1', 'Deployment')!;
const pod = (spec: JsonObject): JsonObject => ({ spec: { template: { spec } } });
const inPod = (patch: JsonObject): JsonObject => (patch['spec'] as JsonObject)['template'] as JsonObject;
const strategic = (old: JsonObject, desired: JsonObject, live: JsonObject) =>
  strategicMergePatch({ old: pod(old), desired: pod(desired), live: pod(live) }, deployment);

describe('a strategic merge patch', () => {
  it('is empty when everything desired is live, whatever others have added', () => {
    const container = { name: 'web', image: 'web:1' };
    const live = { containers: [{ ...container, imagePullPolicy: 'Always' }, { name: 'mesh' }], dnsPolicy: 'Default' };

    expect(strategic({ containers: [container] }, { containers: [container] }, live)).toEqual({});
  });

  it('puts back what others changed, and takes away only what was ours', () => {
    const old = { nodeSelector: { ours: 'x', gone: 'y' }, hostname: 'a' };
    const desired = { nodeSelector: { ours: 'x' }, hostname: 'a' };
    const live = { nodeSelector: { ours: 'theirs', gone: 'y', their: 'z' }, hostname: 'b' };

    expect(strategic(old, desired, live)).toEqual(pod({ nodeSelector: { ours: 'x', gone: null }, hostname: 'a' }));
  });

  it('says nothing of what is gone from both', () => {
    expect(strategic({ hostname: 'a' }, {}, {})).toEqual({});
  });

  it('merges lists by their key, and sets the order', () => {
    const old = { containers: [{ name: 'web', image: 'web:1' }, { name: 'old' }] };
    const desired = {
      containers: [
        { name: 'new', image: 'new:1' },
        { name: 'web', image: 'web:2' },
      ],
    };
    const live = { containers: [{ name: 'mesh' }, { name: 'web', image: 'web:1' }, { name: 'old' }] };

    expect(inPod(strategic(old, desired, live))).toEqual({
      spec: {
        containers: [
          { $patch: 'delete', name: 'old' },
          { name: 'new', image: 'new:1' },
          { name: 'web', image: 'web:2' },
        ],
        '$setElementOrder/containers': [{ name: 'new' }, { name: 'web' }],
      },
    });
  });

  it('only sets the order when only that differs', () => {
    const [a, b] = [{ name: 'a' }, { name: 'b' }];

    expect(inPod(strategic({ containers: [a, b] }, { containers: [b, a] }, { containers: [a, b] }))).toEqual({
      spec: { '$setElementOrder/containers': [b, a] },
    });
  });

  it('replaces lists that do not merge', () => {
    const tolerations = [{ key: 'a' }];

    expect(strategic({}, { tolerations }, { tolerations: [{ key: 'a' }, { key: 'b' }] })).toEqual(pod({ tolerations }));
  });

  it('treats lists of texts as sets', () => {
    const meta = (finalizers: string[]): JsonObject => ({ metadata: { finalizers } });
    const ways = { old: meta(['a', 'b']), desired: meta(['a', 'c']), live: meta(['a', 'b', 'theirs']) };

    expect(strategicMergePatch(ways, deployment)).toEqual({
      metadata: {
        finalizers: ['c'],
        '$deleteFromPrimitiveList/finalizers': ['b'],
        '$setElementOrder/finalizers': ['a', 'c'],
      },
    });
  });

  it('retains only the named keys where another one would not fit', () => {
    const strategy = (value: JsonObject): JsonObject => ({ spec: { strategy: value } });
    const ways = {
      old: strategy({ type: 'RollingUpdate' }),
      desired: strategy({ type: 'Recreate' }),
      live: strategy({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } }),
    };

    expect(strategicMergePatch(ways, deployment)).toEqual(strategy({ type: 'Recreate', $retainKeys: ['type'] }));
  });

  it('replaces a list in which a key stands twice, unless it is as it should be', () => {
    const service = patchTypeOf('v1', 'Service')!;
    const ports = (...protocols: string[]): JsonObject => ({
      spec: { ports: protocols.map((protocol) => ({ port: 53, protocol })) },
    });
    const both = ports('TCP', 'UDP');

    expect(strategicMergePatch({ old: both, desired: both, live: both }, service)).toEqual({});
    const replaced = { spec: { ports: [...(both['spec'] as { ports: JsonObject[] }).ports, { $patch: 'replace' }] } };
    expect(strategicMergePatch({ old: ports('TCP'), desired: both, live: ports('TCP') }, service)).toEqual(replaced);
    // Taken over, or changed by others.
    expect(strategicMergePatch({ old: both, desired: both, live: ports('TCP') }, service)).toEqual(replaced);
  });

  it('refuses an item without the key', () => {
    const containers = [{ image: 'web:1' }];

    expect(() => strategic({}, { containers }, { containers: [{ name: 'web' }] })).toThrow(
      'containers: an item does not contain declared merge key: name',
    );
  });

  it('takes a null for the wish that the field goes', () => {
    expect(strategic({}, { hostname: null, subdomain: null }, { hostname: 'a' })).toEqual(pod({ hostname: null }));
  });

  it('is safe for keys of the prototype', () => {
    const desired = JSON.parse('{"metadata":{"annotations":{"__proto__":"x","constructor":"y"}}}') as JsonObject;

    const patch = strategicMergePatch({ old: {}, desired, live: { metadata: { annotations: {} } } }, deployment);

    expect(JSON.stringify(patch)).toBe('{"metadata":{"annotations":{"__proto__":"x","constructor":"y"}}}');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('a merge patch of a kind without strategies', () => {
  const old = { spec: { a: 1, gone: { b: 2 }, list: [1] } };
  const desired = { spec: { a: 2, list: [1, 2], new: { c: 3 } } };

  it('is what changed since the last time, whatever is live', () => {
    const live = { spec: { a: 5, their: true } };

    expect(jsonMergePatch({ old, desired, live }, { adopts: false })).toEqual({
      spec: { a: 2, list: [1, 2], new: { c: 3 }, gone: null },
    });
    expect(jsonMergePatch({ old: desired, desired, live }, { adopts: false })).toEqual({});
  });

  it('brings what is taken over to what is desired', () => {
    const live = { spec: { a: 2, list: [9], their: true } };

    expect(jsonMergePatch({ old: desired, desired, live }, { adopts: true })).toEqual({
      spec: { list: [1, 2], new: { c: 3 } },
    });
  });
});
