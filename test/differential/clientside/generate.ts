// Owns random objects in three versions for the differential test of client-side patches: what was desired, what is
// desired, what is live. Names are few, so that lists have items in common.
import type { JsonObject, JsonValue } from '../../../src/lib/json.ts';
import { type Choices, createChoices } from '../choices.ts';

export interface ClientSideInput {
  readonly apiVersion: string;
  readonly kind: 'Deployment' | 'Service' | 'ServiceAccount' | 'ConfigMap';
  readonly old: JsonObject;
  readonly desired: JsonObject;
  readonly live: JsonObject;
}

const NAMES = ['web', 'db', 'log', 'tls'];
const TEXTS = ['a', 'b', '', 'ä'];

type Make = (random: Choices) => JsonValue;

/** The input of one seed. */
export function generateClientSide(seed: number): ClientSideInput {
  const random = createChoices(seed);
  const kind = random.pick(['Deployment', 'Deployment', 'Service', 'ServiceAccount', 'ConfigMap'] as const);
  const apiVersion = kind === 'Deployment' ? 'apps/v1' : 'v1';
  const make = (): JsonObject => ({ apiVersion, kind, ...makers[kind](random) });
  const old = make();
  // Mostly what is there now is what was there before, somewhat changed.
  const desired = mixed(random, old, make());
  return { apiVersion, kind, old, desired, live: mixed(random, old, make()) };
}

const makers: Readonly<Record<ClientSideInput['kind'], (random: Choices) => JsonObject>> = {
  ConfigMap: (random) => ({ metadata: metadata(random), ...maybe(random, 'data', texts) }),
  ServiceAccount: (random) => ({
    metadata: metadata(random),
    ...maybe(
      random,
      'secrets',
      named(() => ({})),
    ),
    ...maybe(
      random,
      'imagePullSecrets',
      named(() => ({})),
    ),
  }),
  Service: (random) => ({ metadata: metadata(random), spec: serviceSpec(random) }),
  Deployment: (random) => ({ metadata: metadata(random), spec: deploymentSpec(random) }),
};

function metadata(random: Choices): JsonObject {
  return {
    name: 'x',
    ...maybe(random, 'labels', texts),
    ...maybe(random, 'finalizers', () => subset(random, ['a/x', 'a/y', 'a/z'])),
    ...maybe(random, 'ownerReferences', () => subset(random, NAMES).map((uid) => ({ uid, name: random.pick(TEXTS) }))),
  };
}

function serviceSpec(random: Choices): JsonObject {
  return {
    ...maybe(random, 'selector', texts),
    ...maybe(random, 'externalIPs', () => subset(random, ['1.1.1.1', '2.2.2.2'])),
    ...maybe(random, 'ports', () =>
      subset(random, [80, 443, 8080]).map((port) => ({
        port,
        ...maybe(random, 'nodePort', () => 30000 + random.below(3)),
        ...maybe(random, 'targetPort', () => random.pick([80, 'http'])),
      })),
    ),
  };
}

function deploymentSpec(random: Choices): JsonObject {
  return {
    ...maybe(random, 'replicas', () => random.below(3)),
    ...maybe(random, 'strategy', () => ({
      type: random.pick(['Recreate', 'RollingUpdate']),
      ...maybe(random, 'rollingUpdate', () => ({ maxSurge: random.below(3) })),
    })),
    template: {
      ...maybe(random, 'metadata', () => ({ ...maybe(random, 'annotations', texts) })),
      spec: {
        ...maybe(random, 'containers', named(container)),
        ...maybe(random, 'initContainers', named(container)),
        ...maybe(random, 'volumes', named(volume)),
        ...maybe(random, 'nodeSelector', texts),
        ...maybe(random, 'tolerations', () => subset(random, NAMES).map((key) => ({ key }))),
      },
    },
  };
}

function container(random: Choices): JsonObject {
  return {
    ...maybe(random, 'image', () => random.pick(TEXTS)),
    ...maybe(random, 'args', () => subset(random, TEXTS)),
    ...maybe(
      random,
      'env',
      named((choices) => ({ ...maybe(choices, 'value', () => choices.pick(TEXTS)) })),
    ),
    ...maybe(random, 'volumeMounts', () =>
      subset(random, ['/a', '/b', '/c']).map((mountPath) => ({ mountPath, name: random.pick(NAMES) })),
    ),
    ...maybe(random, 'resources', () => ({ ...maybe(random, 'limits', texts) })),
  };
}

function volume(random: Choices): JsonObject {
  const mode = maybe(random, 'defaultMode', () => random.below(3));
  return random.chance(0.5)
    ? { configMap: { name: random.pick(TEXTS), ...mode } }
    : { secret: { secretName: random.pick(TEXTS), ...mode } };
}

function texts(random: Choices): JsonObject {
  return Object.fromEntries(subset(random, NAMES).map((name) => [name, random.pick(TEXTS)]));
}

function named(make: (random: Choices) => JsonObject): Make {
  return (random) => subset(random, NAMES).map((name) => ({ name, ...make(random) }));
}

function maybe(random: Choices, name: string, make: Make): JsonObject {
  return random.chance(0.6) ? { [name]: make(random) } : {};
}

/** Some of the items, sometimes in another order. */
function subset<T>(random: Choices, items: readonly T[]): T[] {
  const some = items.filter(() => random.chance(0.5));
  return random.chance(0.3) ? some.reverse() : some;
}

/** The first object with parts of the second. */
function mixed(random: Choices, first: JsonObject, second: JsonObject): JsonObject {
  const keys = new Set([...Object.keys(first), ...Object.keys(second)]);
  const entries = [...keys].flatMap((key): [string, JsonValue][] => {
    const [a, b] = [first[key], second[key]];
    if (isMap(a) && isMap(b)) return [[key, mixed(random, a, b)]];
    const value = random.chance(0.6) ? a : b;
    return value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(entries);
}

function isMap(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
