// Dockerfile and docker-compose.yml without an engine: a folder of what the image would hold, each service's command
// started in it, and its health check asked. Only paths and ports are others than in the container.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customResourceDefinitions } from '../../../src/api/crd.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/server.ts';
import { freePorts } from '../../cluster/processes.ts';
import { connect, openApi } from '../../support/api.ts';
import { git, temporaryFolder } from '../../support/git.ts';
import { isReady, type Live, pathOf, paths } from '../../support/reconciler.ts';
import { projectRoot, readProjectFile } from '../../support/source-files.ts';

interface Service {
  readonly command: readonly string[];
  readonly ports: readonly string[];
  readonly profiles?: readonly string[];
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly volumes: readonly (string | { readonly source: string; readonly target: string })[];
  readonly healthcheck: { readonly test: readonly string[] };
}

interface Running {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** A port of the container → the one it has here. */
  readonly port: (inside: number) => number;
  /** True when the service's own health check ends with 0. */
  readonly isHealthy: () => boolean;
  readonly stop: () => Promise<number | null>;
}

const DEADLINE_MS = 60_000;
const LOOK_MS = 200;

const compose = parseCompose(readProjectFile('docker-compose.yml'));
const dockerfile = parseDockerfile(readProjectFile('Dockerfile'));
const services = Object.entries(compose);
const place = temporaryFolder('container');
const image = join(place.dir, 'app');

beforeAll(() => {
  layOutImage(image);
  chmodSync(place.dir, 0o755);
});
afterAll(() => place.remove());

describe('the image', () => {
  it('has no user of root, and takes nothing that .dockerignore leaves out', () => {
    expect(lastOf('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(copied().filter(([from]) => isIgnored(from))).toEqual([]);
    expect(copied().map(([from]) => from)).toEqual(expect.arrayContaining(['src', 'manifests', 'package-lock.json']));
  });

  it('starts with every runtime dependency there and no other', () => {
    const { code, text } = runInImage(['node', join(image, 'src/bin.mjs'), '--help']);

    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining('Usage: lockstep') });
  });
});

