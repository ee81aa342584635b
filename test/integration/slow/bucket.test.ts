// Bucket: an object storage that speaks the API of S3, keys, pages, ignore rules, what is wrong with one (flux.md §3.2).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { readTar } from '../../../src/lib/tar.ts';
import { configMapYaml, kustomization, secret, sourceObject } from '../../support/build.ts';
import { chartFiles } from '../../support/chart-files.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';
import { type S3Server, startS3Server } from '../../support/s3-server.ts';

const key = { accessKey: 'lockstep', secretKey: 'secret/with+signs=' };
// One for each test: on a real cluster objects of earlier tests live on for a while, and ask.
let server: S3Server;
beforeEach(async () => {
  server = await startS3Server({ key, region: 'eu-north-7', pageSize: 3 });
});
afterEach(() => server.stop());

for (const choice of clusters) {
  describe(`buckets on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);

    const path = (name = 'app') => paths.source(cluster.namespace, 'buckets', name);
    async function bucket(spec: JsonObject = {}, name = 'app'): Promise<void> {
      await suite.apply(secret('key', { accesskey: key.accessKey, secretkey: key.secretKey }));
      const place = { endpoint: server.endpoint, bucketName: 'manifests', insecure: true, secretRef: { name: 'key' } };
      await suite.apply(sourceObject('Bucket', name, { ...place, ...spec }));
    }
    const filesOf = (object: Live) => {
      const archive = readFileSync(join(suite.stateDir, 'artifacts', object.status.artifact.path));
      const entries = readTar(gunzipSync(archive)).filter(({ kind }) => kind === 'file');
      return Object.fromEntries(entries.map((entry) => [entry.path, Buffer.from(entry.data).toString()]));
    };

    it('stores what is in the bucket, page by page, and follows it', async () => {
      const files = {
        'a.yaml': 'a: 1\n',
        'b/c d.yaml': 'c: 1\n',
        'b/é+ü.yaml': 'e: 1\n',
        'd.yaml': 'd: 1\n',
        'e.yaml': 'e: 1\n',
      };
      for (const [name, text] of Object.entries(files)) server.objects.set(name, text);
      server.objects.set('b/', '');
      server.objects.set('logo.png', 'x');

      await bucket({ interval: '300ms' });
      const object = await suite.waitFor(path(), isReady, 'Ready');

      expect(filesOf(object)).toEqual(files);
      const { artifact } = object.status;
      expect(artifact.path).toBe(`bucket/${cluster.namespace}/app/${artifact.revision.slice(7)}.tar.gz`);
      expect(condition(object, 'Ready').message).toBe(`stored artifact: revision '${artifact.revision}'`);
      server.objects.set('a.yaml', 'a: 2\n');
      server.objects.delete('d.yaml');
      const wanted = {
        'a.yaml': 'a: 2\n',
        'b/c d.yaml': 'c: 1\n',
        'b/é+ü.yaml': 'e: 1\n',
        'e.yaml': 'e: 1\n',
      };
      // A pass that was between two pages meanwhile stores a revision in between.
      await suite.waitFor(path(), (live) => isDeepStrictEqual(filesOf(live), wanted), 'the changes');
    });

    it('is applied by a Kustomization, again when it changes', async () => {
      server.objects.set('app/cm.yaml', configMapYaml('from-bucket', { a: '1' }));
      await bucket({ interval: '300ms' });
      const sourceRef = { kind: 'Bucket', name: 'app' };
      await suite.apply(kustomization('app', 'app', { sourceRef, path: './app', targetNamespace: cluster.namespace }));
      const applied = await suite.waitFor(paths.kustomization(cluster.namespace, 'app'), isReady, 'Ready');
      const source = await suite.waitFor(path(), isReady, 'Ready');

      server.objects.set('app/cm.yaml', configMapYaml('from-bucket', { a: '2' }));

      expect(applied.status.lastAppliedRevision).toBe(source.status.artifact.revision);
      await suite.waitFor(
        paths.configMap(cluster.namespace, 'from-bucket'),
        (live) => live?.data.a === '2',
        'the new revision',
      );
    });

    it('lists an unchanged bucket and fetches nothing of it', async () => {
      server.objects.set('a.yaml', 'a: 1\n');
      await bucket({ region: 'eu-north-7' });
      await suite.waitFor(path(), isReady, 'Ready');
      await suite.quiet();
      server.requests.length = 0;

      const annotations = { 'reconcile.fluxcd.io/requestedAt': 'now' };
      await cluster.admin.call('PATCH', path(), {
        body: { metadata: { annotations } },
        contentType: 'application/merge-patch+json',
      });
      await suite.waitFor(path(), (object) => object.status.lastHandledReconcileAt === 'now', 'the request handled');

      expect(server.requests).toEqual(['GET /manifests/.sourceignore', 'GET /manifests']);
    });

    it('heeds the prefix and both places of ignore rules', async () => {
      for (const name of ['apps/a.yaml', 'apps/b.yaml', 'infra/c.yaml', 'apps/.sourceignore'])
        server.objects.set(name, name);
      server.objects.set('.sourceignore', '/apps/a.yaml\n');

      await bucket({ prefix: 'apps/' }, 'prefixed');
      await bucket({ ignore: 'b.yaml\n' }, 'ignoring');

      expect(Object.keys(filesOf(await suite.waitFor(path('prefixed'), isReady)))).toEqual([
        'apps/.sourceignore',
        'apps/b.yaml',
      ]);
      expect(Object.keys(filesOf(await suite.waitFor(path('ignoring'), isReady)))).toEqual([
        'apps/.sourceignore',
        'infra/c.yaml',
      ]);
    });

    it('packages the chart of a folder', async () => {
      for (const [name, text] of Object.entries(chartFiles('app', '1.2.3')))
        server.objects.set(`charts/app/${name}`, text);
      await bucket();
      const sourceRef = { kind: 'Bucket', name: 'app' };

      await suite.apply(
        sourceObject('HelmChart', 'app', { chart: './charts/app', sourceRef, reconcileStrategy: 'Revision' }),
      );

      const object = await suite.waitFor(paths.source(cluster.namespace, 'helmcharts', 'app'), isReady, 'Ready');
      const { status } = await suite.get(path());
      const version = `1.2.3+${status.artifact.revision.slice(7, 19)}`;
      expect(condition(object, 'Ready').message).toBe(`packaged 'app' chart with version '${version}'`);
    });

    it('goes on when the storage is busy', async () => {
      server.objects.set('a.yaml', 'a: 1\n');
      const busy = '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';
      server.faults.push((response) => response.writeHead(503).end(busy));

      await bucket();

      await suite.waitFor(path(), isReady, 'Ready');
    });

    it('says what is wrong', async () => {
      server.objects.set('a.yaml', 'a: 1\n');
      await suite.apply(secret('wrong', { accesskey: key.accessKey, secretkey: 'wrong' }));
      await suite.apply(secret('half', { accesskey: key.accessKey }));
      const rows: Readonly<Record<string, readonly [spec: JsonObject, reason: string, message: string]>> = {
        bucket: [{ bucketName: 'absent' }, 'BucketOperationFailed', "bucket 'absent' not found"],
        down: [{ endpoint: '127.0.0.1:1' }, 'BucketOperationFailed', 'connect: connection refused'],
        key: [
          { secretRef: { name: 'wrong' } },
          'BucketOperationFailed',
          "failed to get Etag for '.sourceignore' object: The request signature we calculated does not match",
        ],
        half: [
          { secretRef: { name: 'half' } },
          'AuthenticationFailed',
          "invalid 'half' secret data: required fields 'accesskey' and 'secretkey'",
        ],
        absent: [{ secretRef: { name: 'absent' } }, 'AuthenticationFailed', 'secrets "absent" not found'],
        endpoint: [{ endpoint: 'https://127.0.0.1/x' }, 'URLInvalid', "invalid endpoint 'https://127.0.0.1/x'"],
        tls: [{ insecure: false }, 'BucketOperationFailed', 'tls: '],
        metadata: [{ endpoint: '169.254.169.254' }, 'BucketOperationFailed', '169.254.169.254 is a link-local address'],
        provider: [{ provider: 'gcp' }, 'FieldNotSupported', 'spec.provider gcp is not supported yet'],
        sts: [
          { sts: { provider: 'ldap', endpoint: 'https://127.0.0.1' } },
          'FieldNotSupported',
          'spec.sts is not supported yet',
        ],
      };

      for (const [name, [spec]] of Object.entries(rows)) await bucket(spec, name);

      for (const [name, [, reason, message]] of Object.entries(rows)) {
        const object = await suite.waitFor(path(name), hasFailed(reason), `${name}: ${reason}`);
        expect(condition(object, 'Ready').message, name).toContain(message);
        const stalls = reason === 'URLInvalid' || reason === 'FieldNotSupported';
        expect(condition(object, 'Stalled')?.status, name).toBe(stalls ? 'True' : undefined);
      }
    });

    it('refuses keys that are no paths, unless they are ignored', async () => {
      server.objects.set('a.yaml', 'a: 1\n');
      server.objects.set('../escape.yaml', 'a: 1\n');

      await bucket();
      await bucket({ ignore: 'escape.yaml\n' }, 'ignoring');

      const failed = await suite.waitFor(path(), hasFailed('BucketOperationFailed'), 'BucketOperationFailed');
      expect(condition(failed, 'Ready').message).toBe(
        `indexation of objects from bucket 'manifests' failed: key "../escape.yaml" is no path of a file below the bucket`,
      );
      expect(Object.keys(filesOf(await suite.waitFor(path('ignoring'), isReady)))).toEqual(['a.yaml']);
    });

    it('has the revision that Flux gives the same content', async () => {
      // printf 'a.yaml %s\n' "$(printf 'a: 1\n' | md5sum | cut -d' ' -f1)" | sha256sum
      server.objects.set('a.yaml', 'a: 1\n');

      await bucket();

      const object = await suite.waitFor(path(), isReady, 'Ready');
      expect(object.status.artifact.revision).toBe(
        'sha256:921388a224e773dd3f9663f75dd88c9c5022041345be2f5d57371df1f5e48c4b',
      );
    });
  });
}
