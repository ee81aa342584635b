// Owns the digests by which a release and its values are known again (helm.md §21.6): those that Flux writes into status.
import { createHash } from 'node:crypto';
import { formatGoJson } from '../../../lib/gojson.ts';
import { toYaml } from '../../../lib/goyaml/sigs.ts';
import type { JsonObject } from '../../../lib/json.ts';
import { hookJson, infoJson } from './encode.ts';
import type { ReleaseRecord } from './record.ts';

/** `sha256:<hex>` of what a release is. Runs of test hooks do not change it: they may be repeated by hand. */
export function digestRelease(release: ReleaseRecord, ociDigest = ''): string {
  const { name, version, info, chart, config, manifest, hooks, namespace } = release;
  const observed: JsonObject = {
    name,
    version,
    info: infoJson(info),
    chartMetadata: chart.metadata,
    config: Object.keys(config).length === 0 ? null : config,
    manifest,
    hooks: hooks.filter((hook) => !hook.events.includes('test')).map(hookJson),
    namespace,
    ...(ociDigest === '' ? {} : { ociDigest }),
  };
  return sha256(`${formatGoJson(sorted(observed) as JsonObject)}\n`);
}

/** `sha256:<hex>` of values as canonical YAML; of nothing when there are none. */
export function digestValues(values: JsonObject): string {
  return sha256(Object.keys(values).length === 0 ? '' : toYaml(values));
}

/** `sha256:<hex>` of a part of a spec; '' when it is absent. */
export function digestJson(value: unknown): string {
  return value === undefined ? '' : sha256(JSON.stringify(sorted(value)));
}

/** Keys of maps in one order: a record that was read again must give the digest that it was written with. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
