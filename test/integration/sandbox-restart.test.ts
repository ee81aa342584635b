// The embedded API server killed at random moments: what it answered is there again, and nothing is half there.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSandbox } from '../../src/sandbox/server.ts';
import { until } from '../support/reconciler.ts';

const SERVER = new URL('../support/sandbox-process.ts', import.meta.url).pathname;
const KILLS = 5;

interface Identity {
  readonly caPem: string;
  readonly token: string;
}

describe('a killed server', () => {
  let dir: string;
  let child: ChildProcess | undefined;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-restart-'));
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  });

  async function start(): Promise<string> {
    child = spawn(process.execPath, [SERVER, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const chunk of child.stdout!) {
      const url = /https:\S+/.exec(String(chunk))?.[0];
      if (url) return url;
    }
    throw new Error('the server ended before it answered');
  }

  it('has every object that it acknowledged, and the same identity', async () => {
    const acknowledged = new Map<string, string>();
    let serial = 0;
    let identity: Identity | undefined;
    for (let round = 0; round < KILLS; round++) {
      const url = await start();
      const now = JSON.parse(await readFile(join(dir, 'identity.json'), 'utf8')) as Identity;
      expect(identity === undefined || now.token === identity.token).toBe(true);
      identity = now;
      const agent = new Agent({ connect: { ca: now.caPem }, allowH2: false });
      const write = async (): Promise<void> => {
        const name = `c${serial++}`;
        const answer = await request(`${url}/api/v1/namespaces/default/configmaps`, {
          method: 'POST',
          dispatcher: agent,
          headers: { authorization: `Bearer ${now.token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ metadata: { name }, data: { name, filler: 'x'.repeat(serial % 5000) } }),
        });
        const body = (await answer.body.json()) as { metadata: { uid: string } };
        if (answer.statusCode === 201) acknowledged.set(name, body.metadata.uid);
      };
      const writers = Array.from({ length: 4 }, async () => {
        for (;;) await write();
      });
      const ended = Promise.allSettled(writers);
      // Some are acknowledged however slow the machine is, and the end comes at another moment each time.
      const enough = acknowledged.size + 4;
      await until('acknowledged writes', () => acknowledged.size >= enough);
      await sleep(round * 37);
      child!.kill('SIGKILL');
      await ended;
      await agent.destroy();
    }

    const sandbox = await startSandbox({ stateDir: dir });
    const stored = new Map(
      sandbox.store
        .list({ group: '', resource: 'configmaps' }, { namespace: 'default' })
        .filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt')
        .map(({ metadata }) => [metadata.name, metadata.uid]),
    );
    await sandbox.close();

    expect(acknowledged.size).toBeGreaterThanOrEqual(4 * KILLS);
    for (const [name, uid] of acknowledged) expect(stored.get(name)).toBe(uid);
  });
});
