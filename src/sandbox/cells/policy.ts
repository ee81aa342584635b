// Owns the table cells of access rules, budgets, autoscaling, admission, priorities and device claims.
import type { KubeObject } from '../object.ts';
import { age, type Cell, type CellsOf, humanDuration, selectorText, shortList } from './text.ts';

interface Binding extends KubeObject {
  roleRef: { kind: string; name: string };
  subjects?: readonly { kind: string; name: string; namespace?: string }[];
}

const roleBindings: CellsOf = (object, now) => {
  const { metadata, roleRef, subjects = [] } = object as Binding;
  const of = (kind: string) => subjects.filter((subject) => subject.kind === kind);
  const names = (kind: string) =>
    of(kind)
      .map(({ name }) => name)
      .join(', ');
  return [
    metadata.name,
    `${roleRef.kind}/${roleRef.name}`,
    age(object, now),
    names('User'),
    names('Group'),
    of('ServiceAccount')
      .map(({ namespace = '', name }) => `${namespace}/${name}`)
      .join(', '),
  ];
};

const podDisruptionBudgets: CellsOf = (object, now) => {
  const spec = (object['spec'] ?? {}) as { minAvailable?: Cell; maxUnavailable?: Cell };
  const status = object['status'] as { disruptionsAllowed?: number } | undefined;
  return [
    object.metadata.name,
    String(spec.minAvailable ?? 'N/A'),
    String(spec.maxUnavailable ?? 'N/A'),
    status?.disruptionsAllowed ?? 0,
    age(object, now),
  ];
};

interface MetricValue {
  value?: string;
  averageValue?: string;
  averageUtilization?: number;
}

interface Metric {
  type: string;
  [source: string]: string | { name?: string; target?: MetricValue; current?: MetricValue } | undefined;
}

