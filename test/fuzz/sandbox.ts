// Seeded fuzzing of the embedded API server: random requests, most of them nearly right, sent for FUZZ_SECONDS (10 by
// default). Whatever comes, the server must answer in time, in words of its own, and never call a request its bug.
// `npm run fuzz:sandbox`; a failure prints the seed and the request, and FUZZ_SEED runs the same ones again.
import { randomInt } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { Agent } from 'undici';
import { startSandbox } from '../../src/sandbox/server.ts';
import { createRandom } from '../support/random.ts';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly accept: string;
  readonly body: string | Buffer | undefined;
}

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 10);
const seed = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31));
/** Longer than any answer takes on a busy machine; what is behind it never comes. */
const ANSWER_MS = 20_000;
/** Internal errors that a kube-apiserver has, too, for what clients send; other 5xx answers give another reason. */
const HONEST = /the spec replicas field/;

const WORDS = [
  '',
  'a',
  'b',
  'default',
  'Upper',
  'a/b',
  '..',
  '%2e%2e',
  '__proto__',
  'constructor',
  '\u0000',
  '😀',
  'x'.repeat(300),
];
const PLURALS = [
  'configmaps',
  'secrets',
  'pods',
  'services',
  'namespaces',
  'nodes',
  'serviceaccounts',
  'events',
  'gadgets',
];
const GROUPED = [
  'apps/v1/deployments',
  'batch/v1/jobs',
  'batch/v1/cronjobs',
  'networking.k8s.io/v1/ingresses',
  'autoscaling/v2/horizontalpodautoscalers',
  'autoscaling/v1/horizontalpodautoscalers',
  'rbac.authorization.k8s.io/v1/clusterroles',
  'apiextensions.k8s.io/v1/customresourcedefinitions',
  'authorization.k8s.io/v1/selfsubjectaccessreviews',
  'authentication.k8s.io/v1/tokenreviews',
  'policy/v1/poddisruptionbudgets',
  'nothing.example.com/v1/things',
];
const SUBRESOURCES = ['status', 'scale', 'log', 'exec', 'token', 'eviction', 'binding', 'finalize', 'nothing'];
const QUERIES = [
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'labelSelector',
  'fieldSelector',
  'fieldManager',
  'fieldValidation',
  'force',
  'dryRun',
  'gracePeriodSeconds',
  'propagationPolicy',
  'includeObject',
  'timeoutSeconds',
];
const VALUES = [
  '',
  '0',
  '1',
  '-1',
  'abc',
  'true',
  'All',
  'Exact',
  'a=b',
  'a in (b',
  'metadata.name=a',
  'e30',
  '999999999999999999999',
  '%00',
];
const TYPES = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/merge-patch+json',
  'application/json-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'text/plain',
  '',
];
const ACCEPTS = [
  'application/json',
  'application/yaml',
  '*/*',
  'text/html',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
];
const PATCHES = TYPES.filter((type) => type.includes('patch'));
/** Plurals of kinds outside of namespaces. */
const GLOBAL = /^(namespaces|nodes|clusterroles|customresourcedefinitions|self.*|tokenreviews)$/;
const FIELDS = [
  'apiVersion',
  'kind',
  'metadata',
  'name',
  'namespace',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
  'managedFields',
  'resourceVersion',
  'uid',
  'generateName',
  'spec',
  'status',
  'data',
  'stringData',
  'type',
  'template',
  'containers',
  'image',
  'ports',
  'selector',
  'matchLabels',
  'matchExpressions',
  'replicas',
  'rules',
  'roleRef',
  'subjects',
  'versions',
  'schema',
  'openAPIV3Schema',
  'properties',
  'default',
  'x-kubernetes-validations',
  'rule',
  'names',
  'plural',
  'group',
  'scope',
  'schedule',
  'jobTemplate',
  'metrics',
  '$patch',
  '$setElementOrder/containers',
  'op',
  'path',
  'value',
  '__proto__',
  'constructor',
];
const SCALARS: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  '',
  'a',
  'v1',
  'apps/v1',
  'ConfigMap',
  'Deployment',
  '10%',
  '1Gi',
  '* * * * *',
  'self > 1',
  '/a/b',
  'replace',
  'x'.repeat(2000),
  '😀\u0000',
  '2020-01-01T00:00:00Z',
  '0x10',
  'TZ=UTC * * * * *',
];

