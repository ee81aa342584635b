// HelmCharts of a GitRepository: packaging, values files, subcharts, versions; and the real helm reading the result
// (helm.md §22.2).
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadChartArchive } from '../../../src/engines/helm/archive.ts';
import { toYaml } from '../../../src/lib/goyaml/sigs.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { findTool } from '../../cluster/build.ts';
import { gitRepository, secret, sourceObject } from '../../support/build.ts';
import {
  chartArchive,
  chartFiles,
  type FileServer,
  indexEntry,
  indexYaml,
  startFileServer,
} from '../../support/chart-files.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import type { FileChanges } from '../../support/git.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const helm = await findTool('helm');
let server: FileServer;
beforeAll(async () => {
  server = await startFileServer();
});
afterAll(() => server.stop());

/** The files of a chart in a folder. */
function inFolder(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));
}

for (const choice of clusters) {
  describe(`charts from Git on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);
    const chartPath = (name = 'app') => paths.source(cluster.namespace, 'helmcharts', name);
    const chart = (spec: JsonObject = {}, name = 'app') =>
      suite.apply(
        sourceObject('HelmChart', name, {
          chart: './charts/app',
          sourceRef: { kind: 'GitRepository', name: 'app' },
          ...spec,
        }),
      );
    const ready = (name?: string) => suite.waitFor(chartPath(name), isReady, 'Ready');
    const archiveOf = (object: Live) => join(suite.stateDir, 'artifacts', object.status.artifact.path);
    const load = (object: Live) => loadChartArchive(readFileSync(archiveOf(object)));

    async function source(files: FileChanges) {
      const repository = await suite.repository(files);
      await suite.apply(gitRepository('app', repository.url, { interval: '300ms' }));
      return repository;
    }

    it('packages a folder, and again when its version or, if asked, its revision changes', async () => {
      const repository = await source({
        ...inFolder('charts/app', chartFiles('app', '1.0.0', { '.helmignore': 'notes.txt\n', 'notes.txt': 'x' })),
      });
      await chart();
      await chart({ reconcileStrategy: 'Revision' }, 'each');
      const first = await ready();
      const each = await ready('each');
      const commit = await repository.git('rev-parse', 'HEAD');

      expect(condition(first, 'Ready')).toMatchObject({
        reason: 'ChartPackageSucceeded',
        message: "packaged 'app' chart with version '1.0.0'",
      });
      expect(load(first).files.map(({ name }) => name)).toEqual(['.helmignore']);
      expect(each.status.artifact.revision).toBe(`1.0.0+${commit.slice(0, 12)}`);
      const other = await repository.commit({ 'charts/app/values.yaml': 'color: red\n' });
      const moved = await suite.waitFor(
        chartPath('each'),
        (object) => object.status.artifact.revision === `1.0.0+${other.slice(0, 12)}`,
        'the revision',
      );
      expect(load(moved).values.get('color')).toBe('red');
      const seen = await suite.waitFor(
        chartPath(),
        (object) => object.status.observedSourceArtifactRevision.endsWith(other),
        'the revision seen',
      );
      expect(seen.status.artifact).toEqual(first.status.artifact);
      await repository.commit({ 'charts/app/Chart.yaml': toYaml({ apiVersion: 'v2', name: 'app', version: '1.1.0' }) });
      const next = await suite.waitFor(
        chartPath(),
        (object) => object.status.artifact.revision === '1.1.0',
        'the version',
      );
      expect(load(next).values.get('color')).toBe('red');
    });

    it('stores an archive as it is, and merges values files from the root of the source', async () => {
      const archive = chartArchive('app', '1.0.0');
      await source({
        'values/prod.yaml': 'color: green\nnested: {a: 1}\n',
        'values/more.yaml': 'nested: {b: 2}\n',
        'charts/app.tgz': archive,
      });

      await chart({ chart: 'charts/app.tgz' });
      await chart(
        {
          chart: 'charts/app.tgz',
          valuesFiles: ['./values/prod.yaml', 'values/more.yaml', 'absent.yaml'],
          ignoreMissingValuesFiles: true,
        },
        'valued',
      );

      const plain = await ready();
      expect(condition(plain, 'Ready').message).toBe("pulled 'app' chart with version '1.0.0'");
      expect(readFileSync(archiveOf(plain))).toEqual(archive);
      const valued = await ready('valued');
      expect(condition(valued, 'Ready').message).toBe(
        "packaged 'app' chart with version '1.0.0+1' and merged values files [./values/prod.yaml values/more.yaml]",
      );
      const { values } = load(valued);
      expect([values.get('color'), values.get('nested')]).toEqual([
        'green',
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
      ]);
    });

    it('fetches the subcharts that are declared and missing', async () => {
      const remote = ['1.0.0', '1.5.0'].map((version) => [version, chartArchive('remote', version)] as const);
      for (const [version, bytes] of remote) server.files.set(`/private/remote-${version}.tgz`, bytes);
      server.files.set(
        '/private/index.yaml',
        indexYaml({ remote: remote.map(([version, bytes]) => indexEntry('remote', version, bytes)) }),
      );
      const open = chartArchive('open', '2.0.0');
      server.files.set('/open/open-2.0.0.tgz', open);
      server.files.set('/open/index.yaml', indexYaml({ open: [indexEntry('open', '2.0.0', open)] }));
      await suite.apply(secret('login', { username: 'ada', password: 'secret' }));
      await suite.apply(
        sourceObject('HelmRepository', 'private', { url: `${server.url}/private`, secretRef: { name: 'login' } }),
      );
      await suite.waitFor(paths.source(cluster.namespace, 'helmrepositories', 'private'), isReady, 'Ready');
      const dependencies = [
        { name: 'remote', version: '^1.0.0', repository: `${server.url}/private/` },
        { name: 'open', version: '>=1', repository: `${server.url}/open`, alias: 'other' },
        { name: 'library', version: '0.1.0', repository: 'file://../library' },
        { name: 'bundled', version: '*', repository: 'https://example.invalid' },
      ];
      const chartYaml = toYaml({ apiVersion: 'v2', name: 'app', version: '1.0.0', dependencies });
      await source({
        ...inFolder('charts/app', chartFiles('app', '1.0.0', { 'Chart.yaml': chartYaml })),
        ...inFolder('charts/app/charts/bundled', chartFiles('bundled', '3.0.0')),
        ...inFolder('charts/library', chartFiles('library', '0.1.0')),
      });

      await chart();

      const object = await ready();
      const subcharts = load(object).subcharts.map(({ metadata }) => `${metadata.name} ${metadata.version}`);
      expect(subcharts.toSorted()).toEqual(['bundled 3.0.0', 'library 0.1.0', 'open 2.0.0', 'remote 1.5.0']);
      const password = `Basic ${Buffer.from('ada:secret').toString('base64')}`;
      const asked = new Map(server.requests.map(({ path, authorization }) => [path, authorization]));
      expect(asked.get('/private/remote-1.5.0.tgz')).toBe(password);
      expect(asked.has('/open/index.yaml')).toBe(true);
      expect(asked.get('/open/open-2.0.0.tgz')).toBeUndefined();
      if (helm !== undefined) {
        const rendered = execFileSync(helm, ['template', 'release', archiveOf(object)], { encoding: 'utf8' });
        expect(rendered.match(/^# Source: .*$/gm)?.toSorted()).toEqual([
          '# Source: app/charts/bundled/templates/cm.yaml',
          '# Source: app/charts/library/templates/cm.yaml',
          '# Source: app/charts/other/templates/cm.yaml',
          '# Source: app/charts/remote/templates/cm.yaml',
          '# Source: app/templates/cm.yaml',
        ]);
      }
    });

    it('takes the exact versions of a lock', async () => {
      for (const version of ['1.0.0', '1.5.0'])
        server.files.set(`/locked/remote-${version}.tgz`, chartArchive('remote', version));
      const entries = ['1.0.0', '1.5.0'].map((version) =>
        indexEntry('remote', version, chartArchive('remote', version)),
      );
      server.files.set('/locked/index.yaml', indexYaml({ remote: entries }));
      const dependency = { name: 'remote', version: '^1.0.0', repository: `${server.url}/locked` };
      const chartYaml = toYaml({ apiVersion: 'v2', name: 'app', version: '1.0.0', dependencies: [dependency] });
      const lock = toYaml({
        dependencies: [{ ...dependency, version: '1.0.0' }],
        digest: 'sha256:0',
        generated: '2024-01-01T00:00:00Z',
      });
      await source(inFolder('charts/app', chartFiles('app', '1.0.0', { 'Chart.yaml': chartYaml, 'Chart.lock': lock })));

      await chart();

      expect(load(await ready()).subcharts.map(({ metadata }) => metadata.version)).toEqual(['1.0.0']);
    });

    it('says what is wrong', async () => {
      const withDependency = (repository: string) =>
        toYaml({
          apiVersion: 'v2',
          name: 'app',
          version: '1.0.0',
          dependencies: [{ name: 'x', version: '1.0.0', repository }],
        });
      const dependent = (name: string, repository: string) =>
        inFolder(`charts/${name}`, chartFiles('app', '1.0.0', { 'Chart.yaml': withDependency(repository) }));
      await source({
        ...inFolder('charts/app', chartFiles('app', '1.0.0')),
        ...inFolder('charts/broken', chartFiles('app', '1.0.0', { 'values.yaml': 'a: [' })),
        ...inFolder(
          'charts/unnamed',
          chartFiles('app', '1.0.0', { 'Chart.yaml': 'apiVersion: v2\nname: app\nversion: one\n' }),
        ),
        ...inFolder('charts/no-values', {
          'Chart.yaml': toYaml({ apiVersion: 'v2', name: 'app', version: '1.0.0' }),
          'templates/x.yaml': '',
        }),
        ...dependent('local', 'file://../nothing'),
        ...dependent('outside', 'file://../../../etc'),
        ...dependent('alias', '@stable'),
        ...dependent('scheme', 'ssh://host/charts'),
        ...dependent('remote', `${server.url}/nothing`),
        'bad.yaml': '- a\n',
        'text.tgz': 'no archive',
      });
      const [reference, dependency] = ['InvalidChartReference', 'DependencyBuildError'];
      const rows: Readonly<Record<string, readonly [spec: JsonObject, reason: string, message: string]>> = {
        absent: [
          { chart: 'charts/absent' },
          reference,
          'invalid chart reference: stat charts/absent: no such file or directory',
        ],
        outside: [{ chart: '../../etc' }, reference, 'leads out of the source'],
        empty: [{ chart: 'charts' }, reference, 'Chart.yaml file is missing'],
        text: [{ chart: 'text.tgz' }, reference, 'gzip: invalid header'],
        version: [{ chart: 'charts/unnamed' }, reference, 'chart.metadata.version "one" is invalid'],
        values: [
          { valuesFiles: ['no.yaml'] },
          'ValuesFilesError',
          "values files merge error: no values file found at path '/no.yaml' (reference 'no.yaml')",
        ],
        'values-outside': [{ valuesFiles: ['../no.yaml'] }, 'ValuesFilesError', 'leads out of the source'],
        'values-list': [
          { valuesFiles: ['bad.yaml'] },
          'ValuesFilesError',
          "unmarshaling values from 'bad.yaml' failed",
        ],
        'no-values': [
          { chart: 'charts/no-values', valuesFiles: ['charts/app/values.yaml'] },
          'ValuesFilesError',
          'failed to locate values file: values.yaml',
        ],
        broken: [{ chart: 'charts/broken' }, 'ChartPackageError', 'chart package error: cannot load values.yaml'],
        local: [
          { chart: 'charts/local' },
          dependency,
          "dependency build error: failed to add local dependency 'x': no chart found at '/charts/nothing' (reference 'file://../nothing')",
        ],
        'dependency-outside': [{ chart: 'charts/outside' }, dependency, 'leads out of the source'],
        alias: [{ chart: 'charts/alias' }, dependency, 'aliased repository dependency is not supported: @stable'],
        scheme: [{ chart: 'charts/scheme' }, dependency, 'invalid dependency repository URL: ssh://host/charts'],
        remote: [{ chart: 'charts/remote' }, dependency, '/nothing/index.yaml : 404 Not Found'],
      };

      for (const [name, [spec]] of Object.entries(rows)) await chart(spec, name);

      for (const [name, [, reason, message]] of Object.entries(rows)) {
        const object = await suite.waitFor(chartPath(name), hasFailed(reason), `${name}: ${reason}`);
        expect(condition(object, 'Ready').message, name).toContain(message);
        const stalls = reason === reference || reason === 'ValuesFilesError';
        expect(condition(object, 'Stalled')?.status, name).toBe(stalls ? 'True' : undefined);
      }
    });
  });
}
