import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DynamicClient } from '../../../src/cluster/client.ts';
import { followCustomResources } from '../../../src/cluster/crd-watch.ts';
import { Informers } from '../../../src/cluster/informers.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { createTestClient, eventually } from '../../support/client.ts';
import { FakeClock } from '../../support/clock.ts';
import { TinyApi, type TinyKind, widgets } from '../../support/tinyapi.ts';

const definitions: TinyKind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  resource: 'customresourcedefinitions',
  namespaced: false,
};
const widget = { apiVersion: 'example.dev/v1', kind: 'Widget' };

let api: TinyApi;
let client: DynamicClient;
let informers: Informers;
let clock: FakeClock;
let end: () => void;
let stopping: AbortController;
/** What `onChange` was told, in order. */
let told: boolean[];
beforeEach(async () => {
  api = new TinyApi([definitions]);
  clock = new FakeClock();
  told = [];
  stopping = new AbortController();
  client = createTestClient(await api.start(), { clock });
  informers = new Informers({ rest: client.rest, discovery: client.discovery, clock, random: () => 0, log: silentLog });
  // A server that is away when it begins only puts it off.
  api.fault = (_request, response) => {
    api.fail(response, 503, 'ServiceUnavailable', 'etcd has no leader');
    return true;
  };
  const following = followCustomResources(informers, client.discovery, {
    clock,
    log: silentLog,
    signal: stopping.signal,
    onChange: (isNew) => told.push(isNew),
  });
  await eventually(() => clock.untilNext === 5_000, 'the first try');
  api.fault = undefined;
  await clock.advance(5_000);
  end = await following;
  await eventually(() => api.watching === 1, 'the watch');
});
afterEach(async () => {
  stopping.abort();
  end();
  await informers.stop();
  await client.rest.close();
  await api.stop();
});

describe('followCustomResources', () => {
  it('lets a new kind be found at once, and a removed one be gone', async () => {
    await expect(client.discovery.resolve(widget)).rejects.toMatchObject({ code: 'NoMatch' });

    api.kinds.push(widgets);
    api.put(definitions, { metadata: { name: 'widgets.example.dev' } });
    await eventually(() => client.discovery.resolve(widget).then(Boolean, () => false), 'the kind');
    api.kinds = [definitions];
    api.delete(definitions, '', 'widgets.example.dev');
    await eventually(() => client.discovery.peek(widget) === undefined, 'the end of the kind');

    await expect(client.discovery.resolve(widget)).rejects.toMatchObject({ code: 'NoMatch' });
  });

  it('tells again while the server settles, and then no more', async () => {
    api.put(definitions, { metadata: { name: 'widgets.example.dev' } });
    await eventually(() => told.length === 1, 'the new definition');
    await clock.advance(500);
    api.put(definitions, { metadata: { name: 'widgets.example.dev' }, spec: { x: 1 } });
    await eventually(() => told.length === 2, 'the changed definition');
    expect(told).toEqual([true, false]);

    // A kind that its server lists only now.
    await expect(client.discovery.resolve(widget)).rejects.toMatchObject({ code: 'NoMatch' });
    api.kinds.push(widgets);
    await clock.advance(1_000);

    expect(told).toEqual([true, false, true]);
    expect(await client.discovery.resolve(widget)).toMatchObject({ resource: 'widgets' });
    await clock.advance(3_600_000);
    expect(told).toEqual([true, false, true, true, true, true]);
  });
});
