// Owns the places that examples/sources takes its chart from: a chart repository, a registry, an object storage.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeTar } from '../../src/lib/tar.ts';
import { indexEntry, indexYaml, startFileServer } from '../support/chart-files.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { startS3Server } from '../support/s3-server.ts';
import { projectRoot } from '../support/source-files.ts';

const CHART = join(projectRoot, 'examples/helm-rollback/chart');
const NAME = 'hello-world-flask';
const VERSIONS = ['0.1.0', '0.2.0'];

export interface SourceServers {
  /** Variables that the README names. */
  readonly env: Record<string, string>;
  stop(): Promise<void>;
}

/** Starts them with the chart in both versions; what they write lies in `folder`. */
export async function startSourceServers(folder: string): Promise<SourceServers> {
  const repository = await startFileServer();
  const registry = await startDockerRegistry(join(folder, 'registry'));
  const storage = await startS3Server({ key: { accessKey: 'ada', secretKey: 'lovelace' } });
  const archives = VERSIONS.map((version) => ({ version, archive: archiveOf(chartFiles(version)) }));
  const entries = archives.map(({ version, archive }) => indexEntry(NAME, version, archive));
  repository.files.set('/index.yaml', indexYaml({ [NAME]: entries }));
  for (const { version, archive } of archives) {
    repository.files.set(`/${NAME}-${version}.tgz`, archive);
    const media = 'application/vnd.cncf.helm';
    await registry.push(`charts/${NAME}`, version, {
      config: { mediaType: `${media}.config.v1+json`, data: Buffer.from(JSON.stringify({ name: NAME, version })) },
      layers: [{ mediaType: `${media}.chart.content.v1.tar+gzip`, data: archive }],
    });
  }
  for (const [path, text] of chartFiles(VERSIONS[0]!)) storage.objects.set(`charts/${NAME}/${path}`, text);
  writeFileSync(join(folder, 'ca.pem'), registry.ca);
  return {
    env: {
      CHARTS: repository.url,
      REGISTRY: registry.host,
      REGISTRY_CA: join(folder, 'ca.pem'),
      STORAGE: storage.endpoint,
    },
    stop: async () => {
      await repository.stop();
      await registry.stop();
      await storage.stop();
    },
  };
}

/** The chart of another example, in a version. */
function chartFiles(version: string): Map<string, string> {
  const paths = readdirSync(CHART, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(CHART.length + 1));
  const read = (path: string) => readFileSync(join(CHART, path), 'utf8');
  return new Map(paths.map((path) => [path, read(path).replace(/^version: .*$/m, `version: ${version}`)]));
}

function archiveOf(files: ReadonlyMap<string, string>): Buffer {
  const entries = [...files].map(
    ([path, text]) => ({ name: `${NAME}/${path}`, kind: 'file', mode: 0o644, data: Buffer.from(text) }) as const,
  );
  return gzipSync(writeTar(entries));
}
