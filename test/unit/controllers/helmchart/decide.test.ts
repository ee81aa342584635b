import { describe, expect, it } from 'vitest';
import type { HelmChart, HelmChartSpec } from '../../../../src/api/source/helmchart.ts';
import { decide } from '../../../../src/controllers/helmchart/decide.ts';
import type { ChartSource } from '../../../../src/controllers/helmchart/ports.ts';
import type { Candidate, Observed } from '../../../../src/controllers/helmchart/types.ts';
import { createMemoryTree } from '../../../../src/lib/memory-tree.ts';

const revision = `main@sha1:${'a'.repeat(40)}`;
const artifact = { path: 'p', url: 'u', digest: 'sha256:0', lastUpdateTime: '', revision };

function chart(spec: Partial<HelmChartSpec> = {}, status: object = {}): HelmChart {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'HelmChart',
    metadata: { name: 'app', namespace: 'ns', generation: 4, uid: 'u' },
    spec: { chart: './app', interval: '1h', sourceRef: { kind: 'GitRepository', name: 'app' }, ...spec },
    status: {
      observedGeneration: 4,
      observedChartName: 'app',
      observedSourceArtifactRevision: revision,
      artifact: { ...artifact, revision: '1.0.0' },
      ...status,
    },
  };
}

function source(kind: ChartSource['kind'] = 'GitRepository', spec: object = { url: 'https://host/app' }): ChartSource {
  return { apiVersion: '', kind, metadata: { name: 'app' }, spec, status: { artifact } } as unknown as ChartSource;
}

const folder: Candidate = {
  found: { from: 'files', tree: createMemoryTree({}), path: 'app', isFolder: true },
  name: 'app',
  version: '1.0.0',
};

function observed(changes: Partial<Observed> = {}): Observed {
  const base = { object: chart(), archive: 'present', source: source(), isSourceStored: true } as const;
  return { ...base, candidate: folder, requeueDependencyMs: 5000, ...changes };
}

describe('decide', () => {
  it.each([
    ['the stored version', {}, { do: 'nothing', because: 'version 1.0.0 is stored' }],
    ['a source that was not read', { candidate: undefined }, { do: 'nothing', because: 'the source has not changed' }],
    [
      'another version',
      { candidate: { ...folder, version: '1.1.0' } },
      { do: 'build', because: "building artifact: new 'app' chart with version '1.1.0'" },
    ],
    [
      'another name',
      { candidate: { ...folder, name: 'b' } },
      { do: 'build', because: "building artifact: new 'b' chart with version '1.0.0'" },
    ],
    ['nothing stored', { archive: 'none' }, { do: 'build', because: 'building artifact' }],
    ['a lost archive', { archive: 'lost' }, { do: 'build', because: 'building artifact: disappeared from storage' }],
    ['a new spec', { object: chart({}, { observedGeneration: 3 }) }, { do: 'build', because: 'the spec changed' }],
  ] as const)('%s', (_name, changes, wanted) => {
    expect(decide(observed(changes as Partial<Observed>))).toMatchObject(wanted);
  });

  it.each([
    ['the version of a folder', {}, '1.0.0', true],
    ['the revision', { reconcileStrategy: 'Revision' }, `1.0.0+${'a'.repeat(12)}`, true],
    ['values files', { valuesFiles: ['a.yaml'] }, '1.0.0+4', true],
    ['the chart’s own values alone', { valuesFiles: ['./values.yaml'] }, '1.0.0', true],
    ['both', { reconcileStrategy: 'Revision', valuesFile: 'a.yaml' }, `1.0.0+${'a'.repeat(12)}.4`, true],
  ] as const)('marks the version with %s', (_name, spec, builtVersion, packages) => {
    const decision = decide(observed({ object: chart(spec as Partial<HelmChartSpec>), archive: 'none' }));

    expect(decision).toMatchObject({ do: 'build', plan: { builtVersion, packages }, sourceRevision: revision });
  });

  it('packages no archive that it need not change', () => {
    const archive: Candidate = { ...folder, found: { ...folder.found, isFolder: false } as Candidate['found'] };

    expect(decide(observed({ archive: 'none', candidate: archive }))).toMatchObject({ plan: { packages: false } });
  });

  it.each([
    ['no source', { source: undefined }, 'SourceUnavailable', 'transient'],
    ['a source without artifact', { isSourceStored: false }, 'NoSourceArtifact', 'waiting'],
    [
      'a signature where there is none',
      { object: chart({ verify: { provider: 'cosign' } }) },
      'ChartVerificationError',
      'stalled',
    ],
    [
      'a registry with another address',
      { source: source('HelmRepository', { type: 'oci', url: 'https://host' }) },
      'URLInvalid',
      'stalled',
    ],
    [
      'a cloud’s registry',
      { source: source('HelmRepository', { type: 'oci', url: 'oci://host', provider: 'aws' }) },
      'FieldNotSupported',
      'stalled',
    ],
    [
      'a version that carries no metadata',
      { object: chart({ reconcileStrategy: 'Revision' }), candidate: { ...folder, version: 'one' } },
      'MetadataPatchError',
      'stalled',
    ],
  ] as const)('fails for %s', (_name, changes, reason, retry) => {
    expect(decide(observed(changes as Partial<Observed>))).toMatchObject({ do: 'fail', failure: { reason, retry } });
  });
});
