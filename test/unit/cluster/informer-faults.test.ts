// Whatever happens between client and server, the copy ends equal to the original, and its handlers saw each step once.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Informer } from '../../../src/cluster/informer.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { createTestClient, eventually } from '../../support/client.ts';
import { FakeClock } from '../../support/clock.ts';
import { TinyApi, widgets } from '../../support/tinyapi.ts';

const names = ['a', 'b', 'c'];
const step = fc.oneof(
  fc.record({ do: fc.constant('put' as const), name: fc.constantFrom(...names), size: fc.nat(5) }),
  fc.record({ do: fc.constant('delete' as const), name: fc.constantFrom(...names) }),
  fc.record({ do: fc.constantFrom('close', 'compact', 'bookmark', 'down', 'up', 'turn', 'half') }),
);

describe('Informer under faults', () => {
  it('ends equal to the server', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const api = new TinyApi();
        const clock = new FakeClock();
        const client = createTestClient(await api.start());
        const mapping = await client.discovery.resolve({ apiVersion: 'example.dev/v1', kind: 'Widget' });
        const informer = new Informer({ rest: client.rest, mapping, clock, random: () => 0.5, log: silentLog });
        const seen = new Map<string, string | undefined>();
        const wrong: string[] = [];
        informer.addHandler({
          add: ({ metadata }) => {
            if (seen.has(metadata.name)) wrong.push(`added twice: ${metadata.name}`);
            seen.set(metadata.name, metadata.resourceVersion);
          },
          update: ({ metadata }, old) => {
            if (seen.get(metadata.name) !== old.metadata.resourceVersion)
              wrong.push(`old is not the last: ${metadata.name}`);
            seen.set(metadata.name, metadata.resourceVersion);
          },
          delete: ({ metadata }) => {
            if (!seen.delete(metadata.name)) wrong.push(`deleted but never added: ${metadata.name}`);
          },
        });
        informer.start();
        try {
          for (const item of steps) {
            if (item.do === 'put')
              api.put(widgets, { metadata: { name: item.name, namespace: 'n' }, spec: { size: item.size } });
            else if (item.do === 'delete') api.delete(widgets, 'n', item.name);
            else await disturb(item.do, api);
          }
          api.fault = undefined;
          const last = api.put(widgets, { metadata: { name: 'last', namespace: 'n' } });
          await eventually(async () => {
            if (informer.get('n', 'last')?.metadata.uid === last.metadata.uid) return true;
            await clock.advance(1_000);
            return false;
          }, 'the last object');

          for (const name of [...names, 'last']) {
            const want = api.get('widgets', 'n', name)?.metadata.resourceVersion;
            expect(informer.get('n', name)?.metadata.resourceVersion).toBe(want);
            expect(seen.get(name)).toBe(want);
          }
          expect(wrong).toEqual([]);
        } finally {
          await informer.stop();
          await client.rest.close();
          await api.stop();
        }
      }),
      { numRuns: 30 },
    );
  });
});

async function disturb(what: string, api: TinyApi): Promise<void> {
  if (what === 'close') api.closeWatches();
  if (what === 'compact') api.compact();
  if (what === 'bookmark') api.bookmark();
  if (what === 'turn') await new Promise((resolve) => setTimeout(resolve, 1));
  if (what === 'half') for (const socket of api.sockets) socket.destroy();
  if (what === 'up') api.fault = undefined;
  if (what === 'down') {
    api.closeWatches();
    api.fault = (_request, response) => {
      response.writeHead(500).end('etcd has no leader');
      return true;
    };
  }
}
