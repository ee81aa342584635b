// Clients that do not read, or read slowly, and bodies that are too large: they cost the embedded API server a bounded
// amount of memory and nobody else anything. What a real server does with its own memory is its affair.

import { setImmediate as turn } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/sandbox/object.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/server.ts';
import { type Api, connect as openApi } from '../../support/api.ts';
import { clusters, useCluster } from '../../support/cluster.ts';

const CONFIG_MAPS = { group: '', resource: 'configmaps' };
const PATH = '/api/v1/namespaces/default/configmaps';
const WATCHES = 1000;
const CHANGES = 4000;
const CHANGE_BYTES = 8 * 1024;
const MIB = 1024 * 1024;

/** The run for the real server alone has nothing to see here. */
const isEmbeddedTested = clusters.some(({ name }) => name === 'sandbox');

describe.runIf(isEmbeddedTested)('watches of the embedded server that nobody reads', () => {
  let sandbox: Sandbox;
  let api: Api;
  const bugs: unknown[] = [];
  const sockets: TLSSocket[] = [];

  beforeAll(async () => {
    sandbox = await startSandbox({ onBug: (error) => bugs.push(error) });
    api = openApi(sandbox.url, { ca: sandbox.caPem, token: sandbox.token });
    sandbox.store.create(CONFIG_MAPS, configMap('0'));
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await api.close();
    await sandbox.close();
  });

  it('cost a bounded amount of memory, and end when the history has moved on', async () => {
    for (let i = 0; i < WATCHES; i += 50) {
      sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => openWatch(sandbox)))));
    }
    const before = memory();

    for (let i = 1; i <= CHANGES; i++) {
      const live = sandbox.store.get(CONFIG_MAPS, 'default', 'big') as KubeObject;
      sandbox.store.update(CONFIG_MAPS, { ...live, data: configMap(String(i))['data'] });
      if (i % 20 === 0) await turn();
    }

    // Each watch may hold as much as a client is given before it has read, not the 32 MiB that were written.
    expect(memory() - before).toBeLessThan(WATCHES * MIB * 0.4);
    expect((await api.call('GET', `${PATH}/big`)).body).toMatchObject({ data: { i: String(CHANGES) } });
    const ended = await Promise.all(sockets.slice(0, 20).map(readToEnd));
    expect(ended).toEqual(Array.from({ length: 20 }, () => 'ended by the server'));
    expect(bugs).toEqual([]);
    // A bound on hanging: half a minute of computing, which a busy machine takes ten times as long for.
  }, 900_000);
});

for (const cluster of clusters) {
  describe(`${cluster.name}: bodies that are too large`, () => {
    const use = useCluster(cluster);

    it.each([
      {
        name: 'beyond the limit of requests',
        bytes: 3 * MIB + 1,
        status: 413,
        message: 'Request entity too large: limit is 3145728',
      },
      {
        name: 'beyond the limit of a ConfigMap',
        bytes: 2 * MIB,
        status: 422,
        message: 'ConfigMap "huge" is invalid: []: Too long: may not be more than 1048576 bytes',
      },
    ])('$name are refused', async ({ bytes, status, message }) => {
      const path = `/api/v1/namespaces/${use.namespace}/configmaps`;

      const answer = await use.admin.call('POST', path, {
        body: { metadata: { name: 'huge' }, data: { huge: 'x'.repeat(bytes) } },
      });

      expect({ status: answer.status, body: answer.body }).toMatchObject({ status, body: { message } });
      expect((await use.admin.call('GET', `${path}/huge`)).status).toBe(404);
    });
  });
}

function configMap(i: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'big', namespace: 'default' },
    data: { big: 'x'.repeat(CHANGE_BYTES), i },
  };
}

/** Resolves when the watch has begun; from then on nothing is read. */
function openWatch({ url, caPem, token }: Sandbox): Promise<TLSSocket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), ca: caPem, servername: 'localhost' });
    socket.on('error', reject);
    socket.once('data', () => {
      socket.pause();
      resolve(socket);
    });
    socket.write(`GET ${PATH}?watch=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  });
}

/** A stream that the server ends has an empty chunk as its last. */
function readToEnd(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let tail = '';
    socket.on('data', (chunk: Buffer) => {
      tail = (tail + chunk.toString('latin1')).slice(-7);
      if (tail.endsWith('\r\n0\r\n\r\n')) resolve('ended by the server');
    });
    socket.on('close', () => resolve('ended by the server'));
    socket.resume();
  });
}

/** What is in use, in bytes, without what only waits to be collected. */
function memory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
