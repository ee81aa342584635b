// Owns random Kubernetes objects for the kustomize comparison, as YAML text with awkward scalars and styles.
import type { Random } from './seeded-choices.ts';

/** A YAML value on its way to text; `raw` is written as it stands. */
export type Yaml =
  | string
  | number
  | boolean
  | null
  | { readonly raw: string }
  | readonly Yaml[]
  | { readonly [key: string]: Yaml };

const AWKWARD = [
  'yes',
  'n',
  'Off',
  'null',
  '~',
  'true',
  '0644',
  '0x1F',
  '0o17',
  '1_000',
  '1e3',
  '.5',
  '1.',
  '12:30',
  '2001-01-01',
  '2001-12-14t21:59:43.10-05:00',
  '+1',
  '-0',
  '08',
  '12345678901234567890',
  '9007199254740993',
  '1.10',
  '=',
  '<<',
  'a: b',
  'a #b',
  '- x',
  '? y',
  "it's",
  '"quoted"',
  'tab\there',
  'trailing ',
  ' leading',
  '',
  '@at',
  '`tick`',
  '%pct',
  '{flow}',
  '[flow]',
  '!tag',
  '&anchor',
  '*alias',
  '| pipe',
  '> fold',
  'multi\nline',
  'multi\nline\n',
  'end \nspace',
  'keep\n\n',
  'ünï',
  '漢字',
  '😀 face',
  'a'.repeat(90),
  'word '.repeat(30).trim(),
  'colon:',
  '...',
  '---',
  '1e400',
  '.inf_',
  '$(A)',
  'x'.repeat(60) + ' ' + 'y'.repeat(60),
  '\u00a0nbsp',
  'back\\slash',
  'cr\rlf',
];

/** A text that is hard to write and to read back. */
export function awkwardText(random: Random): string {
  return random.pick(AWKWARD);
}

const RAW = [
  'yes',
  '0644',
  '0x1F',
  '1_000',
  '1e3',
  '.5',
  '2001-01-01',
  '2001-12-14t21:59:43.10-05:00',
  '12:30',
  '~',
  '123456.5',
  '1234567.5',
  '1e-7',
  '12345678901234567890',
  '9007199254740993',
  '-12',
  '!!str 12',
  '!!int "3"',
  '1.0',
  '1e21',
  '0b11',
  '!!binary aGVsbG8=',
  '{a: 1, b: [x, 2001-01-01]}',
  '[1, "2", {c: ~}]',
  '"esc\\taped"',
  "'single'",
  '|-\n      block\n      text',
];

/** A value of any type, some as raw YAML. */
export function awkwardValue(random: Random): Yaml {
  if (random.chance(0.4)) return { raw: random.pick(RAW) };
  return random.chance(0.7) ? awkwardText(random) : random.pick([1, 0, -5, true, false, null, 3.25]);
}

/** Writes YAML with random quoting where it does not change the meaning. */
export function writeYaml(value: Yaml, random: Random, indent = ''): string {
  if (typeof value === 'string') return writeText(value, random);
  if (value === null || typeof value !== 'object') return String(value);
  if ('raw' in value) return (value as { readonly raw: string }).raw;
  if (Array.isArray(value)) return writeList(value as readonly Yaml[], random, indent);
  const entries = Object.entries(value as Record<string, Yaml>);
  if (entries.length === 0) return '{}';
  return entries.map(([key, item]) => `\n${indent}${writeKey(key)}:${inner(item, random, indent)}`).join('');
}

function writeKey(key: string): string {
  return /^[A-Za-z][\w./-]*$/.test(key) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(key)
    ? key
    : JSON.stringify(key);
}

function inner(item: Yaml, random: Random, indent: string): string {
  if (item === null || typeof item !== 'object' || 'raw' in item) return ` ${writeYaml(item, random, indent)}`;
  const empty = Array.isArray(item) ? item.length === 0 : Object.keys(item).length === 0;
  const deeper = Array.isArray(item) && random.chance(0.5) ? indent : `${indent}  `;
  return empty ? ` ${writeYaml(item, random, indent)}` : writeYaml(item, random, deeper);
}

function writeList(items: readonly Yaml[], random: Random, indent: string): string {
  if (items.length === 0) return '[]';
  return items
    .map((item) => {
      const text = writeYaml(item, random, `${indent}  `);
      return `\n${indent}- ${text.startsWith('\n') ? text.trimStart() : text}`;
    })
    .join('');
}

