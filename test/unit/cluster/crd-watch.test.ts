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
let end: () => void;
beforeEach(async () => {
  api = new TinyApi([definitions]);
  const clock = new FakeClock();
  client = createTestClient(await api.start(), { clock });
  informers = new Informers({ rest: client.rest, discovery: client.discovery, clock, random: () => 0, log: silentLog });
  end = await followCustomResources(informers, client.discovery);
  await eventually(() => api.watching === 1, 'the watch');
});
afterEach(async () => {
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
});
