import { describe, expect, it } from 'vitest';
import type { InventoryEntry } from '../../../src/api/kustomize/kustomization.ts';
import type { KubeObject, ObjectReference } from '../../../src/api/meta/object.ts';
import { asManifest } from '../../../src/apply/dry-run.ts';
import { type PruneOptions, pruneEntries } from '../../../src/apply/prune.ts';
import { apiErrorOf } from '../../../src/cluster/api-error.ts';
import type { DeleteOptions, DynamicClient } from '../../../src/cluster/client.ts';

const owner = { name: 'app', namespace: 'flux' };
const labels = { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': 'flux' };

function configMap(name: string, metadata: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: '5', labels, ...metadata },
  };
}

function entriesOf(...ids: readonly string[]): InventoryEntry[] {
  return ids.map((id) => ({ id, v: 'v1' }));
}

/** A client over some objects that notes what it is asked, in order; each deletion takes a turn of the event loop. */
function clientOf(objects: readonly KubeObject[], refusal?: (ref: ObjectReference) => Error | undefined) {
  const asked: string[] = [];
  const left = new Map(objects.map((object) => [object.metadata.name, object]));
  const client = {
    find: async ({ name }: ObjectReference) => {
      asked.push(`get ${name}`);
      return left.get(name);
    },
    delete: async (ref: ObjectReference, { uid, resourceVersion }: DeleteOptions) => {
      const state = resourceVersion === undefined ? '' : ` at ${resourceVersion}`;
      asked.push(`delete ${ref.name} ${uid}${state}`);
      await new Promise((resolve) => setImmediate(resolve));
      const refused = refusal?.(ref);
      if (refused !== undefined) throw refused;
      const live = left.get(ref.name);
      if (live !== undefined && resourceVersion !== undefined && live.metadata.resourceVersion !== resourceVersion) {
        throw apiErrorOf(409, '{"reason":"Conflict"}', 'DELETE');
      }
      asked.push(`gone ${ref.name}`);
      return left.delete(ref.name);
    },
  };
  return { asked, left, client: client as unknown as DynamicClient };
}

function watched(...objects: readonly KubeObject[]): PruneOptions['cached'] {
  const known = new Map(objects.map((object) => [object.metadata.name, asManifest(object)]));
  return async ({ id }) => known.get(id.split('_')[1] ?? '');
}

describe('pruneEntries', () => {
  it('deletes several objects of a kind at once, and kinds one after the other, the last one first', async () => {
    const service: KubeObject = { ...configMap('s'), kind: 'Service' };
    const { asked, client } = clientOf([configMap('a'), configMap('b'), service]);

    const { done } = await pruneEntries(entriesOf('ns_a__ConfigMap', 'ns_b__ConfigMap', 'ns_s__Service'), {
      client,
      owner,
    });

    expect(asked).toEqual([
      'get s',
      'delete s uid-s',
      'gone s',
      'get b',
      'get a',
      'delete b uid-b',
      'delete a uid-a',
      'gone b',
      'gone a',
    ]);
    expect(done.map(({ id }) => id)).toEqual(['Service/ns/s', 'ConfigMap/ns/b', 'ConfigMap/ns/a']);
  });

  it('reads nothing that a watch has, and deletes it only in the state that was seen', async () => {
    const { asked, left, client } = clientOf([configMap('a')]);

    const { done } = await pruneEntries(entriesOf('ns_a__ConfigMap'), {
      client,
      owner,
      cached: watched(configMap('a')),
    });

    expect(asked).toEqual(['delete a uid-a at 5', 'gone a']);
    expect(done).toMatchObject([{ action: 'deleted', live: { metadata: { uid: 'uid-a' } } }]);
    expect(left.size).toBe(0);
  });

  it.each([
    ['asks to be kept', { annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } }],
    ['is somebody else’s', { labels: {} }],
  ])('keeps what %s since the watch saw it', async (_name, change) => {
    const { asked, left, client } = clientOf([configMap('a', { resourceVersion: '6', ...change })]);

    const { done } = await pruneEntries(entriesOf('ns_a__ConfigMap'), {
      client,
      owner,
      cached: watched(configMap('a')),
    });

    expect(asked).toEqual(['delete a uid-a at 5', 'get a']);
    expect(done).toMatchObject([{ action: 'skipped' }]);
    expect(left.size).toBe(1);
  });

  it('believes a watch only what is to be deleted', async () => {
    const { asked, client } = clientOf([configMap('a')]);
    const seen = watched(configMap('a', { labels: {} }));

    await pruneEntries(entriesOf('ns_a__ConfigMap'), { client, owner, cached: seen });

    expect(asked).toEqual(['get a', 'delete a uid-a', 'gone a']);
  });

  it('tries all, and keeps what could not be deleted in the order of the inventory', async () => {
    const forbidden = apiErrorOf(403, '{"reason":"Forbidden","message":"no"}', 'DELETE');
    const { client } = clientOf([configMap('a'), configMap('b'), configMap('c')], ({ name }) =>
      name === 'b' ? undefined : forbidden,
    );
    const entries = entriesOf('ns_a__ConfigMap', 'malformed', 'ns_b__ConfigMap', 'ns_c__ConfigMap');

    const { done, survivors, errors } = await pruneEntries(entries, { client, owner });

    expect(done.map(({ id }) => id)).toEqual(['ConfigMap/ns/b']);
    expect(survivors.map(({ id }) => id)).toEqual(['ns_a__ConfigMap', 'malformed', 'ns_c__ConfigMap']);
    expect(errors).toEqual([
      expect.stringMatching(/^ConfigMap\/ns\/c delete failed: /),
      "inventory entry 'malformed' is malformed",
      expect.stringMatching(/^ConfigMap\/ns\/a delete failed: /),
    ]);
  });

  it('throws the reason of an abort, and begins nothing more', async () => {
    const { asked, client } = clientOf([configMap('a')]);
    const reason = new Error('superseded');

    await expect(
      pruneEntries(entriesOf('ns_a__ConfigMap'), { client, owner, signal: AbortSignal.abort(reason) }),
    ).rejects.toThrow(reason);
    expect(asked).toEqual([]);
  });
});
