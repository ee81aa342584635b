// Owns reading values from YAML text: values.yaml of a chart and the files a user gives. Merging is coalesce.ts.
import { fromJson } from '../../lang/gotemplate/value-json.ts';
import { fromYaml } from '../../lib/goyaml/sigs.ts';
import { isJsonObject, type JsonValue } from '../../lib/json.ts';
import type { Compat } from './compat.ts';
import { HelmError, wrapError } from './errors.ts';
import { mergeMaps, type Table } from './table.ts';

/**
 * Reads values; every number becomes a float64, nulls are kept. Helm 3 reads the first document, Helm 4 merges all.
 * Throws HelmError `ValuesInvalid` or the YAML error, with Go's texts.
 */
export function parseValues(text: string, compat: Compat): Table {
  if (compat === 'helm3') return parseDocument(text);
  let values: Table = new Map();
  for (const document of splitDocuments(text)) {
    try {
      values = mergeMaps(values, parseDocument(document));
    } catch (error) {
      throw wrapError('ValuesInvalid', 'cannot unmarshal yaml document', error);
    }
  }
  return values;
}

function parseDocument(text: string): Table {
  const value = fromYaml(text);
  if (value === null) return new Map();
  if (isJsonObject(value)) return fromJson(value) as Table;
  throw new HelmError(
    'ValuesInvalid',
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kindOf(value)} into Go value of type map[string]interface {}`,
    {},
  );
}

function kindOf(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'number';
}

/** Cuts a stream at lines of `---` that hold nothing but a comment after them; a leading one stays with its document. */
function splitDocuments(text: string): string[] {
  const documents: string[] = [];
  let buffer = '';
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    if (/^---\s*(?:#|$)/.test(line) && buffer !== '') {
      documents.push(buffer);
      buffer = '';
    } else buffer += line;
  }
  if (buffer !== '') documents.push(buffer);
  return documents;
}
