// An index of 20 MB, in the form that helm writes: what reading it takes over an idle process.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toYaml } from '../../../src/lib/goyaml/sigs.ts';
import { type FileServer, startFileServer } from '../../support/chart-files.ts';

const CHILD = fileURLToPath(new URL('../../support/index-memory-child.ts', import.meta.url));
const MAX_OVER_IDLE_MIB = 150;

let server: FileServer;
beforeAll(async () => {
  server = await startFileServer();
});
afterAll(() => server.stop());

it('takes at most 150 MiB over an idle process', async () => {
  server.files.set('/index.yaml', largeIndex(20 * 1024 * 1024));

  const args = ['--max-semi-space-size=4', CHILD, server.url, 'chart-7'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { encoding: 'utf8' });
  const { overMiB, ...read } = JSON.parse(stdout) as { overMiB: number; bytes: number; version: string };

  expect(read).toEqual({ bytes: expect.any(Number), version: '1.59.0' });
  expect(read.bytes).toBeGreaterThan(15 * 1024 * 1024);
  expect(overMiB).toBeLessThanOrEqual(MAX_OVER_IDLE_MIB);
});

/** Charts of 60 versions each, until the text has that many bytes. */
function largeIndex(bytes: number): string {
  const parts = ['apiVersion: v1\nentries:\n'];
  for (let size = 0, chart = 0; size < bytes; chart++) {
    const text = chartEntries(`chart-${chart}`);
    parts.push(text);
    size += text.length;
  }
  return parts.join('');
}

function chartEntries(name: string): string {
  const versions = Array.from({ length: 60 }, (_, index) => ({
    annotations: { category: 'Infrastructure', images: `- image: docker.io/${name}:1.${index}.0\n  name: ${name}\n` },
    apiVersion: 'v2',
    appVersion: `1.${index}.0`,
    created: '2024-01-01T10:00:00.123456789Z',
    dependencies: [{ name: 'common', repository: 'https://charts.example.com', tags: ['common'], version: '2.x.x' }],
    description: 'A chart that is described at some length, so that its text is folded as in indexes of the world.',
    digest: 'ab'.repeat(32),
    home: 'https://example.com',
    icon: `https://example.com/assets/stacks/${name}/img/${name}-stack-220x234.png`,
    keywords: ['analytics', 'database'],
    maintainers: [{ name: 'Somebody, Inc.', url: 'https://example.com/charts' }],
    name,
    sources: [`https://example.com/charts/tree/main/${name}`],
    urls: [`https://charts.example.com/${name}-1.${index}.0.tgz`],
    version: `1.${index}.0`,
  }));
  return toYaml({ [name]: versions }).replace(/^(?=.)/gm, '  ');
}
