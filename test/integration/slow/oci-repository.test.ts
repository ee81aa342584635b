// OCIRepository, and charts out of a registry: a real registry with a password and a private authority (flux.md §3.1,
// helm.md §22).
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadChartArchive } from '../../../src/engines/helm/archive.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { readTar, writeTar } from '../../../src/lib/tar.ts';
import { configMapYaml, kustomization, secret, sourceObject } from '../../support/build.ts';
import { chartArchive, indexEntry, indexYaml, startFileServer } from '../../support/chart-files.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import {
  type Blob,
  type DockerRegistry,
  digestOf,
  hasRegistry,
  startDockerRegistry,
} from '../../support/docker-registry.ts';
import { temporaryFolder } from '../../support/git.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const CONTENT = 'application/vnd.cncf.flux.content.v1.tar+gzip';
const CHART = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const CHART_CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';

if (!hasRegistry && process.env['CI'] === 'true')
  throw new Error('docker-registry is missing: no registry to test with');

const folder = temporaryFolder('registry');
let registry: DockerRegistry;
beforeAll(async () => {
  if (hasRegistry) registry = await startDockerRegistry(folder.dir);
});
afterAll(async () => {
  await registry?.stop();
  folder.remove();
});

for (const choice of clusters) {
  describe.skipIf(!hasRegistry)(
    `registries on ${choice.name}${hasRegistry ? '' : ' (skipped: no docker-registry)'}`,
    () => {
      const cluster = useCluster(choice);
      const suite = useReconciler(cluster);
      const path = (name = 'app') => paths.source(cluster.namespace, 'ocirepositories', name);

      /** Logs in and trusts the registry's authority. */
      const trusted = { secretRef: { name: 'login' }, certSecretRef: { name: 'ca' } };
      async function repository(place: string, spec: JsonObject = {}, name = 'app'): Promise<void> {
        await suite.apply(secret('login', { username: 'ada', password: 'open-sesame' }));
        await suite.apply(secret('ca', { 'ca.crt': registry.ca }));
        await suite.apply(
          sourceObject('OCIRepository', name, { url: `oci://${registry.host}/${place}`, ...trusted, ...spec }),
        );
      }
      const stored = (name?: string) => suite.waitFor(path(name), isReady, 'Ready');
      const archiveOf = (object: Live) => readFileSync(join(suite.stateDir, 'artifacts', object.status.artifact.path));
      /** A repository of its own for each test and cluster. */
      const place = (name: string) => `${choice.name}/${name}`;

      it('stores the content of a tag, and follows it', async () => {
        const annotations = {
          'org.opencontainers.image.source': 'https://example.com/app',
          'org.opencontainers.image.revision': 'main@sha1:abc',
        };
        const first = await registry.push(place('follow'), 'latest', {
          layers: [layer({ 'cm.yaml': configMapYaml('cm', { a: '1' }), 'logo.png': 'x' })],
          annotations,
        });

        await repository(place('follow'), { interval: '300ms' });
        const object = await stored();

        const { artifact } = object.status;
        expect(artifact).toMatchObject({ revision: `latest@${first}`, metadata: annotations });
        expect(artifact.path).toBe(`ocirepository/${cluster.namespace}/app/${first.slice(7)}.tar.gz`);
        expect(condition(object, 'Ready').message).toBe(`stored artifact for digest 'latest@${first}'`);
        expect(filesOf(archiveOf(object))).toEqual(['cm.yaml']);
        const second = await registry.push(place('follow'), 'latest', {
          layers: [layer({ 'cm.yaml': configMapYaml('cm', { a: '2' }) })],
        });
        await suite.waitFor(path(), (live) => live.status.artifact.revision === `latest@${second}`, 'the new revision');
      });

      it('is applied by a Kustomization, with the revision that its maker wrote beside it', async () => {
        const origin = 'main@sha1:0123456789012345678901234567890123456789';
        const digest = await registry.push(place('applied'), 'latest', {
          layers: [layer({ 'cm.yaml': configMapYaml('from-registry', { a: '1' }) })],
          annotations: { 'org.opencontainers.image.revision': origin },
        });
        await repository(place('applied'));
        const sourceRef = { kind: 'OCIRepository', name: 'app' };
        await suite.apply(kustomization('app', 'app', { sourceRef, targetNamespace: cluster.namespace }));

        const applied = await suite.waitFor(paths.kustomization(cluster.namespace, 'app'), isReady, 'Ready');

        expect(applied.status).toMatchObject({
          lastAppliedRevision: `latest@${digest}`,
          lastAppliedOriginRevision: origin,
        });
        expect((await suite.get(paths.configMap(cluster.namespace, 'from-registry')))?.data).toEqual({ a: '1' });
      });

      it('resolves tags, ranges, filters and digests', async () => {
        const digests = new Map<string, string>();
        for (const tag of ['1.0.0', '1.1.0', '2.0.0-rc.1', '1.2.0-debug', 'main']) {
          digests.set(tag, await registry.push(place('refs'), tag, { layers: [layer({ 'tag.yaml': tag })] }));
        }
        const rows: readonly [ref: JsonObject, revision: string][] = [
          [{ tag: 'main' }, `main@${digests.get('main')}`],
          [{ semver: '>=1.0.0' }, `1.1.0@${digests.get('1.1.0')}`],
          [{ semver: '>=1.0.0-0', semverFilter: '.*-debug' }, `1.2.0-debug@${digests.get('1.2.0-debug')}`],
          [{ digest: digests.get('1.0.0')!, tag: 'main', semver: '*' }, digests.get('1.0.0')!],
        ];

        for (const [index, [ref]] of rows.entries()) await repository(place('refs'), { ref }, `ref-${index}`);

        for (const [index, [, revision]] of rows.entries()) {
          expect((await stored(`ref-${index}`)).status.artifact.revision).toBe(revision);
        }
      });

      it('takes the layer that is selected, as it is or unpacked, and heeds ignore rules', async () => {
        const chart = chartArchive('app', '1.0.0');
        const manifests = layer({ 'a.yaml': 'a: 1\n', 'b/c.yaml': 'b: 1\n', '.sourceignore': '/b/\n' });
        await registry.push(place('layers'), 'latest', { layers: [manifests, { mediaType: CHART, data: chart }] });

        await repository(place('layers'), {}, 'first');
        await repository(place('layers'), { ignore: '!/b/\n/a.yaml\n' }, 'ignoring');
        await repository(place('layers'), { layerSelector: { mediaType: CHART, operation: 'copy' } }, 'copied');
        await repository(place('layers'), { layerSelector: { mediaType: CHART, operation: 'extract' } }, 'extracted');

        expect(filesOf(archiveOf(await stored('first')))).toEqual(['.sourceignore', 'a.yaml']);
        expect(filesOf(archiveOf(await stored('ignoring')))).toEqual(['.sourceignore', 'b/c.yaml']);
        const copied = await stored('copied');
        expect(archiveOf(copied)).toEqual(chart);
        expect(copied.status).toMatchObject({
          artifact: { digest: digestOf(chart) },
          observedLayerSelector: { operation: 'copy' },
        });
        expect(loadChartArchive(archiveOf(await stored('extracted'))).metadata.name).toBe('app');
      });

      it('logs in by a Docker configuration and by the pull secrets of a ServiceAccount', async () => {
        await registry.push(place('login'), 'latest', { layers: [layer({ 'a.yaml': 'a: 1\n' })] });
        const auth = Buffer.from('ada:open-sesame').toString('base64');
        const config = JSON.stringify({ auths: { [`https://${registry.host}`]: { auth } } });
        await suite.apply({
          ...secret('pull', { '.dockerconfigjson': config }),
          type: 'kubernetes.io/dockerconfigjson',
        });
        await suite.apply({
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: 'puller' },
          imagePullSecrets: [{ name: 'pull' }],
        });

        await repository(place('login'), { secretRef: { name: 'pull' } }, 'configured');
        await suite.apply(
          sourceObject('OCIRepository', 'account', {
            url: `oci://${registry.host}/${place('login')}`,
            serviceAccountName: 'puller',
            certSecretRef: { name: 'ca' },
          }),
        );
        await repository(place('login'), { certSecretRef: { name: 'ca' }, insecure: true }, 'insecure');

        for (const name of ['configured', 'account', 'insecure']) await stored(name);
      });

      it('checks cosign signatures by key, and refuses what is not signed', async () => {
        const digest = await registry.push(place('signed'), 'v1', { layers: [layer({ 'a.yaml': 'a: 1\n' })] });
        const signature = await signArtifact(place('signed'), digest);
        const other = await registry.push(place('signed'), 'v2', { layers: [layer({ 'a.yaml': 'a: 2\n' })] });
        // A signature of another artifact under this one's name.
        await registry.push(place('signed'), signatureTag(other), { layers: [signature] });
        await suite.apply(secret('keys', { 'cosign.pub': pem }));
        const verify = { provider: 'cosign', secretRef: { name: 'keys' } };

        await repository(place('signed'), { ref: { tag: 'v1' }, verify }, 'good');
        await repository(place('signed'), { ref: { tag: 'v2' }, verify }, 'bad');
        await repository(place('signed'), { ref: { tag: 'v1' }, verify: { provider: 'cosign' } }, 'keyless');
        await repository(
          place('signed'),
          { ref: { tag: 'v1' }, verify: { provider: 'notation', secretRef: { name: 'keys' } } },
          'notation',
        );
        await repository(
          place('signed'),
          { ref: { tag: 'v1' }, verify: { provider: 'cosign', secretRef: { name: 'login' } } },
          'no-keys',
        );

        const good = await stored('good');
        expect(condition(good, 'SourceVerified')).toMatchObject({
          status: 'True',
          message: `verified signature of revision v1@${digest}`,
        });
        const bad = await suite.waitFor(path('bad'), hasFailed('VerificationError'), 'VerificationError');
        expect(condition(bad, 'SourceVerified')).toMatchObject({
          status: 'False',
          message: `failed to verify the signature using provider 'cosign': no matching signatures were found for '${registry.host}/${place('signed')}@${other}'`,
        });
        expect(bad.status.artifact).toBeUndefined();
        const keyless = await suite.waitFor(path('keyless'), hasFailed('FieldNotSupported'), 'FieldNotSupported');
        expect(condition(keyless, 'Stalled').message).toBe(
          'spec.verify without secretRef (cosign keyless) is not supported yet',
        );
        await suite.waitFor(path('notation'), hasFailed('FieldNotSupported'), 'FieldNotSupported');
        const noKeys = await suite.waitFor(path('no-keys'), hasFailed('VerificationError'), 'VerificationError');
        expect(condition(noKeys, 'Ready').message).toContain('no public keys found in secret');
      });

      it('pulls charts that an index names in a registry', async () => {
        const config = { mediaType: CHART_CONFIG, data: Buffer.from('{}') };
        const archive = chartArchive('app', '1.0.0');
        await registry.push(place('indexed/app'), '1.0.0', { layers: [{ mediaType: CHART, data: archive }], config });
        const urls = [`oci://${registry.host}/${place('indexed/app')}:1.0.0`];
        const server = await startFileServer();
        const entries = [
          indexEntry('app', '1.0.0', archive, { urls }),
          indexEntry('app', '2.0.0', Buffer.from('another'), { urls }),
        ];
        server.files.set('/index.yaml', indexYaml({ app: entries }));
        await suite.apply(secret('login', { username: 'ada', password: 'open-sesame' }));
        await suite.apply(secret('ca', { 'ca.crt': registry.ca }));
        const source = { url: server.url, ...trusted };
        await suite.apply(sourceObject('HelmRepository', 'open', { ...source, passCredentials: true }));
        await suite.apply(sourceObject('HelmRepository', 'closed', source));
        const chart = (name: string, repositoryName: string, version: string) =>
          suite.apply(
            sourceObject('HelmChart', name, {
              chart: 'app',
              version,
              sourceRef: { kind: 'HelmRepository', name: repositoryName },
            }),
          );
        const chartPath = (name: string) => paths.source(cluster.namespace, 'helmcharts', name);

        await chart('good', 'open', '1.0.0');
        await chart('anonymous', 'closed', '1.0.0');
        await chart('other', 'open', '2.0.0');

        const good = await suite.waitFor(chartPath('good'), isReady, 'Ready');
        expect(archiveOf(good)).toEqual(archive);
        await suite.waitFor(chartPath('anonymous'), hasFailed('AuthenticationFailed'), 'AuthenticationFailed');
        const other = await suite.waitFor(chartPath('other'), hasFailed('ChartPullError'), 'ChartPullError');
        await server.stop();
        expect(condition(other, 'Ready').message).toContain('does not have the digest of the index');
      });

      it('says what is wrong', async () => {
        await registry.push(place('wrong'), 'text', {
          layers: [{ mediaType: 'text/plain', data: Buffer.from('no archive') }],
        });
        await registry.push(place('wrong'), 'none', { layers: [] });
        const nothing = gzipSync(Buffer.alloc(1 << 20));
        // A mebibyte of nothing, three hundred times.
        const unpacking = Buffer.concat(Array.from({ length: 300 }, () => nothing));
        await registry.push(place('wrong'), 'bomb', { layers: [{ mediaType: CONTENT, data: unpacking }] });
        await registry.push(place('wrong'), 'escape', {
          layers: [
            { mediaType: CONTENT, data: gzipSync(writeTar([{ name: '../a.yaml', kind: 'file', mode: 0o644 }])) },
          ],
        });
        const annotations = { note: 'x'.repeat(70_000) };
        await registry.push(place('wrong'), 'notes', { layers: [layer({ 'a.yaml': 'a: 1\n' })], annotations });
        const layerFailed = 'OCIArtifactLayerOperationFailed';
        const rows: Readonly<Record<string, readonly [spec: JsonObject, reason: string, message: string]>> = {
          absent: [
            { ref: { tag: 'absent' } },
            'OCIArtifactPullFailed',
            'failed to determine artifact digest: GET https',
          ],
          range: [{ ref: { semver: '>=9' } }, 'ReadOperationFailed', 'no match found for semver: >=9'],
          regexp: [{ ref: { semver: '>=9', semverFilter: '(' } }, 'ReadOperationFailed', 'missing closing )'],
          url: [
            { url: `oci://${registry.host}/${place('wrong')}:v1` },
            'URLInvalid',
            "URL must not contain a tag; remove ':v1'",
          ],
          digest: [{ ref: { digest: 'sha256:abc' } }, 'URLInvalid', "'sha256:abc' is no digest"],
          password: [{ secretRef: { name: 'ca' } }, 'OCIArtifactPullFailed', 'UNAUTHORIZED: authentication required'],
          authority: [{ certSecretRef: { name: 'other-ca' } }, 'AuthenticationFailed', 'has no TLS data'],
          secret: [{ secretRef: { name: 'absent' } }, 'AuthenticationFailed', 'secrets "absent" not found'],
          account: [{ serviceAccountName: 'absent' }, 'AuthenticationFailed', 'serviceaccounts "absent" not found'],
          provider: [{ provider: 'aws' }, 'FieldNotSupported', 'spec.provider aws is not supported yet'],
          media: [
            { ref: { tag: 'text' }, layerSelector: { mediaType: 'a/b' } },
            layerFailed,
            "failed to find layer with media type 'a/b' in artifact",
          ],
          none: [{ ref: { tag: 'none' } }, layerFailed, 'no layers found in artifact'],
          text: [{ ref: { tag: 'text' } }, layerFailed, 'requires gzip-compressed body: gzip: invalid header'],
          bomb: [{ ref: { tag: 'bomb' } }, layerFailed, 'layer unpacks to more than'],
          notes: [{ ref: { tag: 'notes' } }, layerFailed, 'annotations of 70011 bytes exceed the limit of 65536 bytes'],
          escape: [{ ref: { tag: 'escape' } }, layerFailed, 'does not stay below the root'],
        };
        await suite.apply(secret('other-ca', { nothing: 'here' }));

        for (const [name, [spec]] of Object.entries(rows)) await repository(place('wrong'), spec, name);

        for (const [name, [, reason, message]] of Object.entries(rows)) {
          const object = await suite.waitFor(path(name), hasFailed(reason), `${name}: ${reason}`);
          expect(condition(object, 'Ready').message, name).toContain(message);
          const stalls = reason === 'URLInvalid' || reason === 'FieldNotSupported';
          expect(condition(object, 'Stalled')?.status, name).toBe(stalls ? 'True' : undefined);
        }
      });

      it('names the Secret that is missing where the registry wants a login', async () => {
        await registry.push(place('anonymous'), 'latest', { layers: [layer({ 'a.yaml': 'a: 1\n' })] });
        await suite.apply(secret('ca', { 'ca.crt': registry.ca }));

        await suite.apply(
          sourceObject('OCIRepository', 'app', {
            url: `oci://${registry.host}/${place('anonymous')}`,
            certSecretRef: { name: 'ca' },
          }),
        );

        const object = await suite.waitFor(path(), hasFailed('OCIArtifactPullFailed'), 'OCIArtifactPullFailed');
        expect(condition(object, 'Ready').message).toMatch(/authentication required.*spec\.secretRef/);
      });

      it('pulls charts by version, range and signature', async () => {
        const digests = new Map<string, string>();
        for (const version of ['1.0.0', '1.1.0', '2.0.0-rc.1']) {
          const config = { mediaType: CHART_CONFIG, data: Buffer.from(JSON.stringify({ name: 'app', version })) };
          const layers = [{ mediaType: CHART, data: chartArchive('app', version) }];
          digests.set(version, await registry.push(place('charts/app'), version, { layers, config }));
        }
        await registry.push(place('charts/other'), '1.0.0', { layers: [layer({ 'a.yaml': 'a: 1\n' })] });
        await suite.apply(secret('login', { username: 'ada', password: 'open-sesame' }));
        await suite.apply(secret('ca', { 'ca.crt': registry.ca }));
        await suite.apply(secret('signers', { 'cosign.pub': pem }));
        await suite.apply(
          sourceObject('HelmRepository', 'charts', {
            type: 'oci',
            url: `oci://${registry.host}/${place('charts')}`,
            ...trusted,
          }),
        );
        const chart = (name: string, spec: JsonObject) =>
          suite.apply(
            sourceObject('HelmChart', name, {
              chart: 'app',
              sourceRef: { kind: 'HelmRepository', name: 'charts' },
              ...spec,
            }),
          );
        const chartPath = (name: string) => paths.source(cluster.namespace, 'helmcharts', name);

        await chart('newest', {});
        await chart('exact', { version: '1.0.0' });
        await chart('valued', { version: '^1.0.0', valuesFiles: ['templates/../values.yaml', 'values.yaml'] });
        await chart('absent', { version: '3.0.0' });
        await chart('unknown', { chart: 'nothing' });
        await chart('no-chart', { chart: 'other', version: '1.0.0' });
        await signArtifact(place('charts/app'), digests.get('1.0.0')!);
        await chart('signed', { verify: { provider: 'cosign', secretRef: { name: 'signers' } }, version: '1.0.0' });
        await chart('other', { verify: { provider: 'cosign', secretRef: { name: 'signers' } }, version: '1.1.0' });
        await chart('unsigned', { verify: { provider: 'cosign', secretRef: { name: 'keys' } }, version: '1.0.0' });

        for (const [name, version] of [
          ['newest', '1.1.0'],
          ['exact', '1.0.0'],
          ['valued', '1.1.0+1'],
        ] as const) {
          const object = await suite.waitFor(chartPath(name), isReady, 'Ready');
          expect(object.status.artifact.revision).toBe(version);
          expect(loadChartArchive(archiveOf(object)).metadata.version).toBe(version);
        }
        for (const [name, reason, message] of [
          ['absent', 'ChartPullError', 'MANIFEST_UNKNOWN'],
          ['unknown', 'ChartPullError', 'could not get tags for "nothing"'],
          ['no-chart', 'ChartPullError', 'the artifact is no Helm chart'],
          ['unsigned', 'VerificationError', 'secrets "keys" not found'],
          ['other', 'VerificationError', 'no matching signatures were found for'],
        ] as const) {
          const object = await suite.waitFor(chartPath(name), hasFailed(reason), reason);
          expect(condition(object, 'Ready').message).toContain(message);
        }
      });
    },
  );
}