function writeText(text: string, random: Random): string {
  const plain = /^[A-Za-z][\w./-]*$/.test(text) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(text);
  if (plain && random.chance(0.7)) return text;
  if (!/[\n\r\t']|[^\x20-\x7e]/.test(text) && random.chance(0.3)) return `'${text}'`;
  return JSON.stringify(text);
}

const KINDS = [
  'Deployment',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'Pod',
  'Service',
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'RoleBinding',
  'ClusterRoleBinding',
  'Role',
  'ClusterRole',
  'Ingress',
  'HorizontalPodAutoscaler',
  'Namespace',
  'PersistentVolumeClaim',
  'Widget',
  'Gadget',
  'CustomResourceDefinition',
  'NetworkPolicy',
  'ReplicationController',
  'APIService',
] as const;

const API: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  RoleBinding: 'rbac.authorization.k8s.io/v1',
  ClusterRoleBinding: 'rbac.authorization.k8s.io/v1',
  Role: 'rbac.authorization.k8s.io/v1',
  ClusterRole: 'rbac.authorization.k8s.io/v1',
  Ingress: 'networking.k8s.io/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  NetworkPolicy: 'networking.k8s.io/v1',
  Widget: 'example.com/v1',
  Gadget: 'example.com/v1beta1',
  CustomResourceDefinition: 'apiextensions.k8s.io/v1',
  APIService: 'apiregistration.k8s.io/v1',
};

/** Names that objects, references and generators share, so that they meet. */
export const NAMES = ['web', 'db', 'cache', 'job', 'config', 'creds', 'default', 'api'] as const;
export const NAMESPACES = ['', '', 'default', 'prod', 'team-a'] as const;
export const IMAGES = [
  'nginx',
  'nginx:1.21',
  'registry.io:5000/app/web:v1',
  'busybox@sha256:abc123',
  'redis:6@sha256:00ff',
  'alpine:3',
] as const;

/** One object; `kind` is chosen unless given. */
export interface RandomObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly body: { readonly [key: string]: Yaml };
}

export function randomObject(random: Random): RandomObject {
  // Namespaces are all renamed to one name by `namespace`, so two of them seldom go well.
  const chosen = random.pick(KINDS);
  const kind = chosen === 'Namespace' && random.chance(0.7) ? 'ConfigMap' : chosen;
  const apiVersion = API[kind] ?? 'v1';
  const name = random.pick(NAMES);
  const namespace = random.pick(NAMESPACES);
  const metadata: Record<string, Yaml> = { name };
  if (namespace !== '') metadata['namespace'] = namespace;
  if (random.chance(0.4)) metadata['labels'] = randomMap(random, ['app', 'tier', 'x/y']);
  if (random.chance(0.3))
    metadata['annotations'] = randomMap(random, ['note', 'a.b/c', 'config.kubernetes.io/origin-ish']);
  if (random.chance(0.05))
    metadata['annotations'] = { 'config.kubernetes.io/local-config': random.pick(['true', 'false']) };
  if (random.chance(0.1)) metadata['finalizers'] = random.some(['f/one', 'f/two', 'f/three'], 0.6);
  return { apiVersion, kind, name, namespace, body: { apiVersion, kind, metadata, ...specOf(kind, random) } };
}

function randomMap(random: Random, keys: readonly string[]): Yaml {
  const result: Record<string, Yaml> = {};
  for (const key of random.some(keys, 0.6)) result[key] = awkwardText(random);
  return result;
}

function specOf(kind: string, random: Random): Record<string, Yaml> {
  switch (kind) {
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'ReplicationController':
      return { spec: workload(kind, random) };
    case 'Job':
      return { spec: { template: { spec: podSpec(random) } } };
    case 'CronJob':
      return { spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: podSpec(random) } } } } };
    case 'Pod':
      return { spec: podSpec(random) };
    case 'Service':
      return { spec: { selector: { app: random.pick(NAMES) }, ports: ports(random, 'port') } };
    case 'ConfigMap':
      return {
        data: Object.fromEntries(
          random.some(['a', 'b.yaml', 'y', '1', 'k-3'], 0.6).map((key) => [key, awkwardText(random)]),
        ),
      };
    case 'Secret':
      return { type: 'Opaque', data: { password: 'aGVsbG8=' }, stringData: { plain: awkwardText(random) } };
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return binding(random);
    case 'Role':
    case 'ClusterRole':
      return { rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [random.pick(NAMES), 'other'] }] };
    case 'Ingress':
      return {
        spec: {
          tls: [{ hosts: ['$(HOST).example.com'], secretName: random.pick(NAMES) }],
          rules: [
            {
              host: 'a.b',
              http: {
                paths: [{ path: '/', backend: { service: { name: random.pick(NAMES), port: { number: 80 } } } }],
              },
            },
          ],
        },
      };
    case 'HorizontalPodAutoscaler':
      return {
        spec: { scaleTargetRef: { kind: 'Deployment', name: random.pick(NAMES) }, metrics: [{ type: 'Resource' }] },
      };
    case 'CustomResourceDefinition':
      return {
        spec: { conversion: { webhook: { clientConfig: { service: { name: random.pick(NAMES), namespace: 'x' } } } } },
      };
    case 'APIService':
      return { spec: { service: { name: random.pick(NAMES) } } };
    case 'NetworkPolicy':
      return {
        spec: {
          podSelector: { matchLabels: { app: 'web' } },
          ingress: [{ from: [{ podSelector: { matchLabels: { a: 'b' } } }] }],
        },
      };
    case 'PersistentVolumeClaim':
      return {
        spec: { storageClassName: 'fast', volumeName: random.pick(NAMES), resources: { requests: { storage: '1Gi' } } },
      };
    case 'Widget':
    case 'Gadget':
      return {
        spec: {
          value: awkwardValue(random),
          list: [awkwardValue(random), awkwardText(random)],
          nested: { deep: { value: awkwardValue(random) }, containers: [{ name: 'c', image: random.pick(IMAGES) }] },
        },
      };
    default:
      return {};
  }
}

