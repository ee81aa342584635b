// Fetching archives from strangers: only what has the digest that was promised is taken (threats.md §4 rows 3, 6, 16).
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchArtifact } from '../../../src/remote/artifact.ts';
import { createHttpDoor, type HttpDoor } from '../../../src/remote/http.ts';
import { temporaryFolder } from '../../support/git.ts';

const ARCHIVE = Buffer.from('an archive');

function digestOf(bytes: Buffer, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

describe('fetchArtifact', () => {
  let door: HttpDoor;
  let server: Server | undefined;
  let folder: ReturnType<typeof temporaryFolder>;

  beforeEach(() => {
    door = createHttpDoor();
    folder = temporaryFolder('artifact');
  });
  afterEach(async () => {
    await door.close();
    server?.closeAllConnections();
    server?.close();
    folder.remove();
  });

  async function serve(listener: RequestListener): Promise<string> {
    server = createServer(listener);
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.tar.gz`;
  }

  function fetched(artifact: { url: string; digest: string; size?: number }) {
    return fetchArtifact(door, artifact, join(folder.dir, 'archive'));
  }

  it.each(['sha256', 'sha384', 'sha512'])('takes what has its %s', async (algorithm) => {
    const url = await serve((_request, response) => response.end(ARCHIVE));

    const digest = digestOf(ARCHIVE, algorithm);

    expect(await fetched({ url, digest, size: ARCHIVE.length })).toEqual({ digest, size: ARCHIVE.length });
    expect(readFileSync(join(folder.dir, 'archive'))).toEqual(ARCHIVE);
  });

  it('refuses other bytes than those of the digest', async () => {
    const url = await serve((_request, response) => response.end('something else'));

    await expect(fetched({ url, digest: digestOf(ARCHIVE) })).rejects.toMatchObject({
      code: 'ArtifactCorrupt',
      message: `failed to verify archive: computed digest doesn't match '${digestOf(ARCHIVE)}' (file size 14 bytes)`,
    });
  });

  it('refuses a digest that it cannot compute, before it asks anybody', async () => {
    const url = await serve(() => expect.unreachable());

    await expect(fetched({ url, digest: 'blake3:00' })).rejects.toMatchObject({ code: 'ArtifactDigestUnsupported' });
  });

  it('reads no further than the size that was promised', async () => {
    const url = await serve((_request, response) => response.end(Buffer.alloc(1 << 20)));

    await expect(fetched({ url, digest: digestOf(ARCHIVE), size: 10 })).rejects.toMatchObject({
      code: 'RemoteTooLarge',
      data: { limit: 10 },
    });
  });

  it('does not follow a redirect to another host', async () => {
    const asked: string[] = [];
    const url = await serve((request, response) => {
      asked.push(String(request.headers.host));
      response.writeHead(302, { location: String(url).replace('127.0.0.1', 'localhost') }).end();
    });

    await expect(fetched({ url, digest: digestOf(ARCHIVE) })).rejects.toMatchObject({
      code: 'RemoteRedirect',
      message: expect.stringContaining('redirect to another host, localhost'),
    });
    expect(asked).toEqual([new URL(url).host]);
  });

  it('follows a redirect on the same host', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/b') response.end(ARCHIVE);
      else response.writeHead(302, { location: '/b' }).end();
    });

    expect(await fetched({ url, digest: digestOf(ARCHIVE) })).toMatchObject({ size: ARCHIVE.length });
  });

  it.each([
    [404, 'ArtifactFileNotFound', 'file not found'],
    [500, 'ArtifactDownloadFailed', 'status: 500'],
  ])('says what a status of %d means, without the query of the address', async (status, code, why) => {
    const url = await serve((_request, response) => response.writeHead(status).end('no'));

    const failing = fetched({ url: `${url}?sig=canary`, digest: digestOf(ARCHIVE) });

    await expect(failing).rejects.toMatchObject({
      code,
      message: `failed to download archive from ${url}, ${why}`,
      data: { url, status },
    });
    await expect(failing).rejects.not.toThrow('canary');
    expect(existsSync(join(folder.dir, 'archive'))).toBe(false);
  });
});
