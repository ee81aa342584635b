// Owns reading YAML text into nodes as Go's yaml.v3 does. What a node means is value.ts.
import { Composer } from './internal/compose.ts';
import type { YamlNode } from './node.ts';

/**
 * Reads all documents of a text, with comments, styles and positions.
 * An empty text has no document; an empty document (`---` alone) has one null scalar.
 * Throws YamlError with Go's text.
 */
export function parseDocuments(text: string): YamlNode[] {
  const composer = new Composer(text, 'v3');
  const documents: YamlNode[] = [];
  for (let document = composer.next(); document !== undefined; document = composer.next()) documents.push(document);
  return documents;
}

/** Reads the first document only, and nothing behind it; undefined when there is none. */
export function parseFirstDocument(text: string): YamlNode | undefined {
  return new Composer(text, 'v3').next();
}
