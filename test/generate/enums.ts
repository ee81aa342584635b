// Makes src/sandbox/schema/enums.generated.json: the enumerations of built-in types, asked of a real kube-apiserver (the
// OpenAPI documents in Kubernetes' sources have none). Run by `node test/generate/enums.ts`; takes the server of
// LOCKSTEP_TEST_CLUSTER, or starts one.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startControlPlane } from '../cluster/control-plane.ts';
import { type Api, openApi } from '../support/api.ts';

const schemaFolder = join(import.meta.dirname, '../../src/sandbox/schema');

interface Property {
  readonly enum?: readonly string[];
  readonly items?: Property;
  readonly additionalProperties?: Property | boolean;
}

type Enums = Record<string, Record<string, readonly string[]>>;

/** By definition and property; `name[]` for the items of a list, `name{}` for the values of a map. */
async function readEnums(api: Api): Promise<{ readonly version: string; readonly enums: Enums }> {
  const { schemas } = JSON.parse(readFileSync(join(schemaFolder, 'builtin.generated.json'), 'utf8')) as {
    schemas: Record<string, unknown>;
  };
  const { paths } = (await api.call('GET', '/openapi/v3')).body as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const enums: Enums = {};
  for (const { serverRelativeURL } of Object.values(paths)) {
    const { components } = (await api.call('GET', serverRelativeURL)).body as {
      components?: { schemas?: Record<string, { properties?: Record<string, Property> }> };
    };
    for (const [name, { properties = {} }] of Object.entries(components?.schemas ?? {})) {
      if (!(name in schemas)) continue;
      for (const [key, property] of Object.entries(properties)) {
        if (Array.isArray(property.enum)) (enums[name] ??= {})[key] = property.enum;
        if (Array.isArray(property.items?.enum)) (enums[name] ??= {})[`${key}[]`] = property.items.enum;
        const { additionalProperties: values } = property;
        if (typeof values === 'object' && values.enum) (enums[name] ??= {})[`${key}{}`] = values.enum;
      }
    }
  }
  const { gitVersion } = (await api.call('GET', '/version')).body as { gitVersion: string };
  return { version: gitVersion, enums };
}

async function generate(): Promise<void> {
  const given = process.env['LOCKSTEP_TEST_CLUSTER'];
  const started = given === undefined ? await startControlPlane() : undefined;
  const api = await openApi(given ?? started!.kubeconfig);
  try {
    const { version, enums } = await readEnums(api);
    const rows = Object.keys(enums)
      .sort()
      .map((name) => ` ${JSON.stringify(name)}: ${JSON.stringify(enums[name])}`);
    const head = ` "origin": "kube-apiserver, by test/generate/enums.ts",\n "version": ${JSON.stringify(version)},`;
    const text = `{\n${head}\n "enums": {\n${rows.join(',\n')}\n }\n}\n`;
    await writeFile(join(schemaFolder, 'enums.generated.json'), text);
    console.log(`${rows.length} types with enumerations, ${text.length} bytes`);
  } finally {
    await api.close();
    await started?.stop();
  }
}

await generate();
