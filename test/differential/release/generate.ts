// Owns random releases, values and parts of a spec for the differential test of Flux's digests: texts that need escapes,
// keys that sort differently as numbers, fields that are absent or empty.
import type { JsonObject, JsonValue } from '../../../src/lib/json.ts';
import { type Choices, createChoices } from '../choices.ts';

export interface DigestInput {
  /** As Helm stores it. */
  readonly release: JsonObject;
  readonly ociDigest: string;
  readonly values: JsonObject;
  readonly postRenderers?: readonly JsonValue[];
  readonly commonMetadata?: JsonObject;
}

const KEYS = ['a', 'a2', 'a10', '8080', '9', 'B', 'ä', '-', 'x-y', 'true', '_', 'on', ''];
const LONG = 'a line that is longer than eighty columns, so that a writer may want to fold it somewhere in the middle';
const TEXTS = ['', 'x', '<a> & b', 'ä\u2028', 'two\nlines\n', ' lead', 'yes', '1', '1e3', '"', "'", '#', 'a: b', LONG];
const NUMBERS = [0, 1, -1, 30000, 1.5, 1e21, 1e-7, 4294967296, 0.1, 123456789012];
const TIMES = ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.1200Z', '2026-01-02T03:04:05.000000001+02:00', ''];

/** The input of one seed. */
export function generateDigestInput(seed: number): DigestInput {
  const random = createChoices(seed);
  return {
    release: release(random),
    ociDigest: random.chance(0.5) ? '' : 'sha256:aa',
    values: map(random, 3),
    ...optional(random, 'postRenderers', () => some(random, () => postRenderer(random))),
    ...optional(random, 'commonMetadata', () => ({ ...texts(random, 'annotations'), ...texts(random, 'labels') })),
  };
}

function release(random: Choices): JsonObject {
  return {
    name: text(random),
    info: {
      ...optional(random, 'first_deployed', () => random.pick(TIMES)),
      ...optional(random, 'last_deployed', () => random.pick(TIMES)),
      ...optional(random, 'deleted', () => random.pick(TIMES)),
      ...optional(random, 'description', text),
      status: random.pick(['deployed', 'failed', 'superseded']),
      ...optional(random, 'notes', text),
    },
    chart: { metadata: metadata(random) },
    ...optional(random, 'config', () => map(random, 3)),
    ...optional(random, 'manifest', text),
    ...optional(random, 'hooks', () => some(random, () => hook(random))),
    version: random.below(12),
    namespace: text(random),
  };
}

function metadata(random: Choices): JsonObject {
  const names = ['type', 'name', 'home', 'version', 'description', 'icon', 'apiVersion', 'condition', 'tags'];
  return Object.assign(
    {},
    ...[...names, 'appVersion', 'kubeVersion'].map((name) => optional(random, name, text)),
    texts(random, 'annotations'),
    optional(random, 'deprecated', () => random.chance(0.5)),
    optional(random, 'keywords', () => some(random, text)),
    optional(random, 'sources', () => some(random, text)),
    optional(random, 'maintainers', () =>
      some(random, () => ({ ...optional(random, 'url', text), ...optional(random, 'name', text) })),
    ),
    optional(random, 'dependencies', () => some(random, () => dependency(random))),
  ) as JsonObject;
}

function dependency(random: Choices): JsonObject {
  return {
    ...optional(random, 'alias', text),
    ...optional(random, 'name', text),
    ...optional(random, 'repository', text),
    ...optional(random, 'version', text),
    ...optional(random, 'enabled', () => random.chance(0.5)),
    ...optional(random, 'tags', () => some(random, text)),
    ...optional(random, 'import-values', () => some(random, () => map(random, 1))),
  };
}

function hook(random: Choices): JsonObject {
  return {
    ...optional(random, 'name', text),
    kind: 'Job',
    path: 'chart/templates/hook.yaml',
    manifest: text(random),
    events: [random.pick(['pre-install', 'test', 'post-upgrade'])],
    last_run: {
      ...optional(random, 'started_at', () => random.pick(TIMES)),
      ...optional(random, 'completed_at', () => random.pick(TIMES)),
      phase: random.pick(['', 'Succeeded', 'Failed']),
    },
    ...optional(random, 'weight', () => random.below(3)),
    ...optional(random, 'delete_policies', () => some(random, () => 'hook-succeeded')),
    ...optional(random, 'output_log_policies', () => some(random, () => 'hook-failed')),
  };
}

function postRenderer(random: Choices): JsonObject {
  const target = () => ({ ...optional(random, 'name', text), ...optional(random, 'kind', text) });
  return optional(random, 'kustomize', () => ({
    ...optional(random, 'images', () =>
      some(random, () => ({ newTag: text(random), ...optional(random, 'name', text) })),
    ),
    ...optional(random, 'patches', () =>
      some(random, () => ({ ...optional(random, 'target', target), patch: text(random) })),
    ),
  }));
}

function map(random: Choices, depth: number): JsonObject {
  return Object.fromEntries(KEYS.filter(() => random.chance(0.3)).map((key) => [key, value(random, depth - 1)]));
}

function value(random: Choices, depth: number): JsonValue {
  const kind = random.below(depth > 0 ? 6 : 4);
  if (kind === 0) return random.pick(NUMBERS);
  if (kind === 1) return random.pick([true, false, null]);
  if (kind === 4) return map(random, depth);
  return kind === 5 ? some(random, () => value(random, depth - 1)) : text(random);
}

function texts(random: Choices, name: string): JsonObject {
  return optional(random, name, () =>
    Object.fromEntries(KEYS.filter(() => random.chance(0.3)).map((key) => [key, text(random)])),
  );
}

function text(random: Choices): string {
  return random.pick(TEXTS);
}

function some(random: Choices, make: (random: Choices) => JsonValue): JsonValue[] {
  return Array.from({ length: random.below(3) }, () => make(random));
}

function optional(random: Choices, name: string, make: (random: Choices) => JsonValue): JsonObject {
  return random.chance(0.6) ? { [name]: make(random) } : {};
}
