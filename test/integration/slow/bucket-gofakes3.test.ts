// Bucket on an object storage that others wrote (flux.md §3.2): pages of a thousand keys, keys that need escapes, changes.
// Signatures, faults and what is wrong with a bucket are bucket.test.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTar } from '../../../src/lib/tar.ts';
import { secret, sourceObject } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { findGoFakeS3, type GoFakeS3, startGoFakeS3 } from '../../support/gofakes3.ts';
import { isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const binary = await findGoFakeS3();
if (binary === undefined && process.env['CI'] === 'true')
  throw new Error('gofakes3 is missing: build it with test/cluster');

for (const choice of clusters) {
  const title = `${choice.name}${binary === undefined ? ' (skipped: no gofakes3)' : ''}`;
  describe.skipIf(binary === undefined)(title, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);
    let storage: GoFakeS3;
    beforeAll(async () => {
      storage = await startGoFakeS3(binary!);
    });
    afterAll(() => storage.stop());

    const filesOf = (object: Live): Readonly<Record<string, string>> => {
      const archive = readFileSync(join(suite.stateDir, 'artifacts', object.status.artifact.path));
      const entries = readTar(gunzipSync(archive)).filter(({ kind }) => kind === 'file');
      return Object.fromEntries(entries.map((entry) => [entry.path, Buffer.from(entry.data).toString()]));
    };

    it('is read whole, and followed', async () => {
      const files: Record<string, string> = { 'b/c d+e.yaml': 'c: 1\n', 'b/é&ü.yaml': 'e: 1\n', 'z.yaml': 'z: 1\n' };
      for (let index = 0; index < 1_010; index += 1) files[`many/${index}.yaml`] = `n: ${index}\n`;
      for (const [key, text] of Object.entries(files)) await storage.put(key, text);
      const path = paths.source(cluster.namespace, 'buckets', 'app');

      await suite.apply(secret('key', { accesskey: 'any', secretkey: 'any' }));
      await suite.apply(
        sourceObject('Bucket', 'app', {
          endpoint: storage.endpoint,
          bucketName: 'manifests',
          insecure: true,
          secretRef: { name: 'key' },
          interval: '1s',
        }),
      );
      const first = await suite.waitFor(path, isReady, 'Ready');
      expect(filesOf(first)).toEqual(files);

      await storage.put('z.yaml', 'z: 2\n');
      await storage.remove('many/7.yaml');
      const { 'many/7.yaml': _gone, ...rest } = files;
      const wanted = { ...rest, 'z.yaml': 'z: 2\n' };
      const isMoved = (object: Live) =>
        object.status.artifact.revision !== first.status.artifact.revision &&
        filesOf(object)['many/7.yaml'] === undefined;
      expect(filesOf(await suite.waitFor(path, isMoved, 'the changes'))).toEqual(wanted);
    });
  });
}
