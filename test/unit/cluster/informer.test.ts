import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/api/meta/object.ts';
import type { DynamicClient } from '../../../src/cluster/client.ts';
import { Informer, type InformerOptions } from '../../../src/cluster/informer.ts';
import { Informers } from '../../../src/cluster/informers.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { createTestClient, eventually } from '../../support/client.ts';
import { FakeClock, settle } from '../../support/clock.ts';
import { TinyApi, widgets } from '../../support/tinyapi.ts';

const kind = { apiVersion: 'example.dev/v1', kind: 'Widget' };

let api: TinyApi;
let client: DynamicClient;
let clock: FakeClock;
const started: { stop(): Promise<void> }[] = [];
beforeEach(async () => {
  api = new TinyApi();
  clock = new FakeClock();
  client = createTestClient(await api.start());
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((item) => item.stop()));
  await client.rest.close();
  await api.stop();
});

const put = (name: string, spec: object = {}, namespace = 'default') =>
  api.put(widgets, { metadata: { name, namespace }, spec });

async function start(more: Partial<InformerOptions<KubeObject>> = {}) {
  const mapping = await client.discovery.resolve(kind);
  const informer = new Informer({ rest: client.rest, mapping, clock, random: () => 1, log: silentLog, ...more });
  started.push(informer);
  const seen: string[] = [];
  informer.addHandler({
    add: (object) => seen.push(`+${object.metadata.name}`),
    update: (object, old) =>
      seen.push(`~${object.metadata.name} ${old.metadata.resourceVersion !== object.metadata.resourceVersion}`),
    delete: (object) => seen.push(`-${object.metadata.name}`),
  });
  informer.start();
  await informer.waitForSync();
  await eventually(() => api.watching === 1, 'the watch');
  seen.sort();
  return { informer, seen };
}

const watches = () =>
  api.requests.filter(({ url }) => url.includes('watch=true')).map(({ url }) => new URL(url, 'http://x').searchParams);

