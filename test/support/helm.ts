// Owns running the real helm in tests: which binary, against which server, with nothing of the user's in between.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { findTool } from '../cluster/build.ts';
import type { ClusterUse } from './cluster.ts';
import { type FileChanges, writeFiles } from './git.ts';
import type { Output } from './kubectl.ts';

export interface Helm {
  /** Runs it to the end; any exit code is an answer. */
  run(...args: string[]): Promise<Output>;
  /** Like `run`, but a failure throws with what it said. */
  ok(...args: string[]): Promise<string>;
  close(): Promise<void>;
}

/** The helm that the cluster tests built, or LOCKSTEP_HELM; undefined where there is none. */
export async function findHelm(): Promise<string | undefined> {
  return process.env['LOCKSTEP_HELM'] ?? (await findTool('helm'));
}

/** A helm bound to a kubeconfig and a namespace. */
async function createHelm(path: string, kubeconfig: string, namespace: string): Promise<Helm> {
  const home = await mkdtemp(join(tmpdir(), 'lockstep-helm-'));
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, HELM_NAMESPACE: namespace, KUBECONFIG: kubeconfig };
  const run = (...args: string[]): Promise<Output> =>
    new Promise((resolve, reject) => {
      const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      const texts = { stdout: '', stderr: '' };
      child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text));
      child.once('error', reject);
      child.once('close', (code) => resolve({ code: code ?? -1, ...texts }));
    });
  return {
    run,
    async ok(...args) {
      const { code, stdout, stderr } = await run(...args);
      if (code !== 0) throw new Error(`helm ${args.join(' ')} failed (${code}): ${stderr}${stdout}`);
      return stdout;
    },
    close: () => rm(home, { recursive: true, force: true }),
  };
}

/** A helm in each test's namespace, and charts in folders for it. Read it inside tests only. */
export interface HelmUse<Name extends string> extends Pick<Helm, 'run' | 'ok'> {
  /** The folder of a chart. */
  chart(name: Name): string;
}

/** Gives the suite around it the helm of `path` and `charts`, the files of each below `chart/`. */
export function useHelm<Name extends string>(
  path: string | undefined,
  cluster: ClusterUse,
  charts: Readonly<Record<Name, FileChanges>>,
): HelmUse<Name> {
  let helm: Helm | undefined;
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lockstep-charts-'));
    for (const [name, files] of Object.entries<FileChanges>(charts)) writeFiles(join(folder, name), files);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    helm = await createHelm(path!, cluster.kubeconfig, cluster.namespace);
  });
  afterEach(() => helm?.close());
  return {
    run: (...args) => helm!.run(...args),
    ok: (...args) => helm!.ok(...args),
    chart: (name) => join(folder, name, 'chart'),
  };
}
