// `npm run test:cluster`: starts a real control plane (or takes the one that TEST_KUBECONFIG names), runs the suites on
// it and stops it again, however that ends. Arguments after `--` go to vitest, in place of the default projects.
import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startControlPlane } from './control-plane.ts';

// Examples run a reconciler for every object of the cluster: beside other suites it would do their work.
const ROUNDS = [['integration', 'slow', 'conformance'], ['examples']];
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error(`stopped by ${signal}`)));
}

try {
  process.exitCode = await main();
} catch (error) {
  const reason: unknown = interrupted.signal.aborted ? interrupted.signal.reason : error;
  console.error(reason instanceof Error ? reason.message : reason);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}

async function main(): Promise<number> {
  const own = process.env['TEST_KUBECONFIG'];
  if (own !== undefined && own !== '') {
    await access(own);
    return await runSuites({ TEST_KUBECONFIG: resolve(own) });
  }
  const started = performance.now();
  const cluster = await startControlPlane({ say: (line) => console.error(line), signal: interrupted.signal });
  try {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.error(`control plane ready at ${cluster.url} after ${seconds} s (KUBECONFIG=${cluster.kubeconfig})`);
    if (process.argv.includes('--only-start')) return await untilInterrupted();
    return await runSuites({ LOCKSTEP_TEST_CLUSTER: cluster.kubeconfig });
  } finally {
    await cluster.stop();
  }
}

async function runSuites(env: Record<string, string>): Promise<number> {
  const given = process.argv.slice(2).filter((word) => word !== '--');
  const rounds =
    given.length > 0 ? [given] : ROUNDS.map((projects) => projects.flatMap((project) => ['--project', project]));
  let result = 0;
  for (const args of rounds) {
    if (interrupted.signal.aborted) break;
    result = (await runVitest(args, env)) || result;
  }
  return result;
}

function runVitest(args: readonly string[], env: Record<string, string>): Promise<number> {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  return new Promise((finish, fail) => {
    const child = spawn(process.execPath, [vitest, 'run', '--passWithNoTests', ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    // The suites are a group of their own: whatever they started ends with them.
    const kill = (signal: NodeJS.Signals) => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // The group has ended already.
      }
    };
    const stop = () => {
      kill('SIGINT');
      setTimeout(() => kill('SIGKILL'), 10_000).unref();
    };
    interrupted.signal.addEventListener('abort', stop, { once: true });
    child.on('error', fail);
    child.on('exit', (code) => {
      interrupted.signal.removeEventListener('abort', stop);
      kill('SIGKILL');
      finish(interrupted.signal.aborted ? 130 : (code ?? 1));
    });
  });
}

/** For trying things by hand: `node test/cluster/run.ts --only-start` keeps the control plane until Ctrl-C. */
function untilInterrupted(): Promise<number> {
  const keepAlive = setInterval(() => {}, 60_000);
  return new Promise((finish) => {
    interrupted.signal.addEventListener('abort', () => {
      clearInterval(keepAlive);
      finish(0);
    });
  });
}
