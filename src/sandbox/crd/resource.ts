// Owns turning a CustomResourceDefinition into a served resource. Pure.
import { isRecord, type KubeObject, readPath } from '../object.ts';
import { customDefinitionName } from '../openapi/custom.ts';
import type { CustomVersion, PrinterColumn, Resource, ServedVersion, Subresource } from '../registry.ts';
import { type CompileContext, compileSchema, type RawSchema } from '../schema/node.ts';

type Body = Record<string, unknown>;

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'] as const;
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

function textList(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The resource that a CRD defines, with its served versions; undefined when it serves none. */
export function resourceOfCrd(crd: KubeObject, context: CompileContext): Resource | undefined {
  const spec = crd['spec'] as Body;
  const names = (readPath(crd, ['status', 'acceptedNames']) ?? spec['names']) as Body;
  const group = String(spec['group']);
  const kind = String(names['kind']);
  const plural = String(names['plural']);
  const rows = (Array.isArray(spec['versions']) ? spec['versions'] : []).filter(isRecord);
  const versions = new Map<string, ServedVersion>();
  const subresources = new Map<string, Map<string, Subresource>>();
  let storageVersion = '';
  for (const row of rows) {
    const name = String(row['name']);
    if (row['storage'] === true) storageVersion = name;
    if (row['served'] !== true) continue;
    const custom = customVersion(row);
    const definition = customDefinitionName({ group, kind }, name);
    versions.set(name, {
      name,
      definition,
      custom,
      schema: compileSchema(withMeta(custom.openApi), { ...context, preserve: spec['preserveUnknownFields'] === true }),
    });
    subresources.set(name, customSubresources(custom, { group, version: name, kind }));
  }
  if (versions.size === 0) return undefined;
  return {
    group,
    plural,
    singular:
      typeof names['singular'] === 'string' && names['singular'] !== '' ? names['singular'] : kind.toLowerCase(),
    kind,
    listKind: typeof names['listKind'] === 'string' && names['listKind'] !== '' ? names['listKind'] : `${kind}List`,
    namespaced: spec['scope'] === 'Namespaced',
    shortNames: textList(names['shortNames']),
    categories: textList(names['categories']),
    verbs: VERBS,
    versions,
    storageVersion,
    subresources,
    collection: `${group}/${plural}`,
    custom: true,
  };
}

function customVersion(row: Body): CustomVersion {
  const subresources = isRecord(row['subresources']) ? row['subresources'] : {};
  const scale = subresources['scale'];
  const schema = readPath(row, ['schema', 'openAPIV3Schema']);
  return {
    columns: (Array.isArray(row['additionalPrinterColumns']) ? row['additionalPrinterColumns'] : []) as PrinterColumn[],
    hasStatus: isRecord(subresources['status']),
    scale: isRecord(scale) ? (scale as unknown as NonNullable<CustomVersion['scale']>) : undefined,
    selectableFields: (Array.isArray(row['selectableFields']) ? row['selectableFields'] : [])
      .filter(isRecord)
      .map((field) => String(field['jsonPath']).replace(/^\./, '')),
    deprecated: row['deprecated'] === true,
    deprecationWarning: typeof row['deprecationWarning'] === 'string' ? row['deprecationWarning'] : undefined,
    openApi: isRecord(schema)
      ? (schema as RawSchema)
      : { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  };
}

/** The schema with the fields that every object has. */
function withMeta(schema: RawSchema): RawSchema {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  return {
    ...schema,
    type: 'object',
    properties: { ...properties, apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { $ref: META } },
  };
}

function customSubresources(
  custom: CustomVersion,
  kind: { group: string; version: string; kind: string },
): Map<string, Subresource> {
  const out = new Map<string, Subresource>();
  const verbs = ['get', 'patch', 'update'];
  if (custom.hasStatus) out.set('status', { name: 'status', ...kind, verbs });
  if (custom.scale) out.set('scale', { name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs });
  return out;
}
