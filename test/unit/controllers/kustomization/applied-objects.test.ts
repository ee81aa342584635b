// The watching of applied objects where the watch alone does not tell: what is gone before it is followed, and what the
// watch does not select.
import { describe, expect, it } from 'vitest';
import type { Informers } from '../../../../src/cluster/informers.ts';
import { AppliedObjects, type FollowedObject } from '../../../../src/controllers/kustomization/applied-objects.ts';
import { silentLog } from '../../../../src/lib/log.ts';
import { identityKey, type Manifest, referenceOf } from '../../../../src/objects/manifest.ts';
import { markApplied } from '../../../../src/plan/drift.ts';
import { FakeClock, settle } from '../../../support/clock.ts';

const LABEL = 'kustomize.toolkit.fluxcd.io/name';
const MANAGER = 'kustomize-controller';
const configMap = (labels: Record<string, string>, resourceVersion = '7', time = '2026-01-01T00:00:00Z'): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'cm',
    namespace: 'ns',
    uid: '1',
    resourceVersion,
    labels,
    managedFields: [{ manager: MANAGER, operation: 'Apply', time, fieldsV1: {} }],
  },
});
const followed = (object: Manifest): FollowedObject => ({
  reference: referenceOf(object),
  mark: markApplied(object, object, MANAGER),
  resourceVersion: '7',
});

/** Applied objects whose informer has what the test says, and the keys that were brought back. */
function create() {
  const clock = new FakeClock();
  const informer = {
    synced: true,
    error: undefined as Error | undefined,
    get: (): unknown => undefined,
    addHandler: ({ update }: { update(object: unknown): void }) => {
      seen = update;
      return () => {};
    },
    waitForSync: async () => {},
  };
  let seen = (_object: unknown): void => {};
  const woken: string[] = [];
  const informers = {
    error: undefined as Error | undefined,
    shares: 0,
    acquire: async () => {
      if (informers.error !== undefined) throw informers.error;
      informers.shares += 1;
      return { informer, release: () => (informers.shares -= 1) };
    },
  };
  const objects = new AppliedObjects({
    informers: informers as unknown as Informers,
    manager: MANAGER,
    takenManagers: [],
    labelSelector: LABEL,
    clock,
    log: silentLog,
    enqueue: (key, trigger) => woken.push(`${key} ${trigger}`),
  });
  return { clock, informer, informers, objects, woken, see: (object: Manifest) => seen(object) };
}

