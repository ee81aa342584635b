// Owns making compiled schemas for tests of the sandbox.
import { loadBuiltins } from '../../../src/sandbox/schema/builtin.ts';
import { compileSchema, type RawSchema, type SchemaNode } from '../../../src/sandbox/schema/node.ts';

/** All built-in definitions, read once. */
export const builtins = loadBuiltins();

/** A built-in kind's schema: `apps/v1/Deployment`, `/v1/Service`. */
export function builtinSchema(id: string): SchemaNode {
  const [group = '', version = '', kind = ''] = id.split('/');
  const name = builtins.definitionName(group, version, kind);
  if (name === undefined) throw new Error(`no built-in kind ${id}`);
  return builtins.schema(name);
}

/** A schema as a CRD would give it. */
export function customSchema(raw: RawSchema): SchemaNode {
  return compileSchema(raw, builtins.context);
}
