// Compares our CustomResourceDefinitions with those of Flux, taken from its Go modules: names, columns, subresources and
// the whole schema of v1, but for the prose. What we have on purpose beside it is listed here.
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { customResourceDefinitions } from '../../src/api/crd.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/lib/json.ts';
import { hasGo, runGo } from '../support/go-oracle.ts';

interface Source {
  readonly module: string;
  readonly version: string;
  /** Name of our definition → its file in the module. */
  readonly definitions: Readonly<Record<string, string>>;
}

const sources: readonly Source[] = [
  {
    module: 'github.com/fluxcd/source-controller',
    version: 'v1.9.6',
    definitions: {
      'gitrepositories.source.toolkit.fluxcd.io': 'source.toolkit.fluxcd.io_gitrepositories.yaml',
      'ocirepositories.source.toolkit.fluxcd.io': 'source.toolkit.fluxcd.io_ocirepositories.yaml',
      'buckets.source.toolkit.fluxcd.io': 'source.toolkit.fluxcd.io_buckets.yaml',
      'helmrepositories.source.toolkit.fluxcd.io': 'source.toolkit.fluxcd.io_helmrepositories.yaml',
      'helmcharts.source.toolkit.fluxcd.io': 'source.toolkit.fluxcd.io_helmcharts.yaml',
    },
  },
  {
    module: 'github.com/fluxcd/kustomize-controller',
    version: 'v1.9.6',
    definitions: { 'kustomizations.kustomize.toolkit.fluxcd.io': 'kustomize.toolkit.fluxcd.io_kustomizations.yaml' },
  },
];

/** What only ours has, by the path in `spec`, each with the reason. */
const ours: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'helmreleases.helm.toolkit.fluxcd.io': {
    'versions.0.schema.openAPIV3Schema.properties.status.properties.lastAppliedRevision':
      'status of v2beta2, which is stored as v2',
  },
  'helmcharts.source.toolkit.fluxcd.io': {
    'versions.0.schema.openAPIV3Schema.properties.spec.properties.valuesFile':
      'manifests written for v1beta2 keep it in storage',
  },
  'kustomizations.kustomize.toolkit.fluxcd.io': {
    'versions.0.schema.openAPIV3Schema.properties.spec.properties.patchesStrategicMerge':
      'manifests written for v1beta2 keep it in storage',
    'versions.0.schema.openAPIV3Schema.properties.spec.properties.patchesJson6902':
      'manifests written for v1beta2 keep it in storage',
  },
};

if (!hasGo && process.env['CI'] === 'true') throw new Error('go is missing: the modules of Flux cannot be read');

describe.skipIf(!hasGo)(`definitions against Flux${hasGo ? '' : ' (skipped: no go)'}`, () => {
  for (const source of sources) {
    it.each(Object.entries(source.definitions))(`%s is that of ${source.module} ${source.version}`, (name, file) => {
      const reference = load(readFileSync(join(moduleFolder(source), 'config/crd/bases', file), 'utf8')) as JsonObject;

      const own = customResourceDefinitions().find(({ metadata }) => (metadata as { name: string }).name === name);

      expect(extras(own!['spec'], reference['spec'])).toEqual(Object.keys(ours[name] ?? {}));
      expect(comparable(without(own!['spec'], ours[name] ?? {}))).toEqual(comparable(reference['spec']));
    });
  }

  // The types of helm-controller are a module; its definitions are in none that can be had.
  it('helmreleases.helm.toolkit.fluxcd.io v2 is that of github.com/fluxcd/helm-controller/api v1.6.5', () => {
    const name = 'helmreleases.helm.toolkit.fluxcd.io';
    const reference = generated({ module: 'github.com/fluxcd/helm-controller/api', version: 'v1.6.5' }, 'v2');

    const own = customResourceDefinitions().find(({ metadata }) => (metadata as { name: string }).name === name);

    expect(extras(own!['spec'], reference['spec'])).toEqual(Object.keys(ours[name] ?? {}));
    expect(comparable(without(own!['spec'], ours[name] ?? {}), 'v2')).toEqual(comparable(reference['spec'], 'v2'));
  });
});

/** A definition made of the Go types: a module without definitions, read by the tool that Flux makes its own with. */
function generated(source: Pick<Source, 'module' | 'version'>, folderOfTypes: string): JsonObject {
  const folder = fileURLToPath(new URL('crds', import.meta.url));
  const types = join(moduleFolder(source), folderOfTypes);
  const args = ['tool', 'controller-gen', 'crd', `paths=${types}`, 'output:crd:stdout'];
  return load(runGo(args, folder)) as JsonObject;
}

/** The folder of a module, downloaded where it is not there yet. */
function moduleFolder({ module, version }: Pick<Source, 'module' | 'version'>): string {
  const run = (...args: string[]): string => runGo(args, tmpdir()).trim();
  const folder = join(run('env', 'GOMODCACHE'), `${module}@${version}`);
  if (!existsSync(folder)) run('mod', 'download', `${module}@${version}`);
  return folder;
}

/** The parts of a definition that machines read, of the versions that Flux still serves. */
function comparable(spec: JsonValue | undefined, served = 'v1'): JsonValue {
  const { versions, ...rest } = spec as { versions: JsonObject[] } & JsonObject;
  return withoutProse({ ...rest, versions: versions.filter((version) => version['name'] === served) });
}

/** A schema without `description`; a property of that name is kept. */
function withoutProse(value: JsonValue, isProperties = false): JsonValue {
  if (Array.isArray(value)) return value.map((item) => withoutProse(item));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).filter(([key]) => isProperties || key !== 'description');
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, withoutProse(inner, !isProperties && key === 'properties')]),
  );
}

/** The listed paths that ours has and the other has not: an exception that nothing needs any more shows up here. */
function extras(own: JsonValue | undefined, reference: JsonValue | undefined): string[] {
  const listed = Object.values(ours).flatMap((paths) => Object.keys(paths));
  return listed.filter((path) => at(own, path) !== undefined && at(reference, path) === undefined);
}

function at(value: JsonValue | undefined, path: string): JsonValue | undefined {
  let inner = value;
  for (const key of path.split('.')) inner = (inner as Record<string, JsonValue> | undefined)?.[key];
  return inner;
}

function without(value: JsonValue | undefined, paths: Readonly<Record<string, string>>): JsonValue {
  const copy = structuredClone(value) as JsonValue;
  for (const path of Object.keys(paths)) {
    const end = path.lastIndexOf('.');
    delete (at(copy, path.slice(0, end)) as Record<string, JsonValue>)[path.slice(end + 1)];
  }
  return copy;
}
