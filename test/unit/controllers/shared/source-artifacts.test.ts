// Archives of sources that another replica has: fetched by digest, kept, and waited for while nobody has them.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Artifact } from '../../../../src/api/meta/artifact.ts';
import { type ArtifactStore, openArtifactStore } from '../../../../src/artifact/store.ts';
import { createSourceArtifacts, type SourceArtifacts } from '../../../../src/controllers/shared/source-artifacts.ts';
import { createHttpDoor, type HttpDoor } from '../../../../src/remote/http.ts';
import { type FileServer, startFileServer } from '../../../support/chart-files.ts';
import { FakeClock } from '../../../support/clock.ts';

const never = new AbortController().signal;
const bytes = Buffer.from('an index');
const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const path = 'helmrepository/default/charts/index.yaml';

let folder: string;
let server: FileServer;
let http: HttpDoor;
let own: ArtifactStore;
let artifacts: SourceArtifacts;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-places-'));
  server = await startFileServer();
  http = createHttpDoor({ userAgent: 'lockstep/test', environmentProxy: {} });
  own = await openArtifactStore(join(folder, 'own'));
  artifacts = createSourceArtifacts({
    http,
    clock: new FakeClock(),
    own,
    fetched: await openArtifactStore(join(folder, 'fetched')),
    openOwn: ({ path: at, digest: of = '' }) => own.open(at, of),
    holdOwn: () => undefined,
    isServedElsewhere: ({ url }) => url.startsWith(server.url),
  });
});
afterEach(async () => {
  await http.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const artifact = (url = `${server.url}/${path}`): Artifact => ({
  path,
  url,
  digest,
  revision: digest,
  lastUpdateTime: '2026-01-01T00:00:00Z',
  size: bytes.length,
});
const read = async (wanted = artifact()): Promise<string> => {
  const { store, path: at } = await artifacts.place(wanted, never);
  return (await store.read(at, digest)).toString('utf8');
};

describe('the place of an archive', () => {
  it('is this storage where it was made here, whatever the address says', async () => {
    await own.put(path, async (temporary) => {
      await writeFile(temporary, bytes);
      return { digest, size: bytes.length };
    });

    expect(await read()).toBe('an index');
    expect(await read(artifact('http://here/x'))).toBe('an index');
    expect(server.requests).toEqual([]);
  });

  it('is what was fetched, once, from the replica that has it', async () => {
    server.files.set(`/${path}`, bytes);

    expect(await Promise.all([read(), read()])).toEqual(['an index', 'an index']);
    expect(await read()).toBe('an index');
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ['is not there', () => {}],
    ['has another archive', () => void server.files.set(`/${path}`, 'an other')],
    ['is gone', () => server.stop().then(() => server.files.clear())],
  ])('is nowhere while the replica %s: whoever needs it waits', async (_name, arrange) => {
    const wanted = artifact();
    await arrange();

    await expect(artifacts.place(wanted, never)).rejects.toMatchObject({ code: 'ArtifactNotFound' });
    await expect(artifacts.open('GitRepository', wanted, never)).rejects.toMatchObject({ code: 'ArtifactNotFound' });
  });

  it('is this storage for an archive of no replica, so that its loss is found when it is read', async () => {
    const { store, path: at } = await artifacts.place(artifact('http://here/x'), never);

    await expect(store.read(at, digest)).rejects.toMatchObject({ code: 'ArtifactNotFound' });
  });
});
