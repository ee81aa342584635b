// Owns reading one index of a chart repository in a process of its own, as the controllers do it, and measuring the
// memory that it takes. Prints the figures as JSON.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openArtifactStore } from '../../src/artifact/store.ts';
import { ChartIndexes } from '../../src/controllers/shared/chart-indexes.ts';
import { createWorkerPool } from '../../src/offload/pool.ts';
import { fetchIndex } from '../../src/remote/charts/repository.ts';
import { createHttpDoor } from '../../src/remote/http.ts';

const [url = '', name = ''] = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), 'lockstep-index-'));
const [workers, http] = [createWorkerPool(), createHttpDoor()];
const artifacts = await openArtifactStore(join(dir, 'artifacts'));
const idle = process.memoryUsage.rss();
let peak = idle;
const timer = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 10);

const path = join(dir, 'index.yaml');
const limits = { path, maxBytes: 50 * 1024 * 1024, signal: new AbortController().signal };
await fetchIndex({ http, url, login: {}, timeoutMs: 60_000 }, limits);
const stored = await artifacts.put('index.yaml', (output) => workers.run('writeIndexFile', { path, output }));
const indexes = new ChartIndexes({ locate: async ({ path }) => artifacts.localPath(path), workers });
const found = await indexes.findIn(artifacts.localPath(stored.path), stored.digest, { name, wanted: '^1.0.0' });

clearInterval(timer);
const overMiB = Math.ceil((peak - idle) / 1024 / 1024);
process.stdout.write(JSON.stringify({ overMiB, bytes: stored.size, version: found.version }));
await Promise.all([workers.close(), http.close()]);
rmSync(dir, { recursive: true });
