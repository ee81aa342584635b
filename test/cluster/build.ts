// Owns where the real binaries of the cluster tests come from: KUBEBUILDER_ASSETS, the cache folder, else a Go build of
// the modules pinned beside this file. It starts none of them.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isAlive } from './stale.ts';

interface Tool {
  /** The folder beside this file that holds the go.mod and go.sum. */
  readonly folder: string;
  readonly module: string;
  readonly package: string;
  /** Linker variables that carry the version, by their full name. */
  readonly stamp: (version: string, pinned: Pins) => Readonly<Record<string, string>>;
}

/** The version that a go.mod requires of a module, with its `v`. */
type Pins = (module: string) => string;

const KUBERNETES = { folder: '.', module: 'k8s.io/kubernetes', stamp: kubernetesStamp } as const;

const TOOLS = {
  kustomize: {
    folder: 'kustomize',
    module: 'sigs.k8s.io/kustomize/kustomize/v5',
    package: 'sigs.k8s.io/kustomize/kustomize/v5',
    stamp: (version) => ({ 'sigs.k8s.io/kustomize/api/provenance.version': version }),
  },
  gofakes3: {
    folder: 'gofakes3',
    module: 'github.com/johannesboyne/gofakes3',
    package: 'github.com/johannesboyne/gofakes3/cmd/gofakes3',
    stamp: () => ({}),
  },
  helm: {
    folder: 'helm',
    module: 'helm.sh/helm/v3',
    package: 'helm.sh/helm/v3/cmd/helm',
    stamp: helmStamp,
  },
  etcd: {
    folder: 'etcd',
    module: 'go.etcd.io/etcd/server/v3',
    package: 'go.etcd.io/etcd/server/v3',
    stamp: () => ({}),
  },
  'kube-apiserver': { ...KUBERNETES, package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  kubectl: { ...KUBERNETES, package: 'k8s.io/kubernetes/cmd/kubectl' },
  'kube-controller-manager': { ...KUBERNETES, package: 'k8s.io/kubernetes/cmd/kube-controller-manager' },
  'kube-scheduler': { ...KUBERNETES, package: 'k8s.io/kubernetes/cmd/kube-scheduler' },
  kwok: {
    folder: 'kwok',
    module: 'sigs.k8s.io/kwok',
    package: 'sigs.k8s.io/kwok/cmd/kwok',
    stamp: (version) => ({ 'sigs.k8s.io/kwok/pkg/consts.Version': version }),
  },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;

/** Every tool that can be built, cheapest first. */
export const toolNames = Object.keys(TOOLS) as readonly ToolName[];

const here = dirname(fileURLToPath(import.meta.url));

/**
 * The path of a runnable binary: from KUBEBUILDER_ASSETS, from the cache folder, or built now into the cache.
 * A changed pin or linker variable changes the cache key, so it builds again. `say` gets one line before a build and
 * one after it.
 */
export async function toolPath(name: ToolName, say: (line: string) => void = () => {}): Promise<string> {
  const found = await findTool(name);
  if (found !== undefined) return found;
  return await buildTool(name, say);
}

/** Like `toolPath`, but `undefined` where a build would be needed. */
export async function findTool(name: ToolName): Promise<string | undefined> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && (await isRunnable(join(assets, name)))) return join(assets, name);
  const cached = (await cachePlan(name)).path;
  return (await isRunnable(cached)) ? cached : undefined;
}

/** The version that the pinned module of a tool has, with its `v`. */
export async function toolVersion(name: ToolName): Promise<string> {
  return (await readPins(TOOLS[name].folder))(TOOLS[name].module);
}

interface CachePlan {
  readonly path: string;
  readonly version: string;
  readonly flags: string;
}

async function cachePlan(name: ToolName): Promise<CachePlan> {
  const tool: Tool = TOOLS[name];
  const folder = join(here, tool.folder);
  const goMod = await readFile(join(folder, 'go.mod'), 'utf8');
  const goSum = await readFile(join(folder, 'go.sum'), 'utf8');
  const pinned = await readPins(tool.folder);
  const version = pinned(tool.module);
  const stamp = Object.entries(tool.stamp(version, pinned));
  const flags = ['-s', '-w', ...stamp.map(([key, value]) => `-X=${key}=${value}`)].join(' ');
  const key = createHash('sha256').update([goMod, goSum, tool.package, flags].join('\0')).digest('hex').slice(0, 12);
  return {
    path: join(cacheFolder(), `${tool.folder === '.' ? 'kubernetes' : tool.folder}-${version}-${key}`, name),
    version,
    flags,
  };
}

