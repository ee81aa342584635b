// A signal ends `up` and `run` in order, ready or not (lockstep.md §1).
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, watch } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, writeFiles } from '../support/git.ts';
import { projectRoot } from '../support/source-files.ts';

/** Runs lockstep, sends SIGTERM once `isTime` resolves, and answers how it ended. */
async function endEarly(args: readonly string[], isTime: () => Promise<void>) {
  const child = spawn(process.execPath, [join(projectRoot, 'src/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  await Promise.race([isTime(), ended]);
  child.kill('SIGTERM');
  return { ...(await ended), output };
}

describe('SIGTERM', () => {
  it('ends `up` before it is ready, and leaves no lock', async () => {
    const folder = temporaryFolder('ending');
    try {
      const state = join(folder.dir, 'state');
      mkdirSync(state);
      const locked = () =>
        new Promise<void>((resolve) => {
          const watcher = watch(state, (_event, name) => {
            if (name !== 'lock') return;
            watcher.close();
            resolve();
          });
        });

      const { code, output } = await endEarly(['up', '--state', state], locked);

      expect({ code, output }).toEqual({ code: 0, output: '' });
      expect(existsSync(join(state, 'lock'))).toBe(false);
    } finally {
      folder.remove();
    }
  });

  it('ends `run` while the API server does not answer', async () => {
    const folder = temporaryFolder('ending');
    let connected = (): void => {};
    const asked = new Promise<void>((resolve) => {
      connected = resolve;
    });
    const silent = createServer(() => connected());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const kubeconfig = join(folder.dir, 'kubeconfig');
    const config = {
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'c', user: { token: 't' } }],
    };
    writeFiles(folder.dir, { kubeconfig: JSON.stringify(config) });
    try {
      const args = ['run', '--kubeconfig', kubeconfig, '--state', join(folder.dir, 'state'), '--log-level=silent'];

      const { code, signal } = await endEarly(args, () => asked);

      expect({ code, signal }).toEqual({ code: 0, signal: null });
    } finally {
      silent.close();
      folder.remove();
    }
  });

  it('is not needed where a start fails: that ends by itself, with its reason', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const folder = temporaryFolder('ending');
    const kubeconfig = join(folder.dir, 'kubeconfig');
    writeFiles(folder.dir, { kubeconfig: '{}' });
    try {
      const never = () => new Promise<void>(() => {});
      const state = join(folder.dir, 'state');

      const broken = await endEarly(['run', '--kubeconfig', kubeconfig, '--state', state], never);

      expect(broken).toMatchObject({ code: 1, output: 'Error: kubeconfig has no current-context\n' });
      const up = await endEarly(['up', '--ephemeral', '--empty', '--http-port', String(port)], never);
      expect(up.code).toBe(1);
      expect(up.output).toContain('EADDRINUSE');
    } finally {
      taken.close();
      folder.remove();
    }
  });
});
