import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Discovery } from '../../../src/cluster/discovery.ts';
import { createTestClient } from '../../support/client.ts';
import { FakeClock } from '../../support/clock.ts';
import { events, TinyApi, widgets } from '../../support/tinyapi.ts';

let api: TinyApi;
let clock: FakeClock;
let discovery: Discovery;
let rest: ReturnType<typeof createTestClient>['rest'];
beforeEach(async () => {
  api = new TinyApi([widgets, events]);
  clock = new FakeClock();
  rest = createTestClient(await api.start()).rest;
  discovery = new Discovery(rest, { clock, minRefreshMs: 5_000 });
});
afterEach(async () => {
  await rest.close();
  await api.stop();
});

const widget = { apiVersion: 'example.dev/v1', kind: 'Widget' };
const gadget = { apiVersion: 'example.dev/v1', kind: 'Gadget' };

describe('Discovery', () => {
  it.each([false, true])('finds kinds of all groups (old discovery: %s)', async (legacy) => {
    api.legacyDiscovery = legacy;

    expect(await discovery.resolve(widget)).toMatchObject({
      group: 'example.dev',
      version: 'v1',
      kind: 'Widget',
      resource: 'widgets',
      singular: 'widget',
      namespaced: true,
      verbs: ['get', 'list', 'watch'],
      subresources: ['status'],
    });
    expect(await discovery.resolve({ apiVersion: 'v1', kind: 'Event' })).toMatchObject({
      group: '',
      resource: 'events',
    });
  });

  it('asks once for many who wait', async () => {
    const found = await Promise.all([discovery.resolve(widget), discovery.resolve(widget), discovery.all()]);

    expect(found[0]).toBe(found[1]);
    expect(api.requests.map(({ url }) => url)).toEqual(['/api', '/apis']);
  });

  it('asks again for an unknown kind, but not too often', async () => {
    await expect(discovery.resolve(gadget)).rejects.toMatchObject({
      code: 'NoMatch',
      message: 'no matches for kind "Gadget" in version "example.dev/v1"',
    });
    api.kinds.push({ ...widgets, kind: 'Gadget', resource: 'gadgets' });
    await expect(discovery.resolve(gadget)).rejects.toMatchObject({ code: 'NoMatch' });
    expect(api.requests).toHaveLength(2);

    await clock.advance(5_000);

    expect(await discovery.resolve(gadget)).toMatchObject({ resource: 'gadgets' });
    expect(api.requests).toHaveLength(4);
  });

  it('asks at once after kinds changed', async () => {
    await discovery.resolve(widget);
    api.kinds.push({ ...widgets, kind: 'Gadget', resource: 'gadgets' });

    discovery.invalidate();

    expect(await discovery.resolve(gadget)).toMatchObject({ resource: 'gadgets' });
  });

  it('hides no outage behind an unknown kind, and asks again at once', async () => {
    api.fault = (_request, response) => {
      response.writeHead(500).end();
      return true;
    };
    await expect(discovery.resolve(widget)).rejects.toMatchObject({ code: 'ApiInternalError' });

    api.fault = undefined;

    expect(await discovery.resolve(widget)).toMatchObject({ resource: 'widgets' });
  });
});
