// Measures the embedded API server: server-side applies a second, and memory and restart with many objects. With
// LOCKSTEP_TEST_CLUSTER set, the same applies are measured on that server in the same run. Prints, asserts nothing.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '../../src/sandbox/server.ts';
import { type Api, openApi } from '../support/api.ts';

const APPLIES = 2000;
const OBJECTS = 20_000;
const CONCURRENCY = 8;

function deployment(name: string, image: string): object {
  const labels = { app: name };
  const container = { name: 'app', image, ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default', labels },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

async function applyMany(api: Api, label: string, image: string): Promise<void> {
  const start = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < APPLIES) {
        const name = `bench-${next++}`;
        const path = `/apis/apps/v1/namespaces/default/deployments/${name}?fieldManager=bench&force=true`;
        const { status, body } = await api.call('PATCH', path, {
          body: deployment(name, image),
          contentType: 'application/apply-patch+yaml',
        });
        if (status > 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
      }
    }),
  );
  console.log(`${label}: ${Math.round((APPLIES / (performance.now() - start)) * 1000)} applies/s`);
}

async function measureApplies(name: string, kubeconfig: string): Promise<void> {
  const api = await openApi(kubeconfig);
  await applyMany(api, `${name}, create`, 'nginx:1');
  await applyMany(api, `${name}, change`, 'nginx:2');
  await applyMany(api, `${name}, nothing to change`, 'nginx:2');
  await api.close();
}

/** What is in use after a collection. */
function memoryMib(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return Math.round((heapUsed + external) / 1024 / 1024);
}

const dir = await mkdtemp(join(tmpdir(), 'lockstep-bench-'));
try {
  const sandbox = await startSandbox({ stateDir: join(dir, 'state') });
  const kubeconfig = join(dir, 'kubeconfig');
  await writeFile(kubeconfig, sandbox.kubeconfig(), { mode: 0o600 });
  await measureApplies('embedded', kubeconfig);
  const real = process.env['LOCKSTEP_TEST_CLUSTER'];
  if (real) await measureApplies('kube-apiserver', real);
  const before = memoryMib();
  for (let i = 0; i < OBJECTS; i++) {
    const object = deployment(`many-${i}`, 'nginx') as Parameters<typeof sandbox.store.create>[1];
    sandbox.store.create({ group: 'apps', resource: 'deployments' }, object, { manager: 'bench' });
  }
  console.log(`${OBJECTS} objects: ${memoryMib() - before} MiB more in use, ${memoryMib()} MiB in all`);
  await sandbox.close();
  const start = performance.now();
  const again = await startSandbox({ stateDir: join(dir, 'state') });
  const ms = Math.round(performance.now() - start);
  console.log(`restart with ${again.store.list({ group: 'apps', resource: 'deployments' }).length} objects: ${ms} ms`);
  await again.close();
} finally {
  await rm(dir, { recursive: true, force: true });
}