describe('Informer', () => {
  it('lists by pages, then follows every change', async () => {
    for (let at = 0; at < 1_100; at++) put(`w${at}`);
    const { informer, seen } = await start();
    expect(informer.size).toBe(1_100);
    expect(api.calls).toHaveLength(3);
    seen.length = 0;

    put('new');
    put('w1', { size: 2 });
    api.delete(widgets, 'default', 'w2');
    await eventually(() => seen.length === 3, 'three changes');

    expect(seen).toEqual(['+new', '~w1 true', '-w2']);
    expect(informer.get('default', 'w1')).toMatchObject({ ...kind, spec: { size: 2 } });
    expect(informer.get('default', 'w2')).toBeUndefined();
  });

  it('asks for bookmarks and resumes from the last one', async () => {
    put('w');
    const { seen } = await start();
    api.bookmark();
    await settle();
    const marked = api.put(widgets, { metadata: { name: 'other', namespace: 'default' } });
    await eventually(() => seen.includes('+other'), 'the add');

    api.closeWatches();
    await eventually(() => watches().length === 2, 'the second watch');

    expect(watches()[0]?.get('allowWatchBookmarks')).toBe('true');
    expect(watches()[0]?.get('timeoutSeconds')).toBe('600');
    expect(watches()[1]?.get('resourceVersion')).toBe(marked.metadata.resourceVersion);
    expect(api.calls).toHaveLength(1);
  });

  it('misses nothing that happens while its watch is closed', async () => {
    const { seen } = await start();
    put('w');
    await eventually(() => seen.includes('+w'), 'the add');
    api.fault = (request, response) => {
      if (!request.url?.includes('watch=true')) return false;
      response.destroy();
      return true;
    };
    api.closeWatches();
    put('w', { size: 1 });
    api.delete(widgets, 'default', 'w');
    await eventually(() => clock.pending > 0, 'the back-off');

    api.fault = undefined;
    await clock.advance(30_000);
    await eventually(() => seen.includes('-w'), 'the delete');

    expect(seen).toEqual(['+w', '~w true', '-w']);
  });

  it('lists again when its version is too old, and tells only what differs', async () => {
    put('kept');
    put('changed');
    put('gone');
    const { seen } = await start();
    seen.length = 0;
    api.fault = (request, response) => {
      if (!request.url?.includes('watch=true')) return false;
      response.destroy();
      return true;
    };
    api.closeWatches();
    put('changed', { size: 1 });
    api.delete(widgets, 'default', 'gone');
    put('added');
    api.compact();
    api.put(widgets, { metadata: { name: 'other', namespace: 'default' } });
    await eventually(() => clock.pending > 0, 'the back-off');

    api.fault = undefined;
    await clock.advance(30_000);
    await eventually(() => seen.length >= 4, 'the second list');

    expect(seen.sort()).toEqual(['+added', '+other', '-gone', '~changed true']);
  });

  it('lists again on an error inside the stream', async () => {
    const { informer } = await start();
    let lists = 0;
    api.fault = (request, response) => {
      if (!request.url?.includes('watch=true')) {
        lists++;
        return false;
      }
      if (lists > 0) return false;
      const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
      response.writeHead(200).end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return true;
    };
    put('w');
    await eventually(() => informer.size === 1, 'the add');

    api.closeWatches();
    await eventually(() => lists === 1, 'the second list');

    expect(informer.size).toBe(1);
  });

  it('backs off between failing lists from 0.8 to 30 s, and says why it fails', async () => {
    const mapping = await client.discovery.resolve(kind);
    api.fault = (_request, response) => {
      api.fail(response, 403, 'Forbidden', 'widgets is forbidden');
      return true;
    };
    const informer = new Informer({ rest: client.rest, mapping, clock, random: () => 1, log: silentLog });
    started.push(informer);
    const delays: number[] = [];

    informer.start();
    await expect(informer.waitForSync({ failFast: true })).rejects.toMatchObject({ code: 'ApiForbidden' });
    for (let round = 1; round <= 7; round++) {
      await eventually(
        () => api.calls.length === round && clock.untilNext !== undefined && clock.pending === 1,
        'the back-off',
      );
      delays.push(clock.untilNext!);
      await clock.advance(clock.untilNext!);
    }

    expect(delays).toEqual([800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
    expect(informer.error?.message).toBe('widgets is forbidden');
    expect(informer.synced).toBe(false);
  });

  it('says that it follows again as soon as the server has begun to answer', async () => {
    const { informer } = await start();
    let recoveries = 0;
    informer.addHandler({ recovered: () => recoveries++ });
    api.fault = (_request, response) => {
      api.fail(response, 503, 'ServiceUnavailable', 'etcd has no leader');
      return true;
    };
    api.closeWatches();
    await eventually(() => clock.pending > 0, 'the pause');
    await clock.advance(1_000);
    await eventually(() => informer.error !== undefined, 'the failure');
    expect(recoveries).toBe(0);

    api.fault = undefined;
    await clock.advance(30_000);
    await eventually(() => informer.error === undefined, 'the end of the failure');

    expect(api.watching).toBe(1);
    expect(recoveries).toBe(1);
  });

  it('calls an object that was replaced meanwhile two objects', async () => {
    const { informer, seen } = await start();
    put('w');
    await eventually(() => seen.length === 1, 'the add');
    api.fault = (request, response) => {
      if (!request.url?.includes('watch=true')) return false;
      response.destroy();
      return true;
    };
    api.closeWatches();
    api.delete(widgets, 'default', 'w');
    put('w');
    api.compact();
    put('x');
    await eventually(() => clock.pending > 0, 'the back-off');
    api.fault = undefined;
    await clock.advance(30_000);
    await eventually(() => informer.size === 2, 'the second list');

    expect(seen).toEqual(['+w', '-w', '+w', '+x']);
  });

  it('finds objects by index, as they change', async () => {
    put('a', { source: 'one' });
    put('b', { source: 'one' });
    const { informer, seen } = await start();
    informer.addIndex('source', (object) => [(object as unknown as { spec: { source: string } }).spec.source]);
    const names = (value: string) => informer.byIndex('source', value).map(({ metadata }) => metadata.name);
    expect(names('one')).toEqual(['a', 'b']);

    put('a', { source: 'two' });
    api.delete(widgets, 'default', 'b');
    await eventually(() => seen.length === 4, 'the changes');

    expect(names('one')).toEqual([]);
    expect(names('two')).toEqual(['a']);
    expect(() => informer.byIndex('nothing', 'x')).toThrow('there is no index nothing');
  });

  it('transforms before it stores, and asks for metadata only', async () => {
    put('a', { secret: 'x' });
    const transform = (object: KubeObject) => ({ ...object, spec: undefined });

    const { informer } = await start({ transform, metadataOnly: true, namespace: 'default', labelSelector: 'a=b' });

    expect(informer.list('default')[0]).toMatchObject({ ...kind, spec: undefined });
    const accepts = api.requests.slice(2).map(({ url, headers }) => [url.split('?')[0], headers.accept]);
    expect(accepts).toEqual([
      [
        '/apis/example.dev/v1/namespaces/default/widgets',
        'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      ],
      [
        '/apis/example.dev/v1/namespaces/default/widgets',
        'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      ],
    ]);
    expect(api.calls[0]).toContain('labelSelector=a%3Db');
  });

  it('keeps going when a handler throws', async () => {
    const { informer, seen } = await start();
    informer.addHandler({
      add: () => {
        throw new Error('bug');
      },
    });

    put('a');
    put('b');
    await eventually(() => seen.length === 2, 'both adds');

    expect(seen).toEqual(['+a', '+b']);
  });

  it('stops for good', async () => {
    const { informer } = await start();

    await informer.stop();

    await eventually(() => api.watching === 0, 'the end of the watch');
    await expect(informer.waitForSync()).resolves.toBeUndefined();
  });
});

describe('Informers', () => {
  const create = (lingerMs: number) => {
    const { rest, discovery } = client;
    const informers = new Informers({ rest, discovery, clock, random: () => 0, log: silentLog, lingerMs });
    started.push(informers);
    return informers;
  };

  it('share one informer per resource and selection', async () => {
    const informers = create(1_000);

    const [a, b, c] = await Promise.all([
      informers.acquire(kind),
      informers.acquire(kind),
      informers.acquire(kind, { labelSelector: 'a=b' }),
    ]);

    expect(a.informer).toBe(b.informer);
    expect(a.informer).not.toBe(c.informer);
    expect(informers.running()).toEqual(['widgets.v1.example.dev|||||', 'widgets.v1.example.dev||a=b|||']);
  });

  it('stop some time after the last release, unless somebody comes back', async () => {
    const informers = create(1_000);
    const first = await informers.acquire(kind);
    await first.informer.waitForSync();
    first.release();
    first.release();
    await clock.advance(999);
    const second = await informers.acquire(kind);
    await clock.advance(5_000);
    expect(second.informer).toBe(first.informer);

    second.release();
    await clock.advance(1_000);

    expect(informers.running()).toEqual([]);
    expect((await informers.acquire(kind)).informer).not.toBe(first.informer);
  });

  it('refuse a kind that the server does not have', async () => {
    await expect(create(0).acquire({ ...kind, kind: 'Gadget' })).rejects.toMatchObject({ code: 'NoMatch' });
  });
});