describe('the services', () => {
  it.each(services)('%s publishes ports on loopback alone and writes only where it may', (_name, service) => {
    expect(service.ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
    expect(service.read_only).toBe(true);
    expect(service.tmpfs).toEqual(['/tmp']);
    expect(service.volumes.filter((volume) => typeof volume === 'string')).toEqual([
      expect.stringMatching(/^[a-z-]+:\/data$/),
    ]);
  });

  it('only lockstep starts without a profile, with the ports that its kubeconfig and clone URLs name', () => {
    expect(services.filter(([, { profiles }]) => profiles === undefined).map(([name]) => name)).toEqual(['lockstep']);
    const { ports, command } = compose['lockstep']!;
    for (const flag of ['--api-port', '--git-port', '--http-port']) {
      const port = command[command.indexOf(flag) + 1];
      expect(ports).toContain(`127.0.0.1:${port}:${port}`);
    }
  });

  const tool = composeTool();
  const missing = tool === undefined ? ' (skipped: neither docker-compose nor docker compose)' : '';
  it.skipIf(tool === undefined && process.env['CI'] !== 'true')(
    `are accepted by docker-compose config${missing}`,
    () => {
      const [program = 'docker-compose', ...first] = tool ?? [];
      for (const profile of [[], ['--profile', 'cluster']]) {
        const args = [...first, '-f', 'docker-compose.yml', ...profile, 'config', '--quiet'];
        const { status, stderr } = spawnSync(program, args, { cwd: projectRoot, encoding: 'utf8' });

        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      }
    },
  );
});

describe('lockstep', () => {
  it('comes up healthy, and kubeconfig, certificate, clone URL and demo work from the host', async () => {
    const data = dataFolder('up');
    const service = await startService('lockstep', { '/data': data });
    try {
      await until('a passing health check', service, service.isHealthy);
      const api = await openApi(join(data, 'kubeconfig'));
      expect(api.url).toBe(`https://127.0.0.1:${service.port(6443)}`);
      await until('the demo to be Ready', service, async () =>
        isReady((await api.call('GET', paths.kustomization('default', 'hello-world-flask'))).body),
      );
      const source = (await api.call('GET', paths.git('default', 'hello-world-flask'))).body as Live;
      await api.close();

      for (const host of ['127.0.0.1', 'localhost']) {
        const heads = await git(place.dir, 'ls-remote', `http://${host}:${service.port(3000)}/fluxcd-demo.git`, 'main');
        expect(heads).toContain(source.status.artifact.revision.replace('main@sha1:', ''));
        const page = await fetch(`http://${host}:${service.port(8080)}/readyz`);
        expect([page.status, await page.text()]).toEqual([200, 'ok']);
      }
      expect(service.output()).toMatch(/^lockstep is up$/m);
    } finally {
      expect(await service.stop()).toBe(0);
    }
    expect(service.isHealthy()).toBe(false);
  });
});

describe('lockstep-cluster', () => {
  let cluster: Sandbox;
  beforeAll(async () => {
    cluster = await startSandbox();
  });
  afterAll(() => cluster.close());

  it('is unhealthy on a cluster without the definitions, and healthy once they are installed', async () => {
    const kubeconfig = join(place.dir, 'kubeconfig');
    writeFileSync(kubeconfig, cluster.kubeconfig());
    const service = await startService('lockstep-cluster', { '/data': dataFolder('run'), '/kubeconfig': kubeconfig });
    try {
      await until('the first line', service, () => service.output().includes('is running'));
      await until('the words of /readyz', service, async () => {
        const answer = await fetch(`http://127.0.0.1:${service.port(8080)}/readyz`);
        return answer.status === 503 && (await answer.text()).includes('lockstep install');
      });
      expect(service.isHealthy()).toBe(false);

      await applyDefinitions(cluster);

      await until('a passing health check', service, service.isHealthy);
    } finally {
      expect(await service.stop()).toBe(0);
    }
  });
});

async function applyDefinitions(cluster: Sandbox): Promise<void> {
  const api = connect(cluster.url, { ca: cluster.caPem, token: cluster.token });
  for (const definition of customResourceDefinitions()) {
    const path = pathOf(definition as Live);
    const answer = await api.call('PATCH', `${path}?fieldManager=test&force=true`, {
      body: definition,
      contentType: 'application/apply-patch+yaml',
    });
    expect(answer.status).toBe(201);
  }
  await api.close();
}

/** The services, with what they share (`<<`) merged in. */
function parseCompose(text: string): Record<string, Service> {
  const { services } = load(text) as { services: Record<string, { '<<'?: object }> };
  const merged = Object.entries(services).map(([name, { '<<': shared, ...own }]) => [name, { ...shared, ...own }]);
  return Object.fromEntries(merged) as Record<string, Service>;
}

interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** The instructions, continued lines joined. */
function parseDockerfile(text: string): Instruction[] {
  const lines = text.replace(/\\\n/g, ' ').split('\n');
  return lines
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => {
      const [name = '', ...rest] = line.trim().split(/\s+/);
      return { name, value: rest.join(' ') };
    });
}

function lastOf(name: string): string {
  return dockerfile.findLast((instruction) => instruction.name === name)?.value ?? '';
}

/** [source, target] of every COPY. */
function copied(): (readonly [string, string])[] {
  return dockerfile.flatMap(({ name, value }) => {
    if (name !== 'COPY') return [];
    const words = value.split(' ');
    const target = words.pop() ?? '';
    return words.map((from) => [from, target.endsWith('/') ? join(target, from) : target] as const);
  });
}

function isIgnored(path: string): boolean {
  const patterns = readProjectFile('.dockerignore').split('\n').filter(Boolean);
  return patterns.some((pattern) => {
    const expression = pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*');
    return new RegExp(`^${expression}(/|$)`).test(path);
  });
}

