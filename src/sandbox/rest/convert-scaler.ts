// Owns the two versions of HorizontalPodAutoscalers: autoscaling/v1 knows one metric, the CPU, and carries the rest of
// what is stored (v2) in annotations, so that nothing is lost on the way there and back. Pure.
import { isRecord, type KubeObject, setKey } from '../object.ts';

type Body = Readonly<Record<string, unknown>>;

const PREFIX = 'autoscaling.alpha.kubernetes.io/';
const CARRIED = ['metrics', 'current-metrics', 'behavior', 'conditions'].map((name) => PREFIX + name);
const CPU = 'cpu';
const DEFAULT_UTILIZATION = 80;

/** How the parts of a metric's source are named in v1, by its paths in v2; `0` is written where a value is absent. */
type Names = readonly (readonly [v1: string, v2: readonly string[], zero?: '0'])[];

function namesOf(values: 'target' | 'current'): Readonly<Record<string, Names>> {
  const zero = values === 'current' ? '0' : undefined;
  const named = (part: string): string => (values === 'target' ? `target${part}` : `current${part}`);
  const row = (name: string, path: readonly string[], or: '0' | undefined): Names[number] =>
    or === undefined ? [name, path] : [name, path, or];
  const resource: Names = [
    ['name', ['name']],
    [named('AverageUtilization'), [values, 'averageUtilization']],
    row(named('AverageValue'), [values, 'averageValue'], zero),
  ];
  return {
    object: [
      ['target', ['describedObject']],
      ['metricName', ['metric', 'name']],
      [named('Value'), [values, 'value'], '0'],
      ['selector', ['metric', 'selector']],
      ['averageValue', [values, 'averageValue']],
    ],
    pods: [
      ['metricName', ['metric', 'name']],
      [named('AverageValue'), [values, 'averageValue'], '0'],
      ['selector', ['metric', 'selector']],
    ],
    resource,
    containerResource: [...resource, ['container', ['container']]],
    external: [
      ['metricName', ['metric', 'name']],
      ['metricSelector', ['metric', 'selector']],
      row(named('Value'), [values, 'value'], zero),
      [named('AverageValue'), [values, 'averageValue']],
    ],
  };
}

const TARGETS = namesOf('target');
const CURRENTS = namesOf('current');

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((found, step) => (isRecord(found) ? found[step] : undefined), value);
}

/** A metric with its source renamed. */
function metricToV1(metric: unknown, names: Readonly<Record<string, Names>>): Body {
  const out: Record<string, unknown> = { type: valueAt(metric, ['type']) };
  for (const [source, parts] of Object.entries(names)) {
    const from = valueAt(metric, [source]);
    if (!isRecord(from)) continue;
    const to: Record<string, unknown> = {};
    for (const [name, path, zero] of parts) {
      const value = valueAt(from, path) ?? zero;
      if (value !== undefined) to[name] = name === 'target' ? inGoOrder(value) : value;
    }
    out[source] = to;
  }
  return out;
}

/** The annotation's text is of a struct, whose fields have an order. */
function inGoOrder(reference: unknown): unknown {
  const { kind, name, apiVersion, ...rest } = reference as Body;
  return { kind, name, ...(apiVersion === undefined ? {} : { apiVersion }), ...rest };
}

function metricToV2(metric: unknown, names: Readonly<Record<string, Names>>, values: 'target' | 'current'): Body {
  const out: Record<string, unknown> = { type: valueAt(metric, ['type']) };
  for (const [source, parts] of Object.entries(names)) {
    const from = valueAt(metric, [source]);
    if (!isRecord(from)) continue;
    const to: Record<string, Record<string, unknown>> & Record<string, unknown> = {} as never;
    for (const [name, [first = '', second]] of parts) {
      if (from[name] === undefined) continue;
      if (second === undefined) to[first] = from[name] as Record<string, unknown>;
      else to[first] = { ...to[first], [second]: from[name] };
    }
    out[source] = values === 'target' ? { ...to, target: typedTarget(to['target'] ?? {}) } : to;
  }
  return out;
}

/** v1 says by its fields of which type a target is. */
function typedTarget(target: Body): Body {
  const { value, averageValue, averageUtilization } = target;
  if (averageUtilization !== undefined) return { type: 'Utilization', ...target };
  if (averageValue === undefined) return { type: 'Value', ...target };
  const { value: zero, ...rest } = target;
  return {
    type: 'AverageValue',
    ...(value === '0' ? rest : { ...rest, ...(zero === undefined ? {} : { value: zero }) }),
  };
}

/** The type of the behaviour in the annotation is internal: it has no JSON names, and null for what is not set. */
const RULES = ['stabilizationWindowSeconds', 'selectPolicy', 'policies', 'tolerance'];
const POLICY = ['type', 'value', 'periodSeconds'];

const upper = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

