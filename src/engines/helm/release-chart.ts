// Owns the form in which a release keeps its chart (helm.md §19): the chart's own files as base64, subcharts left out.
import { toBytes } from '../../lang/gotemplate/gostring.ts';
import { toJson } from '../../lang/gotemplate/value-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import type { Chart, ChartFile } from './chart.ts';
import type { Lock } from './metadata.ts';

/** The chart as JSON, empty fields left out as Go's `omitempty` does. */
export function toReleaseChart(chart: Chart): JsonObject {
  const { metadata, lock, schema } = chart;
  return {
    metadata: withoutEmpty(metadata as unknown as JsonObject),
    lock: lock === undefined ? null : toLock(lock),
    templates: chart.templates.map(({ name, text }) => toFile({ name, data: toBytes(text) })),
    values: toJson(chart.values),
    schema: schema === undefined ? null : toBase64(schema),
    files: chart.files.map(toFile),
  };
}

/** Go writes all three fields, whatever they hold. */
function toLock({ generated, digest, dependencies }: Lock): JsonObject {
  const locked = (dependencies ?? []).map((each) =>
    each === null ? null : withoutEmpty(each as unknown as JsonObject),
  );
  return { generated, digest, dependencies: dependencies === undefined ? null : locked };
}

function toFile({ name, data }: ChartFile): JsonObject {
  return { name, data: toBase64(data) };
}

function toBase64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}

/** The one field of a dependency that is written when it is empty. */
const ALWAYS = 'repository';

/** Without empty texts, false, empty lists and objects, at every level. */
function withoutEmpty(value: JsonObject): JsonObject {
  const kept: [string, JsonValue][] = [];
  for (const [key, item] of Object.entries(value) as [string, JsonValue | undefined][]) {
    const inner = strip(item);
    if (inner !== undefined || key === ALWAYS) kept.push([key, inner ?? '']);
  }
  return Object.fromEntries(kept);
}

function strip(item: JsonValue | undefined): JsonValue | undefined {
  if (item === undefined || item === null || item === '' || item === false) return undefined;
  if (item instanceof Map) return item.size === 0 ? undefined : (Object.fromEntries(item) as JsonObject);
  if (Array.isArray(item)) {
    return item.length === 0
      ? undefined
      : item.map((each: JsonValue) => (isJsonObject(each) ? withoutEmpty(each) : each));
  }
  if (!isJsonObject(item)) return item;
  return Object.keys(item).length === 0 ? undefined : withoutEmpty(item);
}