describe('AppliedObjects', () => {
  it('notices that an object was deleted before it was followed', async () => {
    const { clock, objects, woken } = create();

    await objects.follow('ns/app', [followed(configMap({ [LABEL]: 'app' }))], []);
    await clock.advance(2_000);

    expect(objects.drifted('ns/app')).toMatchObject([{ drift: { because: 'deleted' } }]);
    expect(woken).toEqual(['ns/app drift']);
  });

  it('notices it when the server is back, when it was away at the second look', async () => {
    const { clock, informer, objects, woken } = create();
    informer.error = new Error('connection refused');

    await objects.follow('ns/app', [followed(configMap({ [LABEL]: 'app' }))], []);
    await clock.advance(10_000);
    expect(woken).toEqual([]);
    informer.error = undefined;
    await clock.advance(2_000);

    expect(woken).toEqual(['ns/app drift']);
  });

  it('looks no further for an object that came meanwhile', async () => {
    const { clock, informer, objects, woken } = create();
    const live = configMap({ [LABEL]: 'app' });

    await objects.follow('ns/app', [followed(live)], []);
    informer.get = () => live;
    await clock.advance(10_000);

    expect(woken).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('keeps no watch for a Kustomization that is forgotten while its watches begin', async () => {
    const { informers, objects } = create();
    const acquire = informers.acquire;
    const reference = { apiVersion: 'v1', kind: 'Secret', namespace: 'ns', name: 'theirs' };
    let forget = false;
    informers.acquire = async () => {
      const lease = await acquire();
      if (forget) objects.forget('ns/app');
      return lease;
    };

    await objects.follow('ns/app', [followed(configMap({ [LABEL]: 'app' }))], [{ id: 'theirs', reference }]);
    expect(informers.shares).toBe(2);
    objects.forget('ns/app');
    forget = true;
    await objects.follow('ns/app', [], [{ id: 'theirs', reference }]);
    await settle();

    expect(informers.shares).toBe(0);
  });

  it('watches a kind again that could not be watched once, and leaves the watch of others alone', async () => {
    const { informers, objects } = create();
    const object = followed(configMap({ [LABEL]: 'app' }));
    const cm = identityKey(object.reference);
    informers.error = new Error('connection refused');
    await objects.follow('ns/app', [object], []);
    expect(objects.unwatched('ns/app')).toEqual([cm]);
    informers.error = undefined;

    await objects.follow('ns/other', [object], []);
    objects.forget('ns/app');
    await settle();
    expect(informers.shares).toBe(1);
    await objects.follow('ns/app', [object], []);
    objects.forget('ns/other');
    await settle();

    expect(objects.unwatched('ns/app')).toEqual([]);
    expect(informers.shares).toBe(1);
    objects.forget('ns/app');
    await settle();
    expect(informers.shares).toBe(0);
  });

  it('watches a kind once for all who begin at once, and not for one who is forgotten meanwhile', async () => {
    const { informers, objects } = create();
    const object = followed(configMap({ [LABEL]: 'app' }));

    const following = ['ns/a', 'ns/b', 'ns/c'].map((owner) => objects.follow(owner, [object], []));
    objects.forget('ns/c');
    await Promise.all(following);
    expect(informers.shares).toBe(1);
    for (const owner of ['ns/a', 'ns/b']) objects.forget(owner);
    await settle();

    expect(informers.shares).toBe(0);
  });

  describe('of a late write', () => {
    const first = configMap({ [LABEL]: 'app' });
    const inTheSameSecond = configMap({ [LABEL]: 'app' }, '8');
    const later = configMap({ [LABEL]: 'app' }, '8', '2026-01-01T00:00:01Z');
    const late = [{ drift: { because: 'applied again' } }];

    it('is told by the time of the apply', async () => {
      const { objects, woken, see } = create();
      await objects.follow('ns/app', [followed(first)], []);

      see(later);

      expect(objects.drifted('ns/app')).toMatchObject(late);
      expect(woken).toEqual(['ns/app drift']);
    });

    it('takes what a pass of the owner writes for none', async () => {
      const { objects, woken, see } = create();
      await objects.follow('ns/app', [followed(first)], []);

      await objects.writing('ns/app', async () => see(later));

      expect(objects.drifted('ns/app')).toEqual([]);
      expect(woken).toEqual([]);
    });

    it('looks again at what came while the marks of a pass were made', async () => {
      const { informer, objects, see } = create();
      await objects.follow('ns/app', [followed(first)], []);
      informer.get = () => later;

      await objects.writing('ns/app', async () => {
        see(later);
        await objects.follow('ns/app', [followed(first)], []);
      });

      expect(objects.drifted('ns/app')).toMatchObject(late);
    });

    it('doubts what follows a write without an answer, in the same second too, for a minute', async () => {
      const { clock, objects, see } = create();
      await objects.follow('ns/app', [followed(first)], []);

      see(inTheSameSecond);
      expect(objects.drifted('ns/app')).toEqual([]);
      objects.doubt(referenceOf(first));
      see(inTheSameSecond);
      expect(objects.drifted('ns/app')).toMatchObject(late);
      await clock.advance(60_000);
      see(inTheSameSecond);
      expect(objects.drifted('ns/app')).toEqual([]);
    });
  });

  it.each([
    [true, { [LABEL]: 'app' }],
    [false, {}],
  ])('says %s to whether the watch tells of an object with the labels %j', async (isWatched, labels) => {
    const { objects } = create();
    const target = {
      id: 'ConfigMap/ns/cm',
      reference: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'cm' },
    };

    await objects.follow('ns/app', [followed(configMap(labels))], [target]);

    expect(objects.isWatched('ns/app', target)).toBe(isWatched);
  });
});
