// Owns the surroundings of an example: a cluster with lockstep on it, a Git server, and a private one.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startGitServer } from '../../src/sandbox/gitserver.ts';
import { deploymentYaml } from '../support/build.ts';
import { type ClusterChoice, type RunningCluster, startEmbedded } from '../support/cluster.ts';
import { createWorkTree, git, writeFiles } from '../support/git.ts';
import { findKubectl } from '../support/kubectl.ts';
import { startReconcilerOn } from '../support/reconciler.ts';
import { startSourceServers } from './source-servers.ts';

export interface ExampleWorld {
  /** Variables that the README names. */
  readonly env: Record<string, string>;
  /** What the cluster says of our objects, for failures. */
  describe(): Promise<string>;
  stop(): Promise<void>;
}

export async function startExampleWorld(choice: ClusterChoice, name: string): Promise<ExampleWorld> {
  const folder = mkdtempSync(join(tmpdir(), `lockstep-${name}-`));
  const cluster = await choice.start();
  const root = join(folder, 'git');
  const open = await startGitServer({ root });
  const hidden = await startGitServer({
    root: join(folder, 'private'),
    basicAuth: { username: 'ada', password: 'lovelace' },
  });
  const repository = await hidden.createRepository('private');
  await fillPrivate(join(folder, 'work'), repository.dir);
  const reconciler = await startReconcilerOn(cluster.kubeconfig, join(folder, 'state'));
  const kubectl = (await findKubectl())!;
  // An example of several clusters has a second one, which is always embedded.
  const second = name === 'fleet' ? await startSecond(join(folder, 'second')) : undefined;
  const sources = name === 'sources' ? await startSourceServers(folder) : undefined;
  return {
    env: {
      PRODUCTION: cluster.kubeconfig,
      ...(second === undefined ? {} : { STAGING: second.kubeconfig }),
      KUBECONFIG: cluster.kubeconfig,
      GIT: open.url,
      GIT_ROOT: root,
      PRIVATE_GIT: hidden.url,
      ...sources?.env,
      ...(kubectl === 'kubectl' ? {} : { PATH: `${dirname(kubectl)}:${process.env['PATH']}` }),
    },
    describe: () =>
      run(kubectl, [
        '--kubeconfig',
        cluster.kubeconfig,
        'get',
        'gitrepositories,helmrepositories,ocirepositories,buckets,helmcharts,helmreleases,kustomizations',
        '-A',
        '-o',
        'yaml',
      ]),
    stop: async () => {
      await reconciler.stop();
      await second?.stop();
      await sources?.stop();
      await open.close();
      await hidden.close();
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startSecond(stateDir: string): Promise<Pick<RunningCluster, 'kubeconfig' | 'stop'>> {
  const cluster = await startEmbedded();
  const reconciler = await startReconcilerOn(cluster.kubeconfig, stateDir);
  return {
    kubeconfig: cluster.kubeconfig,
    stop: async () => {
      await reconciler.stop();
      await cluster.stop();
    },
  };
}

async function fillPrivate(work: string, bare: string): Promise<void> {
  await createWorkTree(work);
  writeFiles(work, {
    'deployment.yaml': deploymentYaml('hello-world-flask', 'lyzhang1999/hello-world-flask:latest', 2),
  });
  await git(work, 'add', '-A');
  await git(work, 'commit', '--quiet', '-m', 'Private');
  await git(work, 'push', '--quiet', bare, 'HEAD:main');
}

function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('close', () => resolve(output));
    child.on('error', () => resolve(''));
  });
}
