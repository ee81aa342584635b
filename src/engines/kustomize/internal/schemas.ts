// Owns which schema a build uses: the built-in one, or the first custom one that a kustomization on the way names.

import { isJsonObject, type JsonValue } from '../../../lib/json.ts';
import {
  type CustomSchema,
  createCustomSchema,
  findBuiltInSchema,
  type MergeSchema,
} from '../../../objects/schema/merge-schema.ts';
import { buildError, wrapError } from '../errors.ts';
import type { MergeContext } from './merge.ts';
import { createScopes, type Scopes } from './scope.ts';
import { readYamlValue } from './yaml.ts';

/** Schema and scopes of one build. */
export interface Schemas extends MergeContext {
  readonly scopes: Scopes;
  /** Takes a kustomization's `openapi` field; `text` is the file it names. Only the first one that says anything counts. */
  use(openapi: ReadonlyMap<string, string>, text: string | undefined): void;
}

const BUILT_IN_VERSION = 'v1.21.2';

/**
 * @param options.keepBuiltIn a custom schema adds to the built-in one (Flux) instead of taking its place (kustomize).
 */
export function createSchemas(options: { readonly keepBuiltIn: boolean }): Schemas {
  const comments = createCustomSchema({});
  let chosen = false;
  let customText: string | undefined;
  let loaded: CustomSchema | undefined;
  // The reference loads the built-in schema when a type needs it and never unloads it: once asked for, it stays beside
  // a custom one that comes later.
  let builtInUsed = options.keepBuiltIn;
  // A custom schema is read when it is first needed; a faulty one that nobody asks does no harm.
  const custom = (): CustomSchema | undefined => {
    if (customText !== undefined && loaded === undefined) {
      loaded = createCustomSchema(parseDocument(customText), { builtInReferences: builtInUsed });
    }
    return loaded;
  };
  const scopes = createScopes((type) => {
    const schema = custom();
    if (schema === undefined) builtInUsed = true;
    return schema?.scopes.get(type);
  });
  return {
    scopes,
    use: (openapi, text) => {
      if (chosen) return;
      const version = openapi.get('version');
      if (text === undefined) {
        if (version === undefined || version === '') return;
        if (version !== BUILT_IN_VERSION) throw buildError('the specified OpenAPI version is not built in');
        chosen = true;
        return;
      }
      if (version !== undefined) throw buildError('builtin version and custom schema provided, cannot use both');
      chosen = true;
      customText = text;
    },
    find: (apiVersion, kind) => {
      const schema = custom();
      if (schema === undefined) builtInUsed = true;
      return schema?.find(apiVersion, kind) ?? (builtInUsed ? findBuiltInSchema(apiVersion, kind) : undefined);
    },
    fromComment: (comment) => parseComment(comment, custom() ?? comments),
  };
}

function parseDocument(text: string): JsonValue {
  try {
    return readYamlValue(text, false);
  } catch (error) {
    throw wrapError(error, 'invalid schema file');
  }
}

/** A comment that is a JSON object stands for the schema of its place. */
function parseComment(comment: string, schema: CustomSchema): MergeSchema | undefined {
  const text = comment.replace(/^#+/, '').trim();
  if (!text.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(text) as JsonValue;
    return isJsonObject(value) && Object.keys(value).length > 0 ? schema.compile(value) : undefined;
  } catch {
    return undefined;
  }
}
