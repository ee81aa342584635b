// The corpus charts, packaged and indexed by the real helm, behind nginx with TLS, passwords and client certificates:
// what HelmCharts store is what helm made, and helm reads what is packaged here.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromYaml } from '../../../src/lib/goyaml/sigs.ts';
import { findTool } from '../../cluster/build.ts';
import { secret, sourceObject } from '../../support/build.ts';
import { type FileServer, startFileServer } from '../../support/chart-files.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { corpusFolder } from '../../support/corpus.ts';
import { temporaryFolder } from '../../support/git.ts';
import { hasNginx, type Nginx, startNginx } from '../../support/nginx.ts';
import {
  condition,
  conditionStatus,
  hasFailed,
  isReady,
  type Live,
  paths,
  useReconciler,
} from '../../support/reconciler.ts';

const helm = await findTool('helm');
const corpus = corpusFolder('helm');
const missing = [
  ...(helm === undefined ? ['helm'] : []),
  ...(corpus === undefined ? ['the corpus'] : []),
  ...(hasNginx ? [] : ['nginx']),
];
if (missing.length > 0 && process.env['CI'] === 'true') throw new Error(`missing: ${missing.join(', ')}`);
const skipped = missing.length === 0 ? '' : ` (skipped: no ${missing.join(', no ')})`;

const folder = temporaryFolder('charts');
let server: FileServer;
let nginx: Nginx;
/** Archives of the real helm, by file name. */
const archives = new Map<string, Buffer>();

beforeAll(async () => {
  if (missing.length > 0) return;
  const published = join(folder.dir, 'published');
  mkdirSync(published);
  for (const name of readdirSync(join(corpus!, 'charts'))) {
    const chart = join(corpus!, 'charts', name, 'chart');
    // Charts that helm itself refuses to package are none to publish; packaging needs no network for the others.
    if (existsSync(chart)) run(() => execFileSync(helm!, ['package', chart, '-d', published], { stdio: 'pipe' }));
  }
  execFileSync(helm!, ['repo', 'index', published], { stdio: 'pipe' });
  server = await startFileServer();
  for (const name of readdirSync(published)) {
    const bytes = readFileSync(join(published, name));
    server.files.set(`/${name}`, bytes);
    if (name.endsWith('.tgz')) archives.set(name, bytes);
  }
  nginx = await startNginx(join(folder.dir, 'nginx'), server.url);
});
afterAll(async () => {
  await nginx?.stop();
  await server?.stop();
  folder.remove();
});

function run(work: () => void): void {
  try {
    work();
  } catch {
    // Counted below: most charts of the corpus must have come through.
  }
}

/** What helm's index says of the archives. */
function published(): { readonly chart: string; readonly version: string; readonly file: string }[] {
  const index = fromYaml(String(server.files.get('/index.yaml'))) as {
    entries: Record<string, { version: string; urls: string[] }[]>;
  };
  return Object.entries(index.entries).flatMap(([chart, versions]) =>
    versions.map(({ version, urls }) => ({ chart, version, file: urls[0]! })),
  );
}

for (const choice of clusters) {
  describe.skipIf(missing.length > 0)(`corpus charts on ${choice.name}${skipped}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);
    const chartPath = (name: string) => paths.source(cluster.namespace, 'helmcharts', name);
    const archiveOf = (object: Live) => join(suite.stateDir, 'artifacts', object.status.artifact.path);

    it('trusts, logs in and shows certificates as it is told', async () => {
      await suite.apply(secret('login', { username: 'ada', password: 'secret' }));
      await suite.apply(secret('ca', { 'ca.crt': nginx.ca }));
      await suite.apply(
        secret('client', { 'ca.crt': nginx.ca, 'tls.crt': nginx.clientCert, 'tls.key': nginx.clientKey }),
      );
      const rows = {
        tls: { url: nginx.url, certSecretRef: { name: 'ca' } },
        password: { url: nginx.passwordUrl, secretRef: { name: 'login' }, certSecretRef: { name: 'ca' } },
        mutual: { url: nginx.mutualUrl, certSecretRef: { name: 'client' } },
        redirect: { url: nginx.redirectUrl, certSecretRef: { name: 'ca' } },
      };
      const refused = {
        authority: { url: nginx.url },
        expired: { url: nginx.expiredUrl, certSecretRef: { name: 'ca' } },
        anonymous: { url: nginx.passwordUrl, certSecretRef: { name: 'ca' } },
        'no-client': { url: nginx.mutualUrl, certSecretRef: { name: 'ca' } },
      };

      for (const [name, spec] of Object.entries({ ...rows, ...refused })) {
        await suite.apply(sourceObject('HelmRepository', name, spec));
      }

      const path = (name: string) => paths.source(cluster.namespace, 'helmrepositories', name);
      for (const name of Object.keys(rows)) await suite.waitFor(path(name), isReady, 'Ready');
      const messages: Record<string, string> = {};
      for (const name of Object.keys(refused)) {
        const hasEnded = (live: Live) => conditionStatus(live, 'Ready') === 'False';
        messages[name] = condition(await suite.waitFor(path(name), hasEnded, 'a failure'), 'Ready').message;
      }
      expect(messages).toEqual({
        authority: expect.stringContaining('x509: certificate signed by unknown authority'),
        expired: expect.stringContaining('x509: certificate has expired'),
        anonymous: expect.stringContaining(': 401 Unauthorized'),
        'no-client': expect.stringContaining(': 400 Bad Request'),
      });
    });

    it('stores every chart as helm made it, and packages what helm can read', async () => {
      expect(archives.size).toBeGreaterThan(20);
      await suite.apply(secret('ca', { 'ca.crt': nginx.ca }));
      await suite.apply(sourceObject('HelmRepository', 'corpus', { url: nginx.url, certSecretRef: { name: 'ca' } }));
      const charts = published();
      const sourceRef = { kind: 'HelmRepository', name: 'corpus' };

      for (const [index, { chart, version }] of charts.entries()) {
        await suite.apply(sourceObject('HelmChart', `plain-${index}`, { chart, version, sourceRef }));
        const valuesFiles = ['values.yaml', 'Chart.yaml'];
        await suite.apply(
          sourceObject('HelmChart', `packaged-${index}`, {
            chart,
            version,
            sourceRef,
            valuesFiles,
            ignoreMissingValuesFiles: true,
          }),
        );
      }

      for (const [index, { file }] of charts.entries()) {
        const plain = await suite.waitFor(chartPath(`plain-${index}`), isReady, 'Ready');
        expect(readFileSync(archiveOf(plain)).equals(archives.get(file)!)).toBe(true);
        const packaged = await suite.waitFor(
          chartPath(`packaged-${index}`),
          (object) => isReady(object) || hasFailed('ValuesFilesError')(object),
          'an end',
        );
        if (!isReady(packaged)) {
          // A chart without values.yaml has nothing that values files could replace.
          expect(condition(packaged, 'Ready').message).toContain('failed to locate values file');
          continue;
        }
        const shown = execFileSync(helm!, ['show', 'chart', archiveOf(packaged)], { encoding: 'utf8' });
        const { revision } = packaged.status.artifact;
        expect(revision).toMatch(/\+1$/);
        expect(shown).toContain(`version: ${revision}\n`);
      }
    });
  });
}
