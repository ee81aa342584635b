// Owns checking values against the values.schema.json of a chart and of every subchart that takes part. The JSON Schema
// itself is schema/.
import { type GoValue, typeName } from '../../lang/gotemplate/value.ts';
import { toJson } from '../../lang/gotemplate/value-json.ts';
import { parseGoJson } from '../../lib/gojson.ts';
import type { Chart } from './chart.ts';
import { HelmError } from './errors.ts';
import { createSchemaDocument, type SchemaDocument } from './schema/document.ts';
import { formatFindings } from './schema/finding.ts';
import { validate } from './schema/validate.ts';
import { isTable, type Table } from './table.ts';

/** Schemas by their bytes, so that a loaded chart's schema is read once. */
export type SchemaCache = WeakMap<Uint8Array, SchemaDocument>;

/** What judging needs besides the values. */
export interface SchemaOptions {
  readonly cache: SchemaCache;
  /** Hears of references that are passed over. */
  readonly warn: (text: string) => void;
}

/**
 * Judges the values of a chart and of its subcharts.
 * Throws HelmError `SchemaViolation` that lists what is wrong, chart by chart, in Helm's words.
 */
export function validateSchemas(chart: Chart, values: Table, options: SchemaOptions): void {
  const problems = findProblems(chart, values, options);
  if (problems === '') return;
  const head = "values don't meet the specifications of the schema(s) in the following chart(s):";
  throw new HelmError('SchemaViolation', `${head}\n${problems}`, {});
}

function findProblems(chart: Chart, values: Table, options: SchemaOptions): string {
  let problems = '';
  if (chart.schema !== undefined) {
    const found = judge(chart.schema, values, options);
    if (found !== '') problems += `${chart.metadata.name}:\n${found}`;
  }
  for (const subchart of chart.subcharts) {
    const section = values.get(subchart.metadata.name);
    if (section === undefined || section === null) continue;
    if (isTable(section)) problems += findProblems(subchart, section, options);
    else problems += wrongSection(subchart, section);
  }
  return problems;
}

function wrongSection(chart: Chart, section: GoValue): string {
  return `${chart.metadata.name}:\ninvalid type for values: expected object (map), got ${typeName(section)}\n`;
}

function judge(schema: Uint8Array, values: Table, options: SchemaOptions): string {
  try {
    const finding = validate(documentOf(schema, options), toJson(values));
    return finding === undefined ? '' : `${formatFindings(finding)}\n`;
  } catch (error) {
    // A schema that cannot be used is a finding too; it ends without a line break.
    return (error as Error).message;
  }
}

function documentOf(schema: Uint8Array, options: SchemaOptions): SchemaDocument {
  let document = options.cache.get(schema);
  if (document === undefined) {
    document = createSchemaDocument(parseGoJson(Buffer.from(schema).toString('utf8')), options.warn);
    options.cache.set(schema, document);
  }
  return document;
}