function behaviorToV1(behavior: unknown): Body {
  const rules = (from: unknown): unknown =>
    isRecord(from) ? Object.fromEntries(RULES.map((name) => [upper(name), rule(name, from[name])])) : null;
  const rule = (name: string, value: unknown): unknown => {
    if (name !== 'policies' || !Array.isArray(value)) return value ?? null;
    return value.map((policy) => Object.fromEntries(POLICY.map((part) => [upper(part), valueAt(policy, [part])])));
  };
  return { ScaleUp: rules(valueAt(behavior, ['scaleUp'])), ScaleDown: rules(valueAt(behavior, ['scaleDown'])) };
}

/** Go's decoder takes names in any letters; what is null is left out. */
function behaviorToV2(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(behaviorToV2);
  if (!isRecord(value)) return value;
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item !== null) setKey(out, key.charAt(0).toLowerCase() + key.slice(1), behaviorToV2(item));
  }
  return out;
}

function isCpu(metric: unknown): boolean {
  const source = valueAt(metric, ['resource']);
  const utilization = valueAt(source, ['target', 'averageUtilization']);
  return valueAt(metric, ['type']) === 'Resource' && valueAt(source, ['name']) === CPU && utilization !== undefined;
}

function listAt(value: unknown, path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found : [];
}

/** A stored autoscaler as autoscaling/v1 shows it. */
export function scalerToV1(object: KubeObject): KubeObject {
  const { metrics: _, behavior, ...spec } = (object['spec'] ?? {}) as Body;
  const { currentMetrics: __, conditions: ___, ...status } = (object['status'] ?? {}) as Body;
  const metrics = listAt(object, ['spec', 'metrics']);
  const currents = listAt(object, ['status', 'currentMetrics']);
  const conditions = listAt(object, ['status', 'conditions']);
  const others = metrics.filter((metric) => !isCpu(metric));
  const percentage = valueAt(metrics.find(isCpu), ['resource', 'target', 'averageUtilization']);
  const current = currents
    .map((metric) => valueAt(metric, ['resource']))
    .find((source) => valueAt(source, ['name']) === CPU);
  const utilization = valueAt(current, ['current', 'averageUtilization']);
  const carried: Record<string, unknown> = {
    ...(others.length > 0 ? { metrics: others.map((metric) => metricToV1(metric, TARGETS)) } : {}),
    ...(currents.length > 0 ? { 'current-metrics': currents.map((metric) => metricToV1(metric, CURRENTS)) } : {}),
    ...(behavior === undefined ? {} : { behavior: behaviorToV1(behavior) }),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
  return {
    ...withCarried(object, carried),
    spec: { ...spec, ...(percentage === undefined ? {} : { targetCPUUtilizationPercentage: percentage }) },
    status: {
      currentReplicas: 0,
      desiredReplicas: 0,
      ...status,
      ...(utilization === undefined ? {} : { currentCPUUtilizationPercentage: utilization }),
    },
  };
}

/** An autoscaler of autoscaling/v1 as it is stored. */
export function scalerToV2(object: KubeObject): KubeObject {
  const carried = (name: string): unknown => parse(object.metadata.annotations?.[PREFIX + name]);
  const { targetCPUUtilizationPercentage: percentage, ...spec } = (object['spec'] ?? {}) as Body;
  const { currentReplicas, currentCPUUtilizationPercentage: _, ...status } = (object['status'] ?? {}) as Body;
  const others = listAt(carried('metrics'), []).map((metric) => metricToV2(metric, TARGETS, 'target'));
  const metrics = [...others, ...(percentage === undefined ? [] : [cpuMetric(percentage)])];
  const currents = listAt(carried('current-metrics'), []).map((metric) => metricToV2(metric, CURRENTS, 'current'));
  const conditions = listAt(carried('conditions'), []);
  const behavior = behaviorToV2(carried('behavior'));
  return {
    ...withCarried(object, {}),
    spec: {
      ...spec,
      metrics: metrics.length > 0 ? metrics : [cpuMetric(DEFAULT_UTILIZATION)],
      ...(isRecord(behavior) && Object.keys(behavior).length > 0 ? { behavior } : {}),
    },
    status: {
      ...status,
      ...(currentReplicas ? { currentReplicas } : {}),
      ...(conditions.length > 0 ? { conditions } : {}),
      currentMetrics: currents.length > 0 ? currents : null,
    },
  };
}

function cpuMetric(averageUtilization: unknown): Body {
  return { type: 'Resource', resource: { name: CPU, target: { type: 'Utilization', averageUtilization } } };
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    // What somebody else wrote there is not carried.
    return undefined;
  }
}

/** The object with these annotations in place of those that it carries. */
function withCarried(object: KubeObject, values: Readonly<Record<string, unknown>>): KubeObject {
  const before = object.metadata.annotations ?? {};
  const names = Object.keys(values);
  if (names.length === 0 && !CARRIED.some((name) => Object.hasOwn(before, name))) return object;
  const annotations: Record<string, string> = {};
  for (const key of Object.keys(before)) if (!CARRIED.includes(key)) setKey(annotations, key, before[key]);
  for (const name of names) annotations[PREFIX + name] = JSON.stringify(values[name]);
  const { annotations: _, ...metadata } = object.metadata;
  return { ...object, metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata };
}
