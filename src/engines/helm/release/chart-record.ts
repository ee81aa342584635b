// Owns the chart as a release keeps it: metadata, own templates, default values, schema and files (helm.md §19).
import { toBytes } from '../../../lang/gotemplate/gostring.ts';
import { toJson } from '../../../lang/gotemplate/value.ts';
import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import type { Chart } from '../chart.ts';
import type { Metadata } from '../metadata.ts';
import type { ChartRecord } from './record.ts';

/** The record of a loaded chart; subcharts are left out, as Helm does. */
export function toChartRecord(chart: Chart): ChartRecord {
  return {
    metadata: toMetadataRecord(chart.metadata),
    lock: null,
    templates: chart.templates.map(({ name, text }) => ({ name, data: base64(toBytes(text)) })),
    values: toJson(chart.values),
    schema: chart.schema === undefined ? null : base64(chart.schema),
    files: chart.files.map(({ name, data }) => ({ name, data: base64(data) })),
  };
}

/** Chart.yaml as JSON, empty fields left out. */
function toMetadataRecord(metadata: Metadata): JsonObject {
  return compact(metadata as unknown as JsonObject) as JsonObject;
}

function compact(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(compact);
  // Annotations are read as a map, so that no key of theirs is special.
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as JsonObject).filter(([, inner]) => !isEmpty(inner));
  return Object.fromEntries(entries.map(([key, inner]) => [key, compact(inner)]));
}

function isEmpty(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true;
  if (value instanceof Map) return value.size === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function base64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}
