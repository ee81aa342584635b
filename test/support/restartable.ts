// Owns an embedded API server for suites that stop it and start it again, on the same port and with the same state.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts';
import type { ClusterChoice } from './cluster.ts';

export interface RestartableCluster extends ClusterChoice {
  /** Ends the server and all connections to it, and starts it on the same port and state. */
  restart(): Promise<void>;
}

const CLOSE_MS = 50;

/** An embedded API server that keeps its state on disk. */
export function restartableSandbox(): RestartableCluster {
  let dir = '';
  let sandbox: Sandbox | undefined;
  const open = async (port: number): Promise<Sandbox> =>
    startSandbox({
      stateDir: join(dir, 'state'),
      port,
      onBug: (error) => {
        throw error;
      },
    });
  return {
    name: 'sandbox',
    start: async () => {
      dir = await mkdtemp(join(tmpdir(), 'lockstep-sandbox-'));
      sandbox = await open(0);
      const kubeconfig = join(dir, 'kubeconfig');
      await writeFile(kubeconfig, sandbox.kubeconfig(), { mode: 0o600 });
      return {
        name: 'sandbox',
        kubeconfig,
        stop: async () => {
          await sandbox?.close();
          await rm(dir, { recursive: true, force: true });
        },
      };
    },
    restart: async () => {
      const port = Number(new URL(sandbox!.url).port);
      await sandbox!.close();
      sandbox = await open(port);
      // Clients in this process have not seen their connections end until the event loop went round.
      await sleep(CLOSE_MS);
    },
  };
}