function cacheFolder(): string {
  return join(process.env['LOCKSTEP_CACHE'] ?? join(homedir(), '.cache', 'lockstep'), 'bin');
}

async function readPins(folder: string): Promise<Pins> {
  const versions = new Map<string, string>();
  for (const line of (await readFile(join(here, folder, 'go.mod'), 'utf8')).split('\n')) {
    const [module, version] = line
      .trim()
      .replace(/^require\s+/, '')
      .split(/\s+/);
    if (module !== undefined && version?.startsWith('v')) versions.set(module, version);
  }
  return (module) => {
    const version = versions.get(module);
    if (version === undefined) throw new Error(`test/cluster/${folder}/go.mod does not require ${module}`);
    return version;
  };
}

function kubernetesStamp(version: string): Record<string, string> {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean', gitCommit: 'unknown' };
  const stamp: Record<string, string> = {};
  for (const home of ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']) {
    for (const [key, value] of Object.entries(values)) stamp[`${home}.${key}`] = value;
  }
  return stamp;
}

// Helm's own release build takes the default capabilities from the client-go that it was built with (v0.N is 1.N).
function helmStamp(version: string, pinned: Pins): Record<string, string> {
  const [, minor = ''] = pinned('k8s.io/client-go').split('.');
  const stamp: Record<string, string> = {
    'helm.sh/helm/v3/internal/version.version': version,
    'helm.sh/helm/v3/internal/version.metadata': '',
    'helm.sh/helm/v3/internal/version.gitTreeState': 'clean',
  };
  for (const home of ['helm.sh/helm/v3/pkg/lint/rules', 'helm.sh/helm/v3/pkg/chartutil']) {
    stamp[`${home}.k8sVersionMajor`] = '1';
    stamp[`${home}.k8sVersionMinor`] = minor;
  }
  return stamp;
}

async function buildTool(name: ToolName, say: (line: string) => void): Promise<string> {
  const plan = await cachePlan(name);
  await mkdir(dirname(plan.path), { recursive: true });
  const release = await lock(`${plan.path}.lock`);
  try {
    if (await isRunnable(plan.path)) return plan.path;
    say(`building ${name} ${plan.version} (once; kept in ${dirname(plan.path)})`);
    const started = performance.now();
    const partial = `${plan.path}.${process.pid}.partial`;
    try {
      await goBuild(TOOLS[name], plan.flags, partial);
      await rename(partial, plan.path);
    } finally {
      await rm(partial, { force: true });
    }
    say(`built ${name} in ${Math.round((performance.now() - started) / 1000)} s`);
    return plan.path;
  } finally {
    await release();
  }
}

function goBuild(tool: Tool, flags: string, output: string): Promise<void> {
  const args = [
    'build',
    '-mod=readonly',
    '-trimpath',
    '-buildvcs=false',
    '-ldflags',
    flags,
    '-o',
    output,
    tool.package,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      cwd: join(here, tool.folder),
      env: { ...process.env, CGO_ENABLED: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-4000);
    });
    child.on('error', (error) => reject(new Error('go is needed to build the test binaries', { cause: error })));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`go build ${tool.package} failed (${code}):\n${stderr}`));
    });
  });
}

/** Takes a lock file that names this process; one whose process is gone is taken over. */
async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      const handle = await open(path, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (holder > 0 && !isAlive(holder)) await rm(path, { force: true });
    else await sleep(500);
  }
}

async function isRunnable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

// `node test/cluster/build.ts [tool…]` builds what is missing and prints the paths.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : toolNames;
  for (const name of wanted) {
    if (!toolNames.includes(name as ToolName)) throw new Error(`unknown tool ${name}; known: ${toolNames.join(', ')}`);
    console.log(await toolPath(name as ToolName, (line) => console.error(line)));
  }
}
