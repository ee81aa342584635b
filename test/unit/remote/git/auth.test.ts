import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseGitAuth, parseProxySecret } from '../../../../src/remote/git/auth.ts';
import { createGitHubLogin, parseGitHubApp, signStatement } from '../../../../src/remote/git/github-app.ts';
import { hostKeysFor } from '../../../../src/remote/git/known-hosts.ts';
import type { HttpDoor, HttpRequest } from '../../../../src/remote/http.ts';

describe('parseGitAuth', () => {
  it.each([
    ['https://h/x', {}, {}],
    ['https://h/x', { username: 'u', password: 'p' }, { basic: { username: 'u', password: 'p' } }],
    ['https://a:b@h/x', { username: 'u' }, { basic: { username: 'u', password: 'b' } }],
    ['https://a%40c:b@h/x', {}, { basic: { username: 'a@c', password: 'b' } }],
    ['https://h/x', { bearerToken: 't', username: 'u', password: 'p' }, { bearerToken: 't' }],
    ['http://a@h/x', { bearerToken: 't' }, { basic: { username: 'a', password: '' } }],
    ['https://h/x', { caFile: 'old', 'ca.crt': 'new' }, { tls: { ca: 'new' } }],
    ['https://h/x', { 'tls.crt': 'c', 'tls.key': 'k' }, { tls: { cert: 'c', key: 'k' } }],
    [
      'ssh://h/x',
      { identity: 'i', known_hosts: 'k', password: 'p' },
      { ssh: { identity: 'i', knownHosts: 'k', passphrase: 'p' } },
    ],
  ])('%s with %j', (url, data, want) => {
    expect(parseGitAuth(url, data as Record<string, string>)).toEqual(want);
  });

  it.each([
    ['https://h/x', { password: 'p' }, "invalid 'https' auth option: 'password' requires 'username' to be set"],
    ['ssh://h/x', {}, "invalid 'ssh' auth option: 'identity' is required"],
    ['ssh://h/x', { identity: 'i' }, "invalid 'ssh' auth option: 'known_hosts' is required"],
    ['https://h/x', { 'tls.crt': 'c' }, "invalid TLS data: 'tls.crt' and 'tls.key' must be set together"],
    ['ftp://h/x', {}, "unknown transport 'ftp'"],
  ])('refuses %s with %j', (url, data, message) => {
    expect(() => parseGitAuth(url, data as Record<string, string>)).toThrow(message);
  });
});

describe('parseProxySecret', () => {
  it('takes http, https and socks5', () => {
    const data = { address: 'socks5://p:1080', username: 'u', password: 'w' };

    expect(parseProxySecret(data, 'ns/p')).toEqual(data);
  });

  it.each([{}, { address: 'nonsense' }, { address: 'ftp://p' }])('refuses %j', (data) => {
    expect(() => parseProxySecret(data as Record<string, string>, 'ns/p')).toThrow("invalid proxy secret 'ns/p'");
  });
});

describe('GitHub App', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
  const secret = { githubAppID: '12', githubAppPrivateKey: pem };

  it('signs a statement that GitHub can check', () => {
    const [head, claims, signature] = signStatement({ appId: '12', privateKey: pem }, 1_700_000_000_000).split('.') as [
      string,
      string,
      string,
    ];

    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
      iat: 1_699_999_940,
      exp: 1_700_000_540,
      iss: '12',
    });
    expect(
      verify(
        'sha256',
        Buffer.from(`${head}.${claims}`),
        createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
        Buffer.from(signature, 'base64url'),
      ),
    ).toBe(true);
  });

  it('finds the installation, exchanges the statement, and keeps the token until it expires', async () => {
    const asked: string[] = [];
    let now = Date.parse('2026-01-01T00:00:00Z');
    const answers: Record<string, [number, object]> = {
      'GET https://ghe/api/v3/orgs/acme/installation': [404, {}],
      'GET https://ghe/api/v3/users/acme/installation': [200, { id: 34 }],
      'POST https://ghe/api/v3/app/installations/34/access_tokens': [
        201,
        { token: 'tok', expires_at: '2026-01-01T01:00:00Z' },
      ],
    };
    const http = fakeDoor((request) => {
      asked.push(`${request.method} ${request.url}`);
      return answers[`${request.method} ${request.url}`] ?? [500, {}];
    });
    const app = parseGitHubApp(
      { ...secret, githubAppInstallationOwner: 'acme', githubAppBaseURL: 'https://ghe/api/v3/' },
      'ns/s',
    );
    const login = createGitHubLogin(app, { http, now: () => now });

    expect(await login()).toEqual({ username: 'x-access-token', password: 'tok' });
    now += 50 * 60_000;
    await login();
    expect(asked).toHaveLength(3);
    now += 10 * 60_000;
    await login();
    expect(asked).toHaveLength(6);
  });

  it.each([
    [{ githubAppID: '1' }, "key 'githubAppPrivateKey' is missing"],
    [{ ...secret }, 'exactly one of'],
    [{ ...secret, githubAppInstallationID: '1', githubAppInstallationOwner: 'a' }, 'exactly one of'],
  ])('refuses incomplete data', (data, message) => {
    expect(() => parseGitHubApp(data as Record<string, string>, 'ns/s')).toThrow(message);
  });

  it('never quotes the private key', () => {
    expect(() => signStatement({ appId: '1', privateKey: 'canary' }, 0)).toThrow(
      expect.objectContaining({ message: 'the private key of the GitHub App cannot be read' }),
    );
  });
});

