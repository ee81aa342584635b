// What Git hosts do differently, as exchanges written from their documentation and from reports of their users.
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { indexPack } from '../../../../src/engines/git/index-pack.ts';
import { memorySource } from '../../../../src/engines/git/inflate.ts';
import { hashObject } from '../../../../src/engines/git/oid.ts';
import { formatEntryHeader, formatPackHeader } from '../../../../src/engines/git/pack-entry.ts';
import { formatPack, formatWholeEntry } from '../../../../src/engines/git/pack-write.ts';
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
  readonly headers?: Readonly<Record<string, string>>;
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
      const { status = 200, type = '', headers = {}, body = '', url = request.url } = answer(request);
      const bytes = Buffer.from(body);
      const response: HttpResponse = {
        status,
        headers: { 'content-type': type, ...headers },
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

function poll(url: string, door: HttpDoor, auth: GitAuth = {}) {
  return resolveReference(open(url, door, auth), { branch: 'main' });
}

async function packOf(transport: GitTransport): Promise<Buffer> {
  const { pack: stream } = await transport.fetch({ wants: [commit], haves: ['b'.repeat(40)], depth: 1 });
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

const TOKEN: GitAuth = { basic: { username: 'git', password: 'token' } };
const VERSION_2 = Buffer.concat([
  formatPkt('# service=git-upload-pack\n'),
  FLUSH_PKT,
  formatPkt('version 2\n'),
  formatPkt('ls-refs\n'),
  formatPkt('fetch=shallow\n'),
  FLUSH_PKT,
]);
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

  // JulianHayward/Azure-MG-Sub-Governance-Reporting#7, Azure/azure-cli#26811: absent repositories and missing rights are
  // not told apart; the code is what people search for.
  it('is quoted when it says TF401019', async () => {
    const text =
      'TF401019: The Git repository with name or identifier repo does not exist or you do not have permissions';
    const { door } = host(() => ({ status: 404, type: 'text/plain; charset=utf-8', body: text }));

    await expect(poll('https://dev.azure.com/o/p/_git/repo', door)).rejects.toMatchObject({
      code: 'GitRepositoryNotFound',
      message: `repository not found: ${text}`,
    });
  });

  // fluxcd/flux2#3936: URLs as its page shows them carry the organisation as a user; the Secret's login is the one.
  it('gets the login of the Secret where the URL names the organisation', async () => {
    const { door, asked } = host(() => advertise(capabilities));
    const auth = { basic: { username: 'git', password: 'pat' } };

    await poll('https://org@dev.azure.com/org/p/_git/r', door, auth);

    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from('git:pat').toString('base64')}`);
    expect(asked[0]?.url).toBe('https://dev.azure.com/org/p/_git/r/info/refs?service=git-upload-pack');
  });

  // learn.microsoft.com, "Use personal access tokens": a wrong one is answered by a page to log in, with status 203.
  it('explains a page to log in', async () => {
    const body = '<html>Azure DevOps Services | Sign In</html>';
    const { door } = host(() => ({ status: 203, type: 'text/html', body }));

    await expect(poll('https://dev.azure.com/o/p/_git/r', door)).rejects.toMatchObject({
      code: 'GitAuthenticationRequired',
      message: 'authentication required: the server answered with a page to log in',
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

  // isomorphic-git/isomorphic-git#199: a repository there has no `.git` at its end, and is not found with one.
  it('is asked for the repository as it is named', async () => {
    const { door, asked } = host(() => advertise('side-band-64k'));

    await poll('https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/r', door);

    expect(new URL(asked[0]?.url ?? '').pathname).toBe('/v1/repos/r/info/refs');
  });

  // fluxcd/flux#3431 (`reference delta not found`): deltas may come before their base, which is only named.
  it('may send a delta before its base', () => {
    const changed = Buffer.from('xy');
    const delta = Buffer.from([1, 2, 0x90, 1, 1, 'y'.charCodeAt(0)]);
    const base = hashObject('blob', blob.data, 'sha1');
    const entries = [
      formatEntryHeader('ref-delta', delta.length, { oid: base }),
      deflateSync(delta),
      formatWholeEntry(blob),
    ];
    const body = Buffer.concat([formatPackHeader(2), ...entries]);
    const bytes = Buffer.concat([body, createHash('sha1').update(body).digest()]);

    const { columns, externalBases } = indexPack(memorySource(bytes), 'sha1');

    expect(columns.oids.toString('hex')).toBe(hashObject('blob', changed, 'sha1') + base);
    expect(externalBases).toEqual([]);
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

  // Its own documentation of protected instances: whoever is not logged in is sent to a page for people, with 200.
  it('explains the page that a redirect to log in ends at', async () => {
    const page = {
      type: 'text/html; charset=utf-8',
      body: '<html>Sign in</html>',
      url: 'https://gitlab.example/users/sign_in',
    };
    const { door } = host(() => page);

    await expect(poll('https://gitlab.example/g/r', door)).rejects.toMatchObject({
      code: 'GitProtocol',
      message: expect.stringContaining("content type is 'text/html' (a login page, or not the URL of a repository)"),
    });
  });

  // dependabot/dependabot-core#6232: a firewall may let only URLs with `.git` through; what was learnt is used again.
  it('is not asked at the old URL again', async () => {
    const { door, asked } = host((request) =>
      request.method === 'POST'
        ? { type: RESULT, body: Buffer.concat([formatPkt(`${commit} refs/heads/main\n`), FLUSH_PKT]) }
        : { type: ADVERTISEMENT, body: VERSION_2, url: request.url.replace('/g/r/', '/g/r.git/') },
    );
    const transport = open('https://gitlab.com/g/r', door);

    await resolveReference(transport, { branch: 'main' });
    await resolveReference(transport, { branch: 'main' });

    expect(asked.map(({ url }) => new URL(url).pathname)).toEqual([
      '/g/r/info/refs',
      '/g/r.git/git-upload-pack',
      '/g/r.git/git-upload-pack',
    ]);
  });

  // It refuses empty credentials for public projects (a comment in fluxcd/pkg git/gogit/transport.go).
  it('is sent no empty credentials', async () => {
    const { door, asked } = host(() => advertise('side-band-64k'));

    await resolveReference(open('https://gitlab.com/g/r.git', door, {}), { branch: 'main' });

    expect(asked[0]?.authorization).toBeUndefined();
  });
});

describe('GitHub', () => {
  // Private and absent repositories are not told apart: 401 with a line of text.
  it('has its secret named when it hides a repository', async () => {
    const { door } = host(() => ({ status: 401, type: 'text/plain; charset=utf-8', body: 'Repository not found.\n' }));

    await expect(poll('https://github.com/o/r', door)).rejects.toMatchObject({
      code: 'GitAuthenticationRequired',
      message: 'authentication required: Repository not found. (no credentials were given: set spec.secretRef)',
    });
  });

  // WeblateOrg/weblate#12011: with a token that may not read it, the answer is 404.
  it('is quoted when a token may not read the repository', async () => {
    const { door } = host(() => ({ status: 404, type: 'text/plain', body: 'Repository not found.\n' }));

    await expect(poll('https://github.com/o/r', door, TOKEN)).rejects.toMatchObject({
      code: 'GitRepositoryNotFound',
      message: 'repository not found: Repository not found.',
    });
  });

  // carvel-dev/kapp-controller#1262
  it('is quoted when a token has too few rights', async () => {
    const { door } = host(() => ({
      status: 403,
      type: 'text/plain',
      body: 'Write access to repository not granted.\n',
    }));

    await expect(poll('https://github.com/o/r', door, TOKEN)).rejects.toMatchObject({
      code: 'GitAuthorizationFailed',
      message: 'authorization failed: Write access to repository not granted.',
    });
  });

  // taskcluster/taskgraph#776: clones without credentials are rationed since 2025.
  it('says when to come back', async () => {
    const { door } = host(() => ({ status: 429, type: 'text/html', headers: { 'retry-after': '60' } }));

    await expect(poll('https://github.com/o/r', door)).rejects.toMatchObject({
      code: 'GitHttpStatus',
      data: { status: 429, retryAfterSeconds: 60 },
      message: expect.stringContaining('status code: 429: Too Many Requests'),
    });
  });
});

describe('Gitea and Forgejo', () => {
  // git-http-backend(1): whoever stands before a server and drops `Git-Protocol` makes it speak version 0.
  it('behind a proxy that drops headers are spoken with in version 0', async () => {
    const { door, asked } = host(() => advertise('side-band-64k ofs-delta shallow'));
    const transport = open('https://gitea.example/o/r.git', door);

    const first = await resolveReference(transport, { branch: 'main' });
    const second = await resolveReference(transport, { branch: 'main' });

    expect([first.commit, second.commit]).toEqual([commit, commit]);
    expect(asked.map(({ headers }) => headers?.['git-protocol'])).toEqual(['version=2', 'version=2']);
  });

  // gogs/gogs#2371: private repositories answer 401, and an empty body.
  it('have the missing secret named', async () => {
    const { door } = host(() => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="."' } }));

    await expect(poll('https://gitea.example/o/r.git', door)).rejects.toMatchObject({
      message: 'authentication required: Unauthorized (no credentials were given: set spec.secretRef)',
    });
  });

  // libgit2/libgit2sharp#1682: a token may stand in the URL as the user, with no password.
  it('get a token that stands in the URL as the user', async () => {
    const { door, asked } = host(() => advertise('side-band-64k'));

    await poll('https://mytoken@gitea.example/o/r.git', door);

    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from('mytoken:').toString('base64')}`);
  });
});

