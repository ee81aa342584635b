// Owns running the real kubectl in tests: which binary, against which server, with nothing of the user's in between.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool } from '../cluster/build.ts';

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Kubectl {
  /** Runs it to the end; any exit code is an answer. */
  run(args: readonly string[], options?: { stdin?: string; env?: Record<string, string> }): Promise<Output>;
  /** Like `run`, but a failure throws with what it said. */
  ok(args: readonly string[], options?: { stdin?: string; env?: Record<string, string> }): Promise<string>;
  close(): Promise<void>;
}

const OLDEST = [1, 27] as const;

let found: Promise<string | undefined> | undefined;

/**
 * The PATH's kubectl if it is 1.27 or newer, else the one that the cluster tests built; undefined when neither is.
 * Asking it for its version starts a process: a file of tests does that once.
 */
export function findKubectl(): Promise<string | undefined> {
  found ??= lookForKubectl();
  return found;
}

async function lookForKubectl(): Promise<string | undefined> {
  if (await isNewEnough('kubectl')) return 'kubectl';
  return await findTool('kubectl');
}

async function isNewEnough(path: string): Promise<boolean> {
  const { code, stdout } = await execute(path, ['version', '--client', '-o', 'json'], {}).catch(() => ({
    code: 1,
    stdout: '',
  }));
  if (code !== 0) return false;
  const { major, minor } = (JSON.parse(stdout) as { clientVersion: { major: string; minor: string } }).clientVersion;
  const [wantedMajor, wantedMinor] = OLDEST;
  return Number(major) > wantedMajor || (Number(major) === wantedMajor && Number.parseInt(minor, 10) >= wantedMinor);
}

/**
 * A kubectl bound to a kubeconfig, with a discovery cache of its own: ports come back with other servers behind them.
 * Running it throws where there is none that is new enough.
 */
export async function createKubectl(kubeconfig: string, namespace?: string): Promise<Kubectl> {
  const home = await mkdtemp(join(tmpdir(), 'lockstep-kubectl-'));
  const fixed = ['--kubeconfig', kubeconfig, ...(namespace === undefined ? [] : ['--namespace', namespace])];
  const base = { PATH: process.env['PATH'] ?? '', HOME: home, KUBECACHEDIR: join(home, 'cache') };
  const run: Kubectl['run'] = async (args, { stdin, env } = {}) => {
    const path = await findKubectl();
    if (path === undefined)
      throw new Error(`kubectl ${OLDEST.join('.')} or newer is needed (PATH or test/cluster/build.ts)`);
    return execute(path, [...fixed, ...args], { ...base, ...env }, stdin);
  };
  return {
    run,
    async ok(args, options) {
      const { code, stdout, stderr } = await run(args, options);
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed (${code}): ${stderr}${stdout}`);
      return stdout;
    },
    close: () => rm(home, { recursive: true, force: true }),
  };
}

function execute(path: string, args: readonly string[], env: NodeJS.ProcessEnv, stdin?: string): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { env: { PATH: process.env['PATH'], ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.end(stdin ?? '');
  });
}