/** For the object in its autoscaling/v2 form. */
const autoscalers: CellsOf = (object, now) => {
  const spec = object['spec'] as {
    scaleTargetRef: { kind: string; name: string };
    metrics?: readonly Metric[];
    minReplicas?: number;
    maxReplicas: number;
  };
  const status = object['status'] as
    | { currentMetrics?: readonly Metric[] | null; currentReplicas?: number }
    | undefined;
  const targets = (spec.metrics ?? []).map((metric, i) => metricText(metric, status?.currentMetrics?.[i]));
  return [
    object.metadata.name,
    `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    shortList(targets, 2, '<none>', ', '),
    spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
    spec.maxReplicas,
    status?.currentReplicas ?? 0,
    age(object, now),
  ];
};

const SOURCES: Readonly<Record<string, string>> = {
  External: 'external',
  Pods: 'pods',
  Object: 'object',
  Resource: 'resource',
  ContainerResource: 'containerResource',
};

function metricText(metric: Metric, status: Metric | undefined): string {
  const source = SOURCES[metric.type];
  if (source === undefined) return '<unknown type>';
  const spec = metric[source];
  const live = status?.[source];
  if (typeof spec !== 'object') return '<unknown type>';
  const target = spec.target ?? {};
  const current = (typeof live === 'object' ? live.current : undefined) ?? {};
  switch (metric.type) {
    case 'Pods':
      return `${current.averageValue ?? '<unknown>'}/${target.averageValue ?? ''}`;
    case 'External':
    case 'Object':
      if (target.averageValue !== undefined)
        return `${current.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`;
      return `${current.value ?? '<unknown>'}/${target.value ?? ''}`;
    default:
      if (target.averageValue !== undefined)
        return `${spec.name}: ${current.averageValue ?? '<unknown>'}/${target.averageValue}`;
      return `${spec.name}: ${percent(current.averageUtilization, '<unknown>')}/${percent(target.averageUtilization, '<auto>')}`;
  }
}

function percent(value: number | undefined, otherwise: string): string {
  return value === undefined ? otherwise : `${value}%`;
}

const webhookConfigurations: CellsOf = (object, now) => [
  object.metadata.name,
  ((object['webhooks'] ?? []) as readonly unknown[]).length,
  age(object, now),
];

function admissionPolicies(list: 'validations' | 'mutations'): CellsOf {
  return (object, now) => {
    const spec = object['spec'] as { paramKind?: { apiVersion: string; kind: string }; [list]?: readonly unknown[] };
    const kind = spec.paramKind;
    return [
      object.metadata.name,
      (spec as Record<string, readonly unknown[] | undefined>)[list]?.length ?? 0,
      kind === undefined ? '<unset>' : `${kind.apiVersion}/${kind.kind}`,
      age(object, now),
    ];
  };
}

const admissionPolicyBindings: CellsOf = (object, now) => {
  const spec = object['spec'] as {
    policyName?: string;
    paramRef?: { name?: string; namespace?: string; selector?: object };
  };
  const { name, namespace, selector } = spec.paramRef ?? {};
  const param = name ? `${namespace || '*'}/${name}` : selector === undefined ? '<unset>' : selectorText(selector);
  return [object.metadata.name, spec.policyName ?? '', param, age(object, now)];
};

const signingRequests: CellsOf = (object, now) => {
  const spec = object['spec'] as { signerName?: string; username?: string; expirationSeconds?: number };
  const status = object['status'] as { conditions?: readonly { type: string }[]; certificate?: string } | undefined;
  const has = (type: string) => status?.conditions?.some((condition) => condition.type === type) === true;
  const verdict = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return [
    object.metadata.name,
    age(object, now),
    spec.signerName || '<none>',
    spec.username ?? '',
    spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
    `${verdict}${has('Failed') ? ',Failed' : ''}${status?.certificate ? ',Issued' : ''}`,
  ];
};

const priorityClasses: CellsOf = (object, now) => [
  object.metadata.name,
  Number(object['value'] ?? 0),
  object['globalDefault'] === true,
  age(object, now),
  String(object['preemptionPolicy'] ?? ''),
];

const runtimeClasses: CellsOf = (object, now) => [
  object.metadata.name,
  String(object['handler'] ?? ''),
  age(object, now),
];

const flowSchemas: CellsOf = (object, now) => {
  const spec = object['spec'] as {
    priorityLevelConfiguration: { name: string };
    matchingPrecedence?: number;
    distinguisherMethod?: { type: string };
  };
  const status = object['status'] as { conditions?: readonly { type: string; status: string }[] } | undefined;
  return [
    object.metadata.name,
    spec.priorityLevelConfiguration.name,
    spec.matchingPrecedence ?? 0,
    spec.distinguisherMethod?.type ?? '<none>',
    age(object, now),
    status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
  ];
};

const priorityLevels: CellsOf = (object, now) => {
  const { type, limited } = object['spec'] as {
    type: string;
    limited?: {
      nominalConcurrencyShares?: number;
      limitResponse?: { queuing?: { queues: number; handSize: number; queueLengthLimit: number } };
    };
  };
  const queuing = limited?.limitResponse?.queuing;
  return [
    object.metadata.name,
    type,
    limited?.nominalConcurrencyShares ?? '<none>',
    queuing?.queues ?? '<none>',
    queuing?.handSize ?? '<none>',
    queuing?.queueLengthLimit ?? '<none>',
    age(object, now),
  ];
};

const resourceClaims: CellsOf = (object, now) => {
  const status = object['status'] as { allocation?: object; reservedFor?: readonly unknown[] } | undefined;
  const isDeleted = object.metadata.deletionTimestamp !== undefined;
  const states = isDeleted ? ['deleted'] : [];
  if (status?.allocation !== undefined) {
    states.push('allocated');
    if ((status.reservedFor ?? []).length > 0) states.push('reserved');
  } else if (!isDeleted) states.push('pending');
  return [object.metadata.name, states.join(','), age(object, now)];
};

const resourceSlices: CellsOf = (object, now) => {
  const spec = object['spec'] as { nodeName?: string; driver?: string; pool?: { name?: string } };
  return [object.metadata.name, spec.nodeName ?? '', spec.driver ?? '', spec.pool?.name ?? '', age(object, now)];
};

export const policyCells: Readonly<Record<string, CellsOf>> = {
  'admissionregistration.k8s.io/mutatingadmissionpolicies': admissionPolicies('mutations'),
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': admissionPolicyBindings,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': webhookConfigurations,
  'admissionregistration.k8s.io/validatingadmissionpolicies': admissionPolicies('validations'),
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': admissionPolicyBindings,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': webhookConfigurations,
  'autoscaling/horizontalpodautoscalers': autoscalers,
  'certificates.k8s.io/certificatesigningrequests': signingRequests,
  'flowcontrol.apiserver.k8s.io/flowschemas': flowSchemas,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': priorityLevels,
  'node.k8s.io/runtimeclasses': runtimeClasses,
  'policy/poddisruptionbudgets': podDisruptionBudgets,
  'rbac.authorization.k8s.io/clusterrolebindings': roleBindings,
  'rbac.authorization.k8s.io/rolebindings': roleBindings,
  'resource.k8s.io/resourceclaims': resourceClaims,
  'resource.k8s.io/resourceslices': resourceSlices,
  'scheduling.k8s.io/priorityclasses': priorityClasses,
};