function fakeDoor(answer: (request: HttpRequest) => [number, object]): HttpDoor {
  return {
    close: async () => {},
    async request(request) {
      const [status, body] = answer(request);
      const text = JSON.stringify(body);
      return {
        status,
        headers: {},
        url: request.url,
        body: (async function* () {
          yield Buffer.from(text);
        })(),
        bytes: async () => Buffer.from(text),
        text: async () => text,
        discard: () => {},
      };
    },
  };
}

describe('hostKeysFor', () => {
  const key = (type: string, tail: string) => {
    const name = Buffer.from(type);
    return Buffer.concat([Buffer.from([0, 0, 0, name.length]), name, Buffer.from(tail)]);
  };
  const a = key('ssh-ed25519', 'aaaa');
  const b = key('ssh-rsa', 'bbbb');
  const line = (hosts: string, which: Buffer, type: string) => `${hosts} ${type} ${which.toString('base64')} comment`;

  it.each([
    ['h.example.com', 22, line('h.example.com', a, 'ssh-ed25519'), 'known'],
    ['H.example.com', 22, line('h.Example.com', a, 'ssh-ed25519'), 'known'],
    ['h', 2222, line('[h]:2222', a, 'ssh-ed25519'), 'known'],
    ['h', 2222, line('h', a, 'ssh-ed25519'), 'unknown'],
    ['x.h', 22, line('*.h,!y.h', a, 'ssh-ed25519'), 'known'],
    ['y.h', 22, line('*.h,!y.h', a, 'ssh-ed25519'), 'unknown'],
    ['h1', 22, line('h?', a, 'ssh-ed25519'), 'known'],
    ['h', 22, line('h', b, 'ssh-rsa'), 'changed'],
    ['h', 22, `@revoked ${line('h', a, 'ssh-ed25519')}\n${line('h', a, 'ssh-ed25519')}`, 'revoked'],
    ['h', 22, `@cert-authority ${line('h', a, 'ssh-ed25519')}`, 'unknown'],
    ['h', 22, `# ${line('h', a, 'ssh-ed25519')}\nnonsense`, 'unknown'],
    ['h', 22, line('h', a, 'ssh-rsa'), 'unknown'],
    // `ssh-keygen -H` of "h" with the salt "0123456789abcdefghij"
    ['h', 22, line('|1|MDEyMzQ1Njc4OWFiY2RlZmdoaWo=|REPLACE', a, 'ssh-ed25519'), 'hashed'],
  ])('%s port %i', async (host, port, text, want) => {
    const { createHmac } = await import('node:crypto');
    const hash = createHmac('sha1', '0123456789abcdefghij').update('h').digest('base64');

    expect(hostKeysFor(text.replace('REPLACE', hash), host, port).judge(a)).toBe(want === 'hashed' ? 'known' : want);
  });

  it('names the types that are known', () => {
    const text = [line('h', b, 'ssh-rsa'), line('h', a, 'ssh-ed25519'), line('other', a, 'ssh-ed25519')].join('\n');

    expect(hostKeysFor(text, 'h', 22).types).toEqual(['ssh-rsa', 'ssh-ed25519']);
  });

  it('is not slowed down by wildcards', () => {
    const text = line(`${'*a'.repeat(500)}b`, a, 'ssh-ed25519');

    expect(hostKeysFor(text, 'a'.repeat(5000), 22).judge(a)).toBe('unknown');
  });
});
