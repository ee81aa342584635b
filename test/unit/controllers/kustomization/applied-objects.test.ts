// The watching of applied objects where the watch alone does not tell: what is gone before it is followed, and what the
// watch does not select.
import { describe, expect, it } from 'vitest';
import type { Informers } from '../../../../src/cluster/informers.ts';
import { AppliedObjects, type FollowedObject } from '../../../../src/controllers/kustomization/applied-objects.ts';
import { silentLog } from '../../../../src/lib/log.ts';
import { type Manifest, referenceOf } from '../../../../src/objects/manifest.ts';
import { markApplied } from '../../../../src/plan/drift.ts';
import { FakeClock } from '../../../support/clock.ts';

const LABEL = 'kustomize.toolkit.fluxcd.io/name';
const MANAGER = 'kustomize-controller';
const configMap = (labels: Record<string, string>): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'cm', namespace: 'ns', uid: '1', resourceVersion: '7', labels },
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
    addHandler: () => () => {},
    waitForSync: async () => {},
  };
  const woken: string[] = [];
  const objects = new AppliedObjects({
    informers: { acquire: async () => ({ informer, release: () => {} }) } as unknown as Informers,
    manager: MANAGER,
    takenManagers: [],
    labelSelector: LABEL,
    clock,
    log: silentLog,
    enqueue: (key, trigger) => woken.push(`${key} ${trigger}`),
  });
  return { clock, informer, objects, woken };
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