/** The key that signs, and who checks it. */
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();

/** The tag that cosign keeps the signatures of an artifact under. */
function signatureTag(digest: string): string {
  return `${digest.replace(':', '-')}.sig`;
}

/** Signs an artifact as cosign does it; answers the layer that holds the signature. */
async function signArtifact(repository: string, digest: string): Promise<Blob> {
  const image = { 'docker-manifest-digest': digest };
  const critical = { type: 'cosign container image signature', image, identity: {} };
  const data = Buffer.from(JSON.stringify({ critical, optional: null }));
  const annotations = { 'dev.cosignproject.cosign/signature': sign('sha256', data, privateKey).toString('base64') };
  const signature = { mediaType: SIMPLE_SIGNING, data, annotations };
  await registry.push(repository, signatureTag(digest), { layers: [signature] });
  return signature;
}

/** A layer in Flux's own form. */
function layer(files: Readonly<Record<string, string>>) {
  const entries = Object.entries(files).map(
    ([name, text]) => ({ name, kind: 'file', mode: 0o644, data: Buffer.from(text) }) as const,
  );
  return { mediaType: CONTENT, data: gzipSync(writeTar(entries)) };
}

/** Paths of the files in an archive. */
function filesOf(archive: Uint8Array): string[] {
  return readTar(gunzipSync(archive))
    .filter(({ kind }) => kind === 'file')
    .map(({ path }) => path)
    .toSorted();
}