describe('Bitbucket', () => {
  // samkuehn/bitbucket-backup#33, aashari/mcp-server-atlassian-bitbucket#217: tokens come with a fixed user.
  it.each(['x-token-auth', 'x-bitbucket-api-token-auth'])('gets a token with the user %s', async (username) => {
    const { door, asked } = host(() => advertise('side-band-64k'));

    await poll('https://bitbucket.org/w/r.git', door, { basic: { username, password: 'ATCTT3x=1' } });

    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from(`${username}:ATCTT3x=1`).toString('base64')}`);
  });

  // renovatebot/renovate#3024
  it('is quoted when it has had enough of us', async () => {
    const body = 'Rate limit for this resource has been exceeded';
    const { door } = host(() => ({ status: 429, type: 'text/plain', body }));

    await expect(poll('https://bitbucket.org/w/r.git', door)).rejects.toMatchObject({
      code: 'GitHttpStatus',
      message: expect.stringContaining(`status code: 429: ${body}`),
    });
  });

  // fluxcd/flux2#2070: Bitbucket Server has its repositories below /scm, and may itself stand below a path.
  it('is asked below its own path', async () => {
    const { door, asked } = host(() => advertise('side-band-64k'));

    await poll('https://host.example/bitbucket/scm/proj/r.git/', door);

    expect(new URL(asked[0]?.url ?? '').pathname).toBe('/bitbucket/scm/proj/r.git/info/refs');
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