type Random = () => number;

function integer(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[integer(random, 0, list.length - 1)]!;
}

function value(random: Random, depth: number): unknown {
  const kind = integer(random, 0, depth > 5 ? 3 : 9);
  if (kind < 4) return pick(random, SCALARS);
  const count = integer(random, 0, 4);
  if (kind < 6) return Array.from({ length: count }, () => value(random, depth + 1));
  return object(random, depth, count);
}

function object(random: Random, depth: number, count: number): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: count }, () => [pick(random, FIELDS), value(random, depth + 1)]));
}

/** An object that is right where the paths lead, but for one part of it. */
function nearlyRight(random: Random): unknown {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const whole: Record<string, unknown> = {
    metadata: { name: pick(random, ['a', 'b', 'c']), labels: { a: 'b' } },
    ...pick<object>(random, [
      { data: { a: 'b' } },
      { spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template } },
      { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
      { spec: template.spec },
      { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
      { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
      {
        spec: {
          group: 'e.com',
          scope: 'Namespaced',
          names: { plural: 'a', kind: 'A' },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
        },
      },
    ]),
  };
  let place: Record<string, unknown> = whole;
  for (let depth = integer(random, 0, 5); depth > 0; depth--) {
    const inside = Object.values(place).filter((item) => typeof item === 'object' && item !== null);
    if (inside.length === 0) break;
    place = pick(random, inside) as Record<string, unknown>;
  }
  const keys = Object.keys(place);
  place[keys.length > 0 && integer(random, 0, 2) > 0 ? pick(random, keys) : pick(random, FIELDS)] = value(random, 3);
  return whole;
}

function body(random: Random): string | Buffer | undefined {
  switch (integer(random, 0, 7)) {
    case 0:
      return undefined;
    case 1:
      return Buffer.from([
        0x6b,
        0x38,
        0x73,
        0,
        ...Array.from({ length: integer(random, 0, 60) }, () => integer(random, 0, 255)),
      ]);
    case 2: {
      const text = JSON.stringify(nearlyRight(random));
      const at = integer(random, 0, text.length - 1);
      return integer(random, 0, 1) === 0
        ? text.slice(0, at)
        : `${text.slice(0, at)}${pick(random, ['"', '{', '\\', ',', 'x'])}${text.slice(at + 1)}`;
    }
    case 3:
      return JSON.stringify(value(random, 0));
    default:
      return JSON.stringify(nearlyRight(random));
  }
}

/** `named` tells whether the path is one object's; undefined for any path at all. */
function path(random: Random, named?: boolean): string {
  if (named === undefined && integer(random, 0, 3) === 0)
    return pick(random, [
      '/',
      '/api',
      '/apis',
      '/openapi/v2',
      '/openapi/v3',
      '/version',
      '//api',
      '/readyz',
      '/apis/apps',
    ]);
  const grouped = integer(random, 0, 1) === 0;
  const [place, plural] = grouped ? splitLast(pick(random, GROUPED)) : ['v1', pick(random, PLURALS)];
  const odd = named === undefined;
  const isGlobal = GLOBAL.test(plural) || (odd && integer(random, 0, 2) === 0);
  const namespace = isGlobal ? '' : `/namespaces/${odd ? encodeURI(pick(random, WORDS)) : 'default'}`;
  const hasName = named ?? integer(random, 0, 1) === 0;
  const name = hasName ? `/${odd ? encodeURI(pick(random, WORDS)) : pick(random, ['a', 'b', 'c'])}` : '';
  const sub = name !== '' && integer(random, 0, 4) === 0 ? `/${pick(random, SUBRESOURCES)}` : '';
  const query = Array.from(
    { length: integer(random, 0, 2) },
    () => `${pick(random, QUERIES)}=${encodeURI(pick(random, VALUES))}`,
  );
  return `/${grouped ? 'apis' : 'api'}/${place}${namespace}/${plural}${name}${sub}${query.length > 0 ? `?${query.join('&')}` : ''}`;
}

function splitLast(text: string): [string, string] {
  const at = text.lastIndexOf('/');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** An endless loop of the server holds this thread up, too: another one tells the request and ends the process. */
function startWatchdog(): (shown: string) => void {
  const shared = new SharedArrayBuffer(1 << 16);
  const [counter, bytes] = [new Int32Array(shared, 0, 2), new Uint8Array(shared, 8)];
  const code = `
    const { workerData } = require('node:worker_threads');
    const counter = new Int32Array(workerData, 0, 2);
    let before = -1;
    setInterval(() => {
      if (counter[0] === before) {
        const request = Buffer.from(new Uint8Array(workerData, 8, counter[1])).toString();
        require('node:fs').writeSync(2, 'fuzz:sandbox: FUZZ_SEED=${seed}\\nthe server hangs: ' + request + '\\n');
        process.kill(process.pid, 'SIGKILL');
      }
      before = counter[0];
    }, ${ANSWER_MS});`;
  new Worker(code, { eval: true, workerData: shared }).unref();
  return (shown) => {
    const text = Buffer.from(shown).subarray(0, bytes.length);
    bytes.set(text);
    counter[1] = text.length;
    counter[0] = (counter[0] ?? 0) + 1;
  };
}

const note = startWatchdog();
const bugs: unknown[] = [];
const sandbox = await startSandbox({ onBug: (error) => bugs.push(error) });
const dispatcher = new Agent({ connect: { ca: sandbox.caPem }, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS });
const random = createRandom(seed);
const deadline = Date.now() + seconds * 1000;
const statuses = new Map<number, number>();
let sentCount = 0;
let failure: string | undefined;
console.log(`fuzz:sandbox: seed ${seed}, ${seconds} s`);

while (Date.now() < deadline && failure === undefined) {
  const method = pick(random, ['GET', 'GET', 'POST', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'DELETE']);
  const isOdd = integer(random, 0, 5) === 0;
  const sent: Sent = {
    method,
    path: path(random, isOdd ? undefined : method !== 'POST'),
    type: isOdd ? pick(random, TYPES) : method === 'PATCH' ? pick(random, PATCHES) : 'application/json',
    accept: isOdd ? pick(random, ACCEPTS) : 'application/json',
    body: body(random),
  };
  failure = await send(sent);
  sentCount++;
}

async function send({ method, path: target, type, accept, body: content }: Sent): Promise<string | undefined> {
  const headers = {
    authorization: `Bearer ${sandbox.token}`,
    accept,
    ...(type === '' ? {} : { 'content-type': type }),
  };
  const shown = `${method} ${target} ${type} ${typeof content === 'string' ? content : (content?.toString('base64') ?? '')}`;
  note(shown);
  try {
    const answer = await dispatcher.request({
      origin: sandbox.url,
      path: target,
      method: method as 'GET',
      headers,
      ...(content === undefined || method === 'GET' ? {} : { body: content }),
    });
    const text = await answer.body.text();
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
    if (bugs.length > 0) return `${shown}\ncalled a bug: ${(bugs[0] as Error).stack ?? String(bugs[0])}`;
    if (text.includes('InternalError') && !HONEST.test(text)) return `${shown}\n${answer.statusCode} ${text}`;
  } catch (error) {
    // A path that no HTTP client may send is not the server's affair.
    if ((error as { code?: string }).code === 'UND_ERR_INVALID_ARG') return undefined;
    return `${shown}\nno answer: ${(error as Error).message}`;
  }
  return undefined;
}

const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
console.log(`fuzz:sandbox: ${sentCount} requests (${counts.join(', ')})`);
await dispatcher.destroy();
await sandbox.close();
if (failure !== undefined) {
  console.error(`fuzz:sandbox: FUZZ_SEED=${seed}\n${failure}`);
  process.exitCode = 1;
}
