// Owns API servers for suites that take them away and start them again, on the same port and with the same state: the
// embedded one, and the kube-apiserver of a control plane that the suite has for itself.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { bindFreePort } from '../cluster/processes.ts';
import { type ClusterChoice, clusters } from './cluster.ts';

export interface RestartableCluster extends ClusterChoice {
  /** Ends the API server and all connections to it; a real one is killed. */
  down(): Promise<void>;
  /** Starts it again; resolves when it answers. */
  up(): Promise<void>;
}

const CLOSE_MS = 50;

/** Those of this run that may be restarted: a user's own cluster may not, and the shared one is in use by others. */
export const restartableClusters: readonly RestartableCluster[] = clusters.flatMap(({ name }) => {
  if (name === 'existing') return [];
  return [name === 'sandbox' ? restartableSandbox() : restartableControlPlane()];
});

/** An embedded API server that keeps its state on disk. */
function restartableSandbox(): RestartableCluster {
  let dir = '';
  let port = 0;
  let sandbox: Sandbox | undefined;
  const open = async (on: number): Promise<Sandbox> =>
    startSandbox({
      stateDir: join(dir, 'state'),
      port: on,
      onBug: (error) => {
        throw error;
      },
    });
  return {
    name: 'sandbox',
    start: async () => {
      dir = await mkdtemp(join(tmpdir(), 'lockstep-sandbox-'));
      port = await bindFreePort(async (free) => {
        sandbox = await open(free);
      });
      const kubeconfig = join(dir, 'kubeconfig');
      await writeFile(kubeconfig, sandbox!.kubeconfig(), { mode: 0o600 });
      return {
        name: 'sandbox',
        kubeconfig,
        stop: async () => {
          await sandbox?.close();
          await rm(dir, { recursive: true, force: true });
        },
      };
    },
    down: async () => {
      await sandbox?.close();
      // Clients in this process have not seen their connections end until the event loop went round.
      await sleep(CLOSE_MS);
    },
    up: async () => {
      sandbox = await open(port);
    },
  };
}

function restartableControlPlane(): RestartableCluster {
  let plane: ControlPlane | undefined;
  return {
    name: 'kube-apiserver',
    start: async () => {
      plane = await startControlPlane();
      const { kubeconfig, stop } = plane;
      return { name: 'kube-apiserver', kubeconfig, stop };
    },
    down: async () => plane?.killApiServer(),
    up: async () => plane?.startApiServer(),
  };
}
