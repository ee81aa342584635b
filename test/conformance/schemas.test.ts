// What the embedded server knows of the built-in kinds is what a real kube-apiserver says of them: types, defaults,
// enumerations, list types, keys of lists, patch strategies. Only descriptions are shorter.
import { describe, expect, it } from 'vitest';
import { loadBuiltins } from '../../src/sandbox/schema/builtin.ts';
import { clusters, useCluster } from '../support/cluster.ts';

type Json = Readonly<Record<string, unknown>>;

for (const cluster of clusters.filter(({ name }) => name === 'kube-apiserver')) {
  describe(cluster.name, () => {
    const use = useCluster(cluster);

    it('has the schemas that are generated, in the version that they are of', async () => {
      const { version, definitions: schemas } = loadBuiltins();
      const { gitVersion } = (await use.admin.call('GET', '/version')).body as { gitVersion: string };
      const { paths } = (await use.admin.call('GET', '/openapi/v3')).body as {
        paths: Record<string, { serverRelativeURL: string }>;
      };
      const served = new Map<string, unknown>();
      for (const { serverRelativeURL } of Object.values(paths)) {
        const { components } = (await use.admin.call('GET', serverRelativeURL)).body as {
          components?: { schemas?: Json };
        };
        for (const [name, schema] of Object.entries(components?.schemas ?? {})) served.set(name, schema);
      }

      expect(gitVersion.split(/[-+]/)[0]).toBe(version);
      expect(Object.keys(schemas).length).toBeGreaterThan(400);
      for (const [name, schema] of Object.entries(schemas)) {
        expect({ name, schema: facts(served.get(name)) }).toEqual({ name, schema: facts(schema) });
      }
    });
  });
}

describe.runIf(clusters.length === 1)('without a real kube-apiserver', () => {
  it.skip('schemas are compared by npm run test:cluster');
});

/** A schema without prose, with references by name; types that every group has list more kinds than are kept. */
function facts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(facts);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === 'x-kubernetes-group-version-kind') continue;
    // A property may have this name.
    if (key === 'description' && typeof item === 'string') continue;
    out[key] = key === '$ref' && typeof item === 'string' ? item.slice(item.lastIndexOf('/') + 1) : facts(item);
  }
  return out;
}
