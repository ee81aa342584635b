// What Git hosts do differently, as exchanges written from their documentation and from reports of their users.
import { describe, expect, it } from 'vitest';
import { hashObject } from '../../../../src/engines/git/oid.ts';
import { formatPack } from '../../../../src/engines/git/pack-write.ts';
import { FLUSH_PKT, formatPkt } from '../../../../src/engines/git/protocol/pktline.ts';
import { createServerMemory } from '../../../../src/remote/git/memory.ts';
import { resolveReference } from '../../../../src/remote/git/resolve.ts';
import { createSmartHttp } from '../../../../src/remote/git/smart-http.ts';
import type { GitAuth, GitTransport } from '../../../../src/remote/git/transport.ts';
import type { HttpDoor, HttpRequest, HttpResponse } from '../../../../src/remote/http.ts';

const commit = 'c'.repeat(40);
const blob = { type: 'blob', data: Buffer.from('x') } as const;
const pack = formatPack([blob], 'sha1');

interface Reply {
  readonly status?: number;
  readonly type?: string;
  readonly body?: Buffer | string;
  /** Where the answer came from, when redirects were followed. */
  readonly url?: string;
}

function host(answer: (request: HttpRequest) => Reply): { door: HttpDoor; asked: HttpRequest[] } {
  const asked: HttpRequest[] = [];
  const door: HttpDoor = {
    close: async () => {},
    async request(request) {
      asked.push(request);
      const { status = 200, type = '', body = '', url = request.url } = answer(request);
      const bytes = Buffer.from(body);
      const response: HttpResponse = {
        status,
        headers: { 'content-type': type },
        url,
        body: (async function* () {
          yield bytes;
        })(),
        bytes: async () => bytes,
        text: async () => bytes.toString(),
        discard: () => {},
      };
      return response;
    },
  };
  return { door, asked };
}

const ADVERTISEMENT = 'application/x-git-upload-pack-advertisement';
const RESULT = 'application/x-git-upload-pack-result';

function advertise(capabilities: string): Reply {
  const lines = [formatPkt('# service=git-upload-pack\n'), FLUSH_PKT, formatPkt(`${commit} HEAD\0${capabilities}\n`)];
  return { type: ADVERTISEMENT, body: Buffer.concat([...lines, formatPkt(`${commit} refs/heads/main\n`), FLUSH_PKT]) };
}

function open(url: string, door: HttpDoor, auth: GitAuth = {}): GitTransport {
  return createSmartHttp(url, auth, { http: door, memory: createServerMemory() });
}

