// HelmRepository over HTTP and the HelmCharts made of it: choosing versions, credentials, what is wrong with an index or
// an archive (flux.md §3.3, §3.4; helm.md §22).
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadChartArchive } from '../../../src/engines/helm/archive.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { secret, sourceObject } from '../../support/build.ts';
import { chartArchive, type FileServer, indexEntry, indexYaml, startFileServer } from '../../support/chart-files.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { condition, hasFailed, isReady, type Live, paths, until, useReconciler } from '../../support/reconciler.ts';

// One for each test: on a real cluster objects of earlier tests live on for a while, and ask.
let server: FileServer;
beforeEach(async () => {
  server = await startFileServer();
});
afterEach(() => server.stop());

for (const choice of clusters) {
  describe(`chart repositories on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);

    const repositoryPath = (name = 'charts') => paths.source(cluster.namespace, 'helmrepositories', name);
    const chartPath = (name = 'app') => paths.source(cluster.namespace, 'helmcharts', name);
    const repository = (spec: JsonObject = {}, name = 'charts') =>
      suite.apply(sourceObject('HelmRepository', name, { url: server.url, ...spec }));
    const chart = (spec: JsonObject = {}, name = 'app') =>
      suite.apply(
        sourceObject('HelmChart', name, {
          chart: 'app',
          sourceRef: { kind: 'HelmRepository', name: 'charts' },
          ...spec,
        }),
      );

    /** Publishes versions of the chart `app`. */
    function publish(...versions: string[]): void {
      const archives = versions.map((version) => [version, chartArchive('app', version)] as const);
      for (const [version, archive] of archives) server.files.set(`/app-${version}.tgz`, archive);
      server.files.set(
        '/index.yaml',
        indexYaml({ app: archives.map(([version, bytes]) => indexEntry('app', version, bytes)) }),
      );
    }

    it('stores the index, and the newest chart of it', async () => {
      publish('1.0.0', '1.1.0', '2.0.0-rc.1');

      await repository();
      const stored = await suite.waitFor(repositoryPath(), isReady, 'Ready');
      await chart();
      const pulled = await suite.waitFor(chartPath(), isReady, 'Ready');

      const { artifact } = stored.status;
      expect(artifact.path).toBe(`helmrepository/${cluster.namespace}/charts/index-${artifact.revision.slice(7)}.yaml`);
      expect(condition(stored, 'Ready').message).toBe(`stored artifact: revision '${artifact.revision}'`);
      expect(pulled.status).toMatchObject({
        artifact: { revision: '1.1.0', path: `helmchart/${cluster.namespace}/app/app-1.1.0.tgz` },
        observedChartName: 'app',
        observedSourceArtifactRevision: artifact.revision,
      });
      expect(condition(pulled, 'Ready')).toMatchObject({
        reason: 'ChartPullSucceeded',
        message: "pulled 'app' chart with version '1.1.0'",
      });
      const served = await fetch(pulled.status.artifact.url);
      expect(loadChartArchive(new Uint8Array(await served.arrayBuffer())).metadata.version).toBe('1.1.0');
    });

    it('takes the version that is asked for, and moves with the index', async () => {
      publish('1.0.0', '1.1.0', '2.0.0-rc.1');
      await repository({ interval: '300ms' });
      await suite.waitFor(repositoryPath(), isReady, 'Ready');
      const wanted: Readonly<Record<string, string>> = {
        '1.0.0': '1.0.0',
        '^1.0.0': '1.1.0',
        '>=1.0.0-0': '2.0.0-rc.1',
        '*': '1.1.0',
      };
      for (const [index, version] of Object.keys(wanted).entries()) await chart({ version }, `app-${index}`);
      for (const [index, version] of Object.values(wanted).entries()) {
        const object = await suite.waitFor(chartPath(`app-${index}`), isReady, 'Ready');
        expect(object.status.artifact.revision).toBe(version);
      }

      publish('1.0.0', '1.1.0', '1.2.0');
      const moved = (version: string) => (object: Live) =>
        isReady(object) && object.status.artifact.revision === version;

      await suite.waitFor(chartPath('app-1'), moved('1.2.0'), 'the new version');
      const { status } = await suite.waitFor(repositoryPath(), isReady);
      const pinned = (object: Live) => object.status.observedSourceArtifactRevision === status.artifact.revision;
      const same = await suite.waitFor(chartPath('app-0'), pinned, 'the new index');
      expect(same.status.artifact.revision).toBe('1.0.0');
    });

    it('asks for an index that has not changed, and neither fetches nor writes it', async () => {
      publish('1.0.0');
      await repository({ interval: '300ms' });
      await suite.waitFor(repositoryPath(), isReady, 'Ready');
      await chart({ interval: '300ms' });
      await suite.waitFor(chartPath(), isReady, 'Ready');
      await suite.quiet();
      const asked = server.requests.length;

      const written = await suite.countRequests(async () => {
        await until('three passes', () => server.requests.length >= asked + 3);
      });

      expect(written).toEqual([]);
      expect(new Set(server.requests.slice(asked).map(({ path }) => path))).toEqual(new Set(['/index.yaml']));
    });

    it('merges values files of the chart, and marks the version with the generation', async () => {
      const archive = chartArchive('app', '1.0.0', { 'prod.yaml': 'color: green\nreplicas: 3\n' });
      server.files.set('/app-1.0.0.tgz', archive);
      server.files.set('/index.yaml', indexYaml({ app: [indexEntry('app', '1.0.0', archive)] }));
      await repository();

      await chart({ valuesFiles: ['values.yaml', 'prod.yaml', 'absent.yaml'], ignoreMissingValuesFiles: true });
      const object = await suite.waitFor(chartPath(), isReady, 'Ready');

      expect(condition(object, 'Ready')).toMatchObject({
        reason: 'ChartPackageSucceeded',
        message: "packaged 'app' chart with version '1.0.0+1' and merged values files [values.yaml prod.yaml]",
      });
      expect(object.status.observedValuesFiles).toEqual(['values.yaml', 'prod.yaml']);
      const stored = readFileSync(join(suite.stateDir, 'artifacts', object.status.artifact.path));
      const loaded = loadChartArchive(stored);
      expect(loaded.metadata.version).toBe('1.0.0+1');
      expect(gunzipSync(stored).toString('latin1')).toContain('color: green\nreplicas: 3\n');
    });

    it('sends the password to the repository alone, unless its owner wants otherwise', async () => {
      const other = await startFileServer();
      const archive = chartArchive('app', '1.0.0');
      other.files.set('/app.tgz', archive);
      const entry = indexEntry('app', '1.0.0', archive, {
        urls: [`${other.url.replace('127.0.0.1', 'localhost')}/app.tgz`],
      });
      server.files.set('/index.yaml', indexYaml({ app: [entry] }));
      await suite.apply(secret('login', { username: 'ada', password: 'secret' }));
      const login = `Basic ${Buffer.from('ada:secret').toString('base64')}`;

      await repository({ secretRef: { name: 'login' } });
      await chart();
      await suite.waitFor(chartPath(), isReady, 'Ready');
      await repository({ secretRef: { name: 'login' }, passCredentials: true }, 'trusting');
      await chart({ sourceRef: { kind: 'HelmRepository', name: 'trusting' } }, 'trusting');
      await suite.waitFor(chartPath('trusting'), isReady, 'Ready');
      await other.stop();

      expect(server.requests.map(({ authorization }) => authorization)).toEqual([login, login]);
      expect(other.requests.map(({ authorization }) => authorization)).toEqual([undefined, login]);
    });

    it('says what is wrong with a repository', async () => {
      const rows: Readonly<Record<string, readonly [spec: JsonObject, reason: string, message: RegExp]>> = {
        gone: [
          { url: `${server.url}/gone` },
          'Failed',
          /^failed to fetch Helm repository index: failed to fetch http:.*\/gone\/index.yaml : 404 Not Found$/,
        ],
        down: [{ url: 'http://127.0.0.1:1' }, 'Failed', /dial tcp 127.0.0.1:1: connect: connection refused/],
        empty: [
          { url: `${server.url}/empty` },
          'IndexationFailed',
          /failed to load Helm repository from index YAML: empty index.yaml file/,
        ],
        'no-version': [{ url: `${server.url}/no-version` }, 'IndexationFailed', /no API version specified/],
        shape: [{ url: `${server.url}/shape` }, 'IndexationFailed', /the versions of chart 'app' are no list/],
        broken: [{ url: `${server.url}/broken` }, 'IndexationFailed', /yaml: line/],
        scheme: [
          { url: 'oci://127.0.0.1/charts' },
          'URLInvalid',
          /'oci' URL scheme cannot be used with 'default' HelmRepository type/,
        ],
        secret: [
          { secretRef: { name: 'absent' } },
          'AuthenticationFailed',
          /failed to get authentication secret '.*\/absent': secrets "absent" not found/,
        ],
        slow: [{ url: `${server.url}/slow`, timeout: '300ms' }, 'Failed', /context deadline exceeded/],
        local: [{ url: 'http://169.254.169.254/latest' }, 'Failed', /169.254.169.254 is a link-local address/],
      };
      server.files.set(
        '/slow/index.yaml',
        (_request, response) => void response.writeHead(200).write('apiVersion: v1\n'),
      );
      server.files.set('/empty/index.yaml', '');
      server.files.set('/no-version/index.yaml', 'entries: {}\n');
      server.files.set('/shape/index.yaml', 'apiVersion: v1\nentries:\n  app: text\n');
      server.files.set('/broken/index.yaml', 'apiVersion: v1\nentries:\n  app:\n  - name: "app\n');

      for (const [name, [spec]] of Object.entries(rows)) await repository(spec, name);

      for (const [name, [, reason, message]] of Object.entries(rows)) {
        const object = await suite.waitFor(repositoryPath(name), hasFailed(reason), reason);
        expect(condition(object, 'FetchFailed')).toMatchObject({
          status: 'True',
          message: expect.stringMatching(message),
        });
        expect(condition(object, 'Stalled')?.status).toBe(reason === 'URLInvalid' ? 'True' : undefined);
      }
    });

    it('shows no password that the server sends back', async () => {
      await suite.apply(secret('login', { username: 'ada', password: 'hunter-2-canary' }));
      server.files.set('/index.yaml', (request, response) => {
        const said = Buffer.from(request.headers.authorization!.replace('Basic ', ''), 'base64');
        response.end(JSON.stringify({ apiVersion: 'v1', entries: { [`login ${said}`]: 'text' } }));
      });

      await repository({ secretRef: { name: 'login' } });

      const object = await suite.waitFor(repositoryPath(), hasFailed('IndexationFailed'), 'IndexationFailed');
      expect(condition(object, 'Ready').message).toContain("chart 'login ada:*****'");
      expect(JSON.stringify(object)).not.toContain('canary');
    });

    it('tolerates what Helm tolerates: null charts, null versions, versions that are not valid', async () => {
      const archive = chartArchive('app', '1.0.0');
      server.files.set('/app-1.0.0.tgz', archive);
      const entries = { app: [null, indexEntry('app', '1.0.0', archive), { version: 'x' }, {}], none: null, empty: [] };
      server.files.set('/index.yaml', JSON.stringify({ apiVersion: 'v1', entries }));
      await repository();

      await chart();

      const object = await suite.waitFor(chartPath(), isReady, 'Ready');
      expect(object.status.artifact.revision).toBe('1.0.0');
    });

    it('refuses an index without end before it is read (CVE-2024-29893)', async () => {
      let sent = 0;
      server.files.set('/index.yaml', (_request, response) => {
        const block = Buffer.alloc(1 << 20, '# nothing\n');
        const send = (): void => {
          while (sent < 200 && !response.destroyed) {
            sent++;
            if (!response.write(block)) return void response.once('drain', send);
          }
          response.end();
        };
        send();
      });

      await repository();

      const object = await suite.waitFor(repositoryPath(), hasFailed('Failed'), 'Failed');
      expect(condition(object, 'Ready').message).toBe(
        'failed to fetch Helm repository index: index exceeds the maximum index file size of 52428800 bytes',
      );
      expect(sent).toBeLessThan(150);
    });

    it('says what is wrong with a chart', async () => {
      const archive = chartArchive('app', '1.0.0');
      const invalid = chartArchive('app', '3.0.0', {
        'Chart.yaml': 'apiVersion: v2\nname: ../../app\nversion: 3.0.0\n',
      });
      server.files.set('/app-1.0.0.tgz', archive);
      server.files.set('/app-2.0.0.tgz', 'no archive');
      server.files.set('/app-3.0.0.tgz', invalid);
      const entries = [
        indexEntry('app', '1.0.0', archive),
        indexEntry('app', '1.1.0', archive, { urls: ['app-1.0.0.tgz'], digest: '00'.repeat(32) }),
        indexEntry('app', '1.2.0', archive, { urls: ['file:///etc/passwd'] }),
        indexEntry('app', '1.3.0', archive, { urls: [] }),
        indexEntry('app', '2.0.0', Buffer.from('no archive')),
        indexEntry('app', '3.0.0', invalid),
        indexEntry('app', '4.0.0', archive),
        indexEntry('app', '5.0.0', archive, { urls: ['http://169.254.169.254/app.tgz'] }),
        indexEntry('app', '6.0.0', archive, { urls: ['sent-on.tgz'] }),
      ];
      server.files.set('/sent-on.tgz', (_request, response) => {
        response.writeHead(302, { location: 'http://169.254.169.254/app.tgz' }).end();
      });
      server.files.set('/index.yaml', indexYaml({ app: entries }));
      await repository();
      const pull = 'chart pull error: failed to download chart for remote reference: ';
      const rows: Readonly<Record<string, readonly [spec: JsonObject, reason: string, message: string]>> = {
        'no-chart': [{ chart: 'other' }, 'InvalidChartReference', 'no chart name found'],
        'no-version': [{ version: '9.x' }, 'InvalidChartReference', "no 'app' chart with version matching '9.x' found"],
        range: [{ version: 'what' }, 'InvalidChartReference', 'improper constraint'],
        name: [{ chart: '../app' }, 'InvalidChartReference', "invalid chart name '../app'"],
        digest: [{ version: '1.1.0' }, 'ChartPullError', `${pull}http`],
        file: [{ version: '1.2.0' }, 'ChartPullError', 'no HTTP URL: "file:///etc/passwd"'],
        'no-url': [{ version: '1.3.0' }, 'ChartPullError', `${pull}chart 'app' has no downloadable URLs`],
        archive: [{ version: '2.0.0' }, 'ChartPullError', 'gzip: invalid header'],
        traversal: [{ version: '3.0.0' }, 'ChartPullError', 'chart.metadata.name "../../app" is invalid'],
        metadata: [{ version: '5.0.0' }, 'ChartPullError', '169.254.169.254 is a link-local address'],
        'metadata-redirect': [{ version: '6.0.0' }, 'ChartPullError', '169.254.169.254 is a link-local address'],
        gone: [{ version: '4.0.0' }, 'ChartPullError', '/app-4.0.0.tgz : 404 Not Found'],
        values: [
          { version: '1.0.0', valuesFiles: ['x.yaml'] },
          'ValuesFilesError',
          "values files merge error: no values file found at path 'x.yaml'",
        ],
        verify: [{ verify: { provider: 'cosign' } }, 'ChartVerificationError', 'only charts in a registry'],
        source: [
          { sourceRef: { kind: 'HelmRepository', name: 'absent' } },
          'SourceUnavailable',
          'failed to get source: HelmRepository.source.toolkit.fluxcd.io "absent" not found',
        ],
        bucket: [
          { sourceRef: { kind: 'Bucket', name: 'absent' } },
          'SourceUnavailable',
          'Bucket.source.toolkit.fluxcd.io "absent" not found',
        ],
      };

      for (const [name, [spec]] of Object.entries(rows)) await chart(spec, name);

      const stalls = ['InvalidChartReference', 'ValuesFilesError', 'ChartVerificationError'];
      for (const [name, [, reason, message]] of Object.entries(rows)) {
        const object = await suite.waitFor(chartPath(name), hasFailed(reason), `${name}: ${reason}`);
        expect(condition(object, 'Ready').message).toContain(message);
        expect(condition(object, 'Stalled')?.status, name).toBe(stalls.includes(reason) ? 'True' : undefined);
      }
    });

    it.each(['index.yaml', 'app-1.0.0.tgz'])('asks for %s again when a busy server refuses it', async (file) => {
      publish('1.0.0');
      const path = `/${file}`;
      const content = server.files.get(path)!;
      const refusals: readonly [status: number, pause: string | undefined][] = [
        [429, '1'],
        [503, new Date(Date.now() + 2_000).toUTCString()],
        [500, undefined],
      ];
      let asked = 0;
      server.files.set(path, (_request, response) => {
        const refusal = refusals[asked++];
        if (refusal === undefined) return void response.writeHead(200).end(content);
        const [status, pause] = refusal;
        response.writeHead(status, pause === undefined ? {} : { 'retry-after': pause }).end();
      });

      await repository();
      await chart();

      await suite.waitFor(chartPath(), isReady, 'Ready');
      expect(asked).toBe(refusals.length + 1);
    });

    it('waits for an index, and goes on when it is there', async () => {
      await repository();
      await chart();
      await suite.waitFor(chartPath(), hasFailed('NoSourceArtifact'), 'NoSourceArtifact');
      publish('1.0.0');

      await suite.apply({ ...sourceObject('HelmRepository', 'charts', { url: server.url, timeout: '10s' }) });

      await suite.waitFor(chartPath(), isReady, 'Ready');
    });

    it('keeps chart and index through failures, and makes them again after a loss', async () => {
      publish('1.0.0');
      await repository();
      await chart();
      const before = await suite.waitFor(chartPath(), isReady, 'Ready');
      const { artifact: kept } = (await suite.get(repositoryPath())).status;
      server.files.delete('/index.yaml');
      await repository({ timeout: '5s' });
      const failed = await suite.waitFor(repositoryPath(), hasFailed('Failed'), 'Failed');
      expect(failed.status.artifact).toEqual(kept);

      await suite.stop();
      publish('1.0.0');
      rmSync(join(suite.stateDir, 'artifacts'), { recursive: true });
      await suite.start();

      const archive = join(suite.stateDir, 'artifacts', before.status.artifact.path);
      await until('the archive', () => existsSync(archive));
      await suite.waitFor(repositoryPath(), isReady, 'Ready');
      const after = await suite.waitFor(chartPath(), isReady, 'Ready');
      expect(after.status.artifact.digest).toBe(before.status.artifact.digest);
    });

    it('leaves a registry alone, and what an index left behind goes when it becomes one', async () => {
      publish('1.0.0');
      await suite.apply(sourceObject('HelmRepository', 'static', { url: 'oci://127.0.0.1:1/charts', type: 'oci' }));
      await repository();
      const stored = await suite.waitFor(repositoryPath(), isReady, 'Ready');
      const folder = join(suite.stateDir, 'artifacts', stored.status.artifact.path, '..');

      await suite.apply(sourceObject('HelmRepository', 'charts', { url: 'oci://127.0.0.1:1/charts', type: 'oci' }));

      const moved = await suite.waitFor(
        repositoryPath(),
        (object) => object.metadata.finalizers === undefined,
        'no finalizer',
      );
      expect(moved.status ?? {}).toEqual({});
      expect(existsSync(folder)).toBe(false);
      const untouched = await suite.get(repositoryPath('static'));
      expect(untouched.metadata.finalizers).toBeUndefined();
      expect(untouched.status).toEqual({ observedGeneration: -1 });
    });

    it('removes what it stored when objects are deleted', async () => {
      publish('1.0.0');
      await repository();
      await chart();
      const { status } = await suite.waitFor(chartPath(), isReady, 'Ready');
      const archive = join(suite.stateDir, 'artifacts', status.artifact.path);
      expect(existsSync(archive)).toBe(true);

      await cluster.admin.call('DELETE', chartPath());

      await suite.waitFor(chartPath(), (object) => object === undefined, 'its deletion');
      expect(existsSync(archive)).toBe(false);
    });
  });
}
