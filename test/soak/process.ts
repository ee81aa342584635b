// Owns the soaked process: `lockstep run` by way of a road that can be broken, and asking it what it holds.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterAccess } from '../../src/cluster/access.ts';
import { startCommand } from '../support/up.ts';
import type { Held } from './samples.ts';

export interface SoakedProcess {
  readonly pid: number;
  readonly stateDir: string;
  /** Collects garbage and tells what is left. */
  held(): Promise<Held>;
  /** What it logged. */
  output(): string;
  stop(): Promise<void>;
}

const PROBE = fileURLToPath(new URL('probe.mjs', import.meta.url));
const STOP_MS = 30_000;

/** Starts it. Failures are tried again within seconds, so that the world has settled soon after the last fault. */
export async function startSoaked(
  access: ClusterAccess,
  dir: string,
  logLevel: 'error' | 'debug',
): Promise<SoakedProcess> {
  const kubeconfig = join(dir, 'kubeconfig');
  await writeFile(kubeconfig, JSON.stringify(await kubeconfigOf(access)), { mode: 0o600 });
  const stateDir = join(dir, 'state');
  const flags = ['--kubeconfig', kubeconfig, '--state', stateDir, '--concurrent', '20', '--max-retry-delay', '5s'];
  const args = ['run', ...flags, '--http-port', '0', '--internal-port', '0', '--log-level', logLevel];
  const { process: child, ended, output } = await startCommand(args, ' is running: ', { probe: PROBE });
  return {
    pid: child.pid!,
    stateDir,
    output,
    held: () =>
      new Promise((resolve, reject) => {
        child.once('message', (message) => resolve(message as Held));
        child.send('held', (error) => error !== null && reject(error));
      }),
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function kubeconfigOf({ server, authorization }: ClusterAccess): Promise<object> {
  // Without a token the road shows the certificate of the access behind it.
  const token = (await authorization?.())?.replace('Bearer ', '');
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'soak',
    contexts: [{ name: 'soak', context: { cluster: 'soak', user: 'soak' } }],
    clusters: [{ name: 'soak', cluster: { server } }],
    users: [{ name: 'soak', user: token === undefined ? {} : { token } }],
  };
}