async function packOf(transport: GitTransport): Promise<Buffer> {
  const { pack: stream } = await transport.fetch({ wants: [commit], haves: ['b'.repeat(40)], depth: 1 });
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

const sideBand = (data: Buffer) => formatPkt(Buffer.concat([Buffer.from([1]), data]));

describe('Azure DevOps', () => {
  const capabilities = 'multi_ack thin-pack side-band side-band-64k no-progress ofs-delta shallow agent=azure';

  // go-git/go-git#64, src-d/go-git#335: requests without multi_ack get status 400 and TF401041.
  it('is told that we understand multi_ack', async () => {
    const { door } = host((request) => {
      if (request.method !== 'POST') return advertise(capabilities);
      if (!String(request.body).includes(`want ${commit} multi_ack `)) {
        return { status: 400, type: 'text/plain', body: 'TF401041: The Git protocol sent is not as expected' };
      }
      const acks = [formatPkt(`ACK ${'b'.repeat(40)} continue\n`), formatPkt('NAK\n')];
      const body = Buffer.concat([formatPkt(`shallow ${commit}\n`), FLUSH_PKT, ...acks, sideBand(pack), FLUSH_PKT]);
      return { type: RESULT, body };
    });

    expect(await packOf(open('https://dev.azure.com/org/project/_git/repo', door))).toEqual(pack);
  });

  // Its URLs have spaces, encoded, and no `.git`.
  it('gets its path as it is written', async () => {
    const { door, asked } = host(() => advertise(capabilities));

    await resolveReference(open('https://dev.azure.com/org/my%20project/_git/my%20repo', door), { branch: 'main' });

    expect(asked[0]?.url).toBe(
      'https://dev.azure.com/org/my%20project/_git/my%20repo/info/refs?service=git-upload-pack',
    );
  });

  // A wrong personal access token is answered by a page to log in, with status 203.
  it('explains a page to log in', async () => {
    const { door } = host(() => ({
      status: 203,
      type: 'text/html',
      body: '<html>Azure DevOps Services | Sign In</html>',
    }));

    await expect(
      resolveReference(open('https://dev.azure.com/o/p/_git/r', door), { branch: 'main' }),
    ).rejects.toMatchObject({
      code: 'GitHttpStatus',
      message: expect.stringContaining('status code: 203'),
    });
  });
});

describe('AWS CodeCommit', () => {
  // fluxcd/flux2#3659: credentials that may not read are answered with 403 and no body.
  it('says that access is denied', async () => {
    const { door } = host(() => ({ status: 403 }));
    const auth = { basic: { username: 'app-at-1234', password: 'a/b+c=' } };

    const run = resolveReference(open('https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/r', door, auth), {
      branch: 'main',
    });

    await expect(run).rejects.toMatchObject({
      code: 'GitAuthorizationFailed',
      message: 'authorization failed: Forbidden',
    });
  });

  // Its generated passwords hold `/`, `+` and `=`, percent-encoded in a URL.
  it('gets the password from the URL as it was meant', async () => {
    const { door, asked } = host(() => advertise('side-band-64k'));

    await resolveReference(
      open('https://app-at-1234:a%2Fb%2Bc%3D@git-codecommit.eu-west-1.amazonaws.com/v1/repos/r', door),
      { branch: 'main' },
    );

    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from('app-at-1234:a/b+c=').toString('base64')}`);
    expect(asked[0]?.url).not.toContain('1234');
  });
});

describe('GitLab', () => {
  // fluxcd/source-controller#765, src-d/go-git#751: GET is redirected to the URL with `.git`, POST is not.
  it('is asked at the URL with .git once it has said so', async () => {
    const { door, asked } = host((request) => {
      if (request.method !== 'POST')
        return { ...advertise('side-band-64k'), url: 'https://gitlab.com/g/r.git/info/refs?service=git-upload-pack' };
      if (!request.url.includes('.git/')) return { status: 404 };
      return { type: RESULT, body: Buffer.concat([formatPkt('NAK\n'), sideBand(pack), FLUSH_PKT]) };
    });

    await packOf(open('https://gitlab.com/g/r', door));

    expect(asked.map(({ url }) => url)).toEqual([
      'https://gitlab.com/g/r/info/refs?service=git-upload-pack',
      'https://gitlab.com/g/r.git/git-upload-pack',
    ]);
  });

  // It refuses empty credentials for public projects (a comment in fluxcd/pkg git/gogit/transport.go).
  it('is sent no empty credentials', async () => {
    const { door, asked } = host(() => advertise('side-band-64k'));

    await resolveReference(open('https://gitlab.com/g/r.git', door, {}), { branch: 'main' });

    expect(asked[0]?.authorization).toBeUndefined();
  });
});

describe('GitHub, Gitea and Bitbucket', () => {
  // Private and absent repositories are not told apart: 401 with a line of text.
  it('name the missing secret when they hide a repository', async () => {
    const { door } = host(() => ({ status: 401, type: 'text/plain; charset=utf-8', body: 'Repository not found.\n' }));

    await expect(resolveReference(open('https://github.com/o/r', door), { branch: 'main' })).rejects.toMatchObject({
      code: 'GitAuthenticationRequired',
      message: 'authentication required: Repository not found. (no credentials were given: set spec.secretRef)',
    });
  });
});

describe('servers of long ago', () => {
  it('that know no shallow clones are asked for everything', async () => {
    const { door, asked } = host((request) => {
      if (request.method !== 'POST') return advertise('side-band-64k ofs-delta');
      return { type: RESULT, body: Buffer.concat([formatPkt('NAK\n'), sideBand(pack), FLUSH_PKT]) };
    });

    expect(await packOf(open('https://old/r', door))).toEqual(pack);
    expect(String(asked[1]?.body)).not.toMatch(/deepen|shallow/);
  });

  it('that know no side band are refused by name', async () => {
    const { door } = host(() => advertise('ofs-delta'));

    await expect(packOf(open('https://ancient/r', door))).rejects.toMatchObject({ code: 'GitUnsupported' });
  });

  it('that speak the dumb protocol are refused by name', async () => {
    const { door } = host(() => ({
      type: 'text/plain',
      body: `${hashObject('blob', blob.data, 'sha1')}\trefs/heads/main\n`,
    }));

    await expect(packOf(open('https://dumb/r', door))).rejects.toMatchObject({
      code: 'GitProtocol',
      message: expect.stringContaining("content type is 'text/plain'"),
    });
  });
});
