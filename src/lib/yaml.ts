// Owns YAML of files that are our own or a client's configuration (kubeconfig). Users' manifests follow Go's rules
// and go through lib/goyaml instead.
import { loadAll, YAMLException } from 'js-yaml';
import { CodedError } from './errors.ts';
import type { JsonValue } from './json.ts';

/** Code `InvalidYaml`; line and column are 1-based where known. */
export class ConfigYamlError extends CodedError<'InvalidYaml', { readonly line?: number; readonly column?: number }> {}

/** Reads one YAML or JSON document. An empty text is null. Throws `ConfigYamlError`, for a second document too. */
export function loadYaml(text: string): JsonValue {
  let documents: unknown[];
  try {
    documents = loadAll(text);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const mark = error.mark;
    const place = mark ? { line: mark.line + 1, column: mark.column + 1 } : {};
    const where = mark ? `line ${mark.line + 1}: ` : '';
    throw new ConfigYamlError('InvalidYaml', `${where}${error.reason}`, place, { cause: error });
  }
  if (documents.length > 1) throw new ConfigYamlError('InvalidYaml', 'expected one document, found several', {});
  return (documents[0] ?? null) as JsonValue;
}