function layOutImage(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [from, to] of copied()) {
    const filter = (path: string): boolean => !isIgnored(path.slice(projectRoot.length + 1));
    cpSync(join(projectRoot, from), join(folder, to), { recursive: true, filter });
  }
  // As `npm ci --omit=dev --omit=optional` would leave it.
  expect(dockerfile.filter(({ value }) => value.startsWith('npm ci --omit=dev --omit=optional '))).toHaveLength(1);
  const lock = JSON.parse(readProjectFile('package-lock.json')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
  };
  for (const [path, { dev, optional, devOptional }] of Object.entries(lock.packages)) {
    if (dev || optional || devOptional || !/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path)) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(projectRoot, path), join(folder, path));
  }
}

/** The user of the image, where this process may become it and that user can read the project. */
const identity = ((): { uid?: number; gid?: number } => {
  const [uid, gid] = lastOf('USER').split(':').map(Number);
  if (process.getuid?.() !== 0 || uid === undefined || gid === undefined) return {};
  const trial = spawnSync(process.execPath, ['--version'], { cwd: projectRoot, uid, gid });
  return trial.status === 0 ? { uid, gid } : {};
})();

function environment(): NodeJS.ProcessEnv {
  const temporary = join(place.dir, 'tmp');
  mkdirSync(temporary, { recursive: true });
  chmodSync(temporary, 0o1777);
  const given = lastOf('ENV')
    .split(' ')
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const);
  const values = given.map(([name, value]) => [name, value.replace(/^\/tmp/, temporary)]);
  return { PATH: process.env['PATH'] ?? '', TMPDIR: temporary, ...Object.fromEntries(values) };
}

function runInImage(command: readonly string[]): { code: number | null; text: string } {
  const [, ...args] = command;
  const options = { cwd: image, env: environment(), encoding: 'utf8', ...identity } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
  return { code: status, text: stdout + stderr };
}

/** A volume: a folder of the image's user. */
function dataFolder(name: string): string {
  const folder = join(place.dir, name);
  mkdirSync(folder);
  if (identity.uid !== undefined && identity.gid !== undefined) chownSync(folder, identity.uid, identity.gid);
  return folder;
}

async function startService(name: string, mounts: Readonly<Record<string, string>>): Promise<Running> {
  const { command, healthcheck } = compose[name]!;
  const inside = command.filter((_word, index) => command[index - 1]?.endsWith('-port')).map(Number);
  const outside = await freePorts(inside.length);
  const port = (wanted: number): number => outside[inside.indexOf(wanted)]!;
  const words = command.map(
    (word) => mounts[word] ?? (inside.includes(Number(word)) ? String(port(Number(word))) : word),
  );
  const [node, program = ''] = JSON.parse(lastOf('ENTRYPOINT')) as string[];
  expect([node, dirname(dirname(program))]).toEqual(['node', lastOf('WORKDIR')]);
  const child = spawn(process.execPath, [join(image, program.slice('/app/'.length)), ...words], {
    cwd: image,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...identity,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    process: child,
    output: () => output,
    port,
    isHealthy: () => {
      const [kind, ...test] = healthcheck.test;
      expect(kind).toBe('CMD');
      const adapted = test.map((word) =>
        word.replace(/127\.0\.0\.1:(\d+)/, (_all, at) => `127.0.0.1:${port(Number(at))}`),
      );
      return runInImage(adapted).code === 0;
    },
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

async function until(what: string, service: Running, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (performance.now() > end || service.process.exitCode !== null) {
      throw new Error(`waited in vain for ${what}:\n${service.output()}`);
    }
    await systemClock.sleep(LOOK_MS);
  }
}

/** The words that start compose, whichever of the two forms is there. */
function composeTool(): string[] | undefined {
  const forms = [['docker-compose'], ['docker', 'compose']];
  return forms.find(([program = '', ...first]) => spawnSync(program, [...first, 'version']).status === 0);
}
