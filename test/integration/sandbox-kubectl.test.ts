// The real kubectl against the embedded API server: the commands that people type, and what they print.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/lib/log.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts';
import { startStages } from '../../src/sandbox/stages/start-stages.ts';
import { createKubectl, findKubectl, type Kubectl } from '../support/kubectl.ts';

const kubectlPath = await findKubectl();
const mayRun = kubectlPath !== undefined || process.env['CI'] === 'true';
const title = mayRun
  ? 'kubectl on the embedded API server'
  : 'kubectl on the embedded API server (skipped: no kubectl ≥ 1.27)';

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, labels: {app: app}}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: app
        image: nginx:1.25
        ports: [{containerPort: 80}]
`;

const CRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1, description: How big.}
              color: {type: string, default: red}
              replicas: {type: integer}
          status: {type: object, properties: {replicas: {type: integer}}}
`;

describe.skipIf(!mayRun)(title, () => {
  let sandbox: Sandbox;
  let stages: { close(): void };
  let dir: string;
  let kubectl: Kubectl;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-sandbox-'));
    sandbox = await startSandbox();
    stages = startStages(sandbox.store, { clock: systemClock, log: silentLog });
    const kubeconfig = join(dir, 'kubeconfig');
    await writeFile(kubeconfig, sandbox.kubeconfig(), { mode: 0o600 });
    kubectl = await createKubectl(kubeconfig);
  });
  afterAll(async () => {
    await kubectl?.close();
    stages?.close();
    await sandbox?.close();
    await rm(dir, { recursive: true, force: true });
  });

  /** Each test has a namespace of its own. */
  async function namespace(name: string): Promise<(args: string, stdin?: string) => Promise<string>> {
    await kubectl.ok(['create', 'namespace', name]);
    return (args, stdin) => kubectl.ok(['-n', name, ...args.split(' ')], stdin === undefined ? {} : { stdin });
  }

  it('applies, and the second time changes nothing', async () => {
    const k = await namespace('apply');

    expect(await k('apply -f -', DEPLOYMENT)).toBe('deployment.apps/app created\n');
    expect(await k('apply -f -', DEPLOYMENT)).toBe('deployment.apps/app unchanged\n');
    expect(await k('apply -f -', DEPLOYMENT.replace('replicas: 2', 'replicas: 3'))).toBe(
      'deployment.apps/app configured\n',
    );
    expect(await k('get deployment app -o jsonpath={.spec.replicas}/{.metadata.generation}')).toBe('3/2');
  });

  it('runs a deployment and shows it in tables', async () => {
    const k = await namespace('tables');
    await k('apply -f -', DEPLOYMENT);

    expect(await k('rollout status deployment app --timeout=30s')).toContain(
      'deployment "app" successfully rolled out',
    );

    const [head, row] = (await k('get deployment -o wide')).trim().split('\n');
    expect(head?.split(/\s{2,}/)).toEqual([
      'NAME',
      'READY',
      'UP-TO-DATE',
      'AVAILABLE',
      'AGE',
      'CONTAINERS',
      'IMAGES',
      'SELECTOR',
    ]);
    expect(row?.split(/\s+/).filter((_, i) => i !== 4)).toEqual([
      'app',
      '2/2',
      '2',
      '2',
      'app',
      'nginx:1.25',
      'app=app',
    ]);
    const pods = (await k('get pods --no-headers')).trim().split('\n');
    expect(pods).toHaveLength(2);
    for (const pod of pods) expect(pod).toMatch(/^app-[a-z0-9]+-[a-z0-9]{5}\s+1\/1\s+Running\s+0\s/);
  });

  it('describes, diffs, edits, labels, annotates and patches', async () => {
    const k = await namespace('change');
    await k('apply -f -', DEPLOYMENT);
    const editor = join(dir, 'editor');
    await writeFile(editor, '#!/bin/sh\nsed -i s/nginx:1.25/nginx:1.26/ "$1"\n');
    await chmod(editor, 0o755);

    expect(await k('describe deployment app')).toContain('Image:         nginx:1.25');
    const diff = await kubectl.run(['-n', 'change', 'diff', '-f', '-'], {
      stdin: DEPLOYMENT.replace('replicas: 2', 'replicas: 5'),
    });
    expect(diff.code).toBe(1);
    expect(diff.stdout).toMatch(/^-\s+replicas: 2$/m);
    expect(diff.stdout).toMatch(/^\+\s+replicas: 5$/m);
    expect(await kubectl.ok(['-n', 'change', 'edit', 'deployment', 'app'], { env: { EDITOR: editor } })).toBe(
      'deployment.apps/app edited\n',
    );
    expect(await k('label deployment app tier=web')).toBe('deployment.apps/app labeled\n');
    expect(await k('annotate deployment app note=x')).toBe('deployment.apps/app annotated\n');
    expect(
      await k(
        'patch deployment app -p {"spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"A","value":"1"}]}]}}}}',
      ),
    ).toBe('deployment.apps/app patched\n');
    expect(
      await k(
        'get deployment -l tier=web -o jsonpath={.items[0].spec.template.spec.containers[0].image}:{.items[0].spec.template.spec.containers[0].env[0].name}',
      ),
    ).toBe('nginx:1.26:A');
  });

  it('scales, sets an image, and undoes a rollout', async () => {
    const k = await namespace('roll');
    await k('apply -f -', DEPLOYMENT);
    await k('rollout status deployment app --timeout=30s');

    expect(await k('scale deployment app --replicas=1')).toBe('deployment.apps/app scaled\n');
    expect(await k('set image deployment/app app=nginx:1.27')).toBe('deployment.apps/app image updated\n');
    await k('rollout status deployment app --timeout=30s');
    expect(await k('rollout undo deployment app')).toBe('deployment.apps/app rolled back\n');
    expect(await k('get deployment app -o jsonpath={.spec.template.spec.containers[0].image}')).toBe('nginx:1.25');
    expect((await k('rollout history deployment app')).match(/^\d+/gm)).toEqual(['2', '3']);
  });

  it('applies on the server: conflicts are named, forcing takes over', async () => {
    const k = await namespace('ssa');
    await k('apply --server-side -f -', DEPLOYMENT);

    const other = DEPLOYMENT.replace('replicas: 2', 'replicas: 7');
    const refused = await kubectl.run(['-n', 'ssa', 'apply', '--server-side', '--field-manager=other', '-f', '-'], {
      stdin: other,
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas');
    expect(await k('apply --server-side --field-manager=other --force-conflicts -f -', other)).toBe(
      'deployment.apps/app serverside-applied\n',
    );
    expect(await k('get deployment app -o jsonpath={.spec.replicas}')).toBe('7');
  });

  it('serves a CRD: waits for it, explains it, prints its columns, validates, scales', async () => {
    const k = await namespace('crd');
    await k('apply -f -', CRD);
    expect(await k('wait --for=condition=Established crd/widgets.example.com --timeout=10s')).toContain(
      'condition met',
    );
    const widget = 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 3}\n';

    expect(await k('apply -f -', widget)).toBe('widget.example.com/w created\n');
    expect(await k('get wd')).toMatch(/^NAME {3}SIZE\nw {6}3\n$/);
    expect(await k('explain widget.spec')).toMatch(/size\t<integer> -required-\n\s+How big\./);
    const refused = await kubectl.run(['-n', 'crd', 'apply', '-f', '-'], {
      stdin: widget.replace('size: 3', 'size: 0'),
    });
    expect(refused.stderr).toContain(
      'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
    );
    const unknown = await kubectl.run(['-n', 'crd', 'apply', '-f', '-'], {
      stdin: widget.replace('size: 3', 'size: 3, sise: 4'),
    });
    expect(unknown.stderr).toContain('strict decoding error: unknown field "spec.sise"');
    expect(await k('scale widget w --replicas=4')).toBe('widget.example.com/w scaled\n');
    expect(await k('get widget w -o jsonpath={.spec.replicas}/{.spec.color}')).toBe('4/red');
    expect(await k('delete crd widgets.example.com')).toContain('deleted');
    expect((await kubectl.run(['-n', 'crd', 'get', 'widgets'])).code).toBe(1);
  });

  it('creates by typed commands, which send protobuf', async () => {
    const k = await namespace('typed');

    expect(await k('create deployment web --image=nginx --replicas=2')).toBe('deployment.apps/web created\n');
    expect(await k('create configmap c --from-literal=a=b')).toBe('configmap/c created\n');
    expect(await k('create secret generic s --from-literal=p=q')).toBe('secret/s created\n');
    const badSchedule = await kubectl.run([
      '-n',
      'typed',
      'create',
      'cronjob',
      'cj',
      '--image=busybox',
      '--schedule=never',
    ]);
    expect(badSchedule.stderr).toContain(
      'spec.schedule: Invalid value: "never": expected exactly 5 fields, found 1: [never]',
    );
    expect(await k('create job j --image=busybox')).toBe('job.batch/j created\n');
    expect(await k('expose deployment web --port=80')).toBe('service/web exposed\n');
    expect(
      await k('get deployment web -o jsonpath={.spec.replicas}/{.spec.template.spec.containers[0].imagePullPolicy}'),
    ).toBe('2/Always');
    expect(await k('get secret s -o jsonpath={.data.p}')).toBe('cQ==');
    expect(await k('wait --for=condition=Complete job/j --timeout=30s')).toContain('condition met');
  });

  it('deletes with dependents in the background, in the foreground, or orphans them', async () => {
    const k = await namespace('cascade');
    for (const name of ['back', 'fore', 'left']) {
      await k('apply -f -', DEPLOYMENT.replaceAll('app: app', `app: ${name}`).replace('name: app', `name: ${name}`));
      await k(`rollout status deployment ${name} --timeout=30s`);
    }

    await k('delete deployment fore --cascade=foreground --timeout=30s');
    expect(await k('get replicasets -l app=fore -o name')).toBe('');
    await k('delete deployment left --cascade=orphan');
    expect((await k('get replicasets -l app=left -o name')).trim().split('\n')).toHaveLength(1);
    await k('delete deployment back');
    await k('wait --for=delete pod -l app=back --timeout=30s');
    expect(await k('get replicasets -l app=back -o name')).toBe('');
  });

  it('empties a namespace that is deleted', async () => {
    const k = await namespace('gone');
    await k('apply -f -', DEPLOYMENT);

    expect(await k('delete namespace gone --timeout=30s')).toContain('namespace "gone" deleted');
    expect((await kubectl.run(['get', 'namespace', 'gone'])).stderr).toContain('namespaces "gone" not found');
  });

  it('enforces RBAC for others than the administrator', async () => {
    const k = await namespace('rbac');
    await k('create serviceaccount bob');
    await k('create role reader --verb=get,list --resource=configmaps');
    await k('create rolebinding reads --role=reader --serviceaccount=rbac:bob');
    const token = (await k('create token bob')).trim();
    const as = (...args: string[]): ReturnType<Kubectl['run']> =>
      kubectl.run(['-n', 'rbac', '--token', token, ...args]);

    expect(await k('auth can-i list configmaps --as=system:serviceaccount:rbac:bob')).toBe('yes\n');
    expect((await as('get', 'configmap', 'kube-root-ca.crt', '-o', 'name')).stdout).toBe(
      'configmap/kube-root-ca.crt\n',
    );
    expect((await as('get', 'secrets')).stderr).toContain(
      'secrets is forbidden: User "system:serviceaccount:rbac:bob" cannot list resource "secrets" in API group "" in the namespace "rbac"',
    );
    await k('delete serviceaccount bob');
    expect((await as('get', 'configmaps')).code).toBe(1);
  });

  it.each([
    { args: ['get', 'deployment', 'nope'], want: 'Error from server (NotFound): deployments.apps "nope" not found' },
    { args: ['-n', 'nope', 'create', 'configmap', 'a'], want: 'namespaces "nope" not found' },
    { args: ['get', 'pods', '--field-selector=foo=bar'], want: 'field label not supported: foo' },
    {
      args: ['create', 'namespace', 'default'],
      want: 'Error from server (AlreadyExists): namespaces "default" already exists',
    },
    {
      args: ['create', 'configmap', 'Bad_Name'],
      want: 'Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of',
    },
  ])("answers $args in the API server's words", async ({ args, want }) => {
    const { code, stderr } = await kubectl.run(args);

    expect(code).toBe(1);
    expect(stderr).toContain(want);
  });
});
