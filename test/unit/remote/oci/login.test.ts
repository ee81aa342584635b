import { describe, expect, it } from 'vitest';
import { loginOf } from '../../../../src/remote/oci/login.ts';

const ada = { kind: 'password', username: 'ada', password: 'se:cret' } as const;
const auth = Buffer.from('ada:se:cret').toString('base64');

function login(auths: unknown, host = 'ghcr.io', path = 'org/app') {
  return loginOf([{ name: 'pull', data: { '.dockerconfigjson': JSON.stringify({ auths }) } }], { host, path });
}

describe('loginOf', () => {
  it.each([
    ['a host', { 'ghcr.io': { auth } }],
    ['an address', { 'https://ghcr.io/': { auth } }],
    ['a name and a password', { 'ghcr.io': { username: 'ada', password: 'se:cret' } }],
    ['a pattern', { '*.io': { auth } }],
    ['the longest path', { 'ghcr.io': { auth: 'eDp5' }, 'ghcr.io/org': { auth }, 'ghcr.io/org/ap': { auth: 'eDp5' } }],
  ])('finds the entry by %s', (_name, auths) => {
    expect(login(auths)).toEqual(ada);
  });

  it.each([
    ['another host', { 'gcr.io': { auth } }],
    ['a part of the host', { 'hcr.io': { auth }, io: { auth } }],
    ['another path', { 'ghcr.io/other': { auth } }],
    ['a pattern of more labels', { '*.*.io': { auth } }],
    ['nothing', {}],
    ['null', null],
    ['an entry that is none', { 'ghcr.io': 'text' }],
  ])('finds nothing by %s', (_name, auths) => {
    expect(login(auths)).toBeUndefined();
  });

  it('knows the names of Docker Hub', () => {
    expect(login({ 'https://index.docker.io/v1/': { auth } }, 'index.docker.io', 'library/app')).toEqual(ada);
    expect(login({ 'docker.io': { auth } }, 'index.docker.io', 'library/app')).toEqual(ada);
  });

  it('reads tokens', () => {
    expect(login({ 'ghcr.io': { identitytoken: 't' } })).toEqual({ kind: 'refresh', token: 't' });
    expect(login({ 'ghcr.io': { registrytoken: 't' } })).toEqual({ kind: 'bearer', token: 't' });
  });

  it('takes the first Secret that has a login', () => {
    const password = { username: 'ada', password: 'se:cret' };
    const secrets = [
      { name: 'a', data: { '.dockerconfigjson': '{}' } },
      { name: 'b', data: password },
    ];

    expect(loginOf(secrets, { host: 'h', path: 'p' })).toEqual(ada);
    expect(loginOf([], { host: 'h', path: 'p' })).toBeUndefined();
  });

  it.each([
    [{ '.dockerconfigjson': 'no json' }, 'it is not JSON'],
    [{ '.dockerconfigjson': '{"auths": []}' }, 'auths is no object'],
    [{ '.dockerconfigjson': '{"auths": {"ghcr.io": {"auth": "bm8="}}}' }, 'invalid auth field'],
    [{ username: 'ada' }, "required fields 'username' and 'password'"],
  ])('refuses %o', (data, message) => {
    expect(() =>
      loginOf([{ name: 'pull', data: data as Record<string, string> }], { host: 'ghcr.io', path: 'a' }),
    ).toThrow(expect.objectContaining({ code: 'RegistryAuthOptions', message: expect.stringContaining(message) }));
  });

  it('is not misled by keys of prototypes', () => {
    expect(login(JSON.parse('{"__proto__": {"auth": "eDp5"}, "constructor": {}}'))).toBeUndefined();
  });
});