function workload(kind: string, random: Random): Yaml {
  const spec: Record<string, Yaml> = { template: { spec: podSpec(random) } };
  if (random.chance(0.5)) spec['replicas'] = random.below(5);
  if (kind !== 'ReplicationController' && random.chance(0.5)) spec['selector'] = { matchLabels: { app: 'web' } };
  if (random.chance(0.5))
    spec['template'] = {
      metadata: { labels: { app: 'web' }, annotations: { a: awkwardText(random) } },
      spec: podSpec(random),
    };
  if (kind === 'StatefulSet') {
    spec['serviceName'] = random.pick(NAMES);
    spec['volumeClaimTemplates'] = [{ metadata: { name: 'data' }, spec: { storageClassName: 'fast' } }];
  }
  return spec;
}

function binding(random: Random): Record<string, Yaml> {
  const subject = (): Yaml => {
    const result: Record<string, Yaml> = {
      kind: random.pick(['ServiceAccount', 'User', 'Group']),
      name: random.pick(NAMES),
    };
    if (random.chance(0.5)) result['namespace'] = random.pick(['default', 'prod', 'team-a']);
    return result;
  };
  return {
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: random.pick(['Role', 'ClusterRole']),
      name: random.pick(NAMES),
    },
    subjects: [subject(), subject()],
  };
}

function ports(random: Random, key: string): Yaml {
  const list: Yaml[] = [];
  for (const port of random.some([80, 443, 8080], 0.6)) {
    const entry: Record<string, Yaml> = { [key]: port };
    if (random.chance(0.6)) entry['protocol'] = random.pick(['TCP', 'UDP']);
    if (random.chance(0.6)) entry['name'] = `p${port}`;
    list.push(entry);
  }
  return list;
}

/** A container with a name of a few, so that patches meet it. */
export function randomContainer(random: Random): Record<string, Yaml> {
  const container: Record<string, Yaml> = { name: random.pick(['main', 'side', 'init']), image: random.pick(IMAGES) };
  if (random.chance(0.6)) container['env'] = randomEnv(random);
  if (random.chance(0.4)) container['ports'] = ports(random, 'containerPort');
  if (random.chance(0.4))
    container['envFrom'] = [
      { configMapRef: { name: random.pick(NAMES) } },
      { secretRef: { name: random.pick(NAMES) } },
    ];
  if (random.chance(0.3)) container['volumeMounts'] = [{ name: 'v', mountPath: random.pick(['/a', '/b']) }];
  if (random.chance(0.3)) container['args'] = [awkwardText(random), '--x=$(HOST)'];
  if (random.chance(0.2)) container['resources'] = { limits: { cpu: awkwardValue(random), memory: '1Gi' } };
  return container;
}

function randomEnv(random: Random): Yaml {
  return random.some(['A', 'B', 'C'], 0.6).map((name): Yaml => {
    if (random.chance(0.3)) return { name, valueFrom: { configMapKeyRef: { name: random.pick(NAMES), key: 'a' } } };
    if (random.chance(0.3)) return { name, valueFrom: { secretKeyRef: { name: random.pick(NAMES), key: 'a' } } };
    return { name, value: awkwardText(random) };
  });
}

function podSpec(random: Random): Record<string, Yaml> {
  const names = new Set<string>();
  const containers = [randomContainer(random), randomContainer(random)].filter((one) => {
    const fresh = !names.has(one['name'] as string);
    names.add(one['name'] as string);
    return fresh;
  });
  const spec: Record<string, Yaml> = { containers };
  if (random.chance(0.3)) spec['initContainers'] = [randomContainer(random)];
  if (random.chance(0.4)) spec['serviceAccountName'] = random.pick(NAMES);
  if (random.chance(0.3)) spec['imagePullSecrets'] = [{ name: random.pick(NAMES) }];
  if (random.chance(0.5)) {
    spec['volumes'] = [
      { name: 'v', configMap: { name: random.pick(NAMES) } },
      { name: 's', secret: { secretName: random.pick(NAMES) } },
      {
        name: 'p',
        projected: { sources: [{ configMap: { name: random.pick(NAMES) } }, { secret: { name: random.pick(NAMES) } }] },
      },
      { name: 'c', persistentVolumeClaim: { claimName: random.pick(NAMES) } },
    ].slice(random.below(4));
  }
  if (random.chance(0.1))
    spec['topologySpreadConstraints'] = [
      {
        topologyKey: 'zone',
        whenUnsatisfiable: 'DoNotSchedule',
        maxSkew: 1,
        labelSelector: { matchLabels: { a: 'b' } },
      },
    ];
  return spec;
}
