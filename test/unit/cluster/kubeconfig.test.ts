import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inClusterAccess } from '../../../src/cluster/in-cluster.ts';
import { loadKubeconfig, readKubeconfig } from '../../../src/cluster/kubeconfig.ts';
import { FakeClock } from '../../support/clock.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  for (const name of ['ca.crt', 'client.crt', 'client.key', 'token', 'namespace'])
    writeFileSync(join(folder, name), `${name}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const config = (user: object, cluster: object = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    contexts: [
      { name: 'main', context: { cluster: 'c', user: 'u', namespace: 'apps' } },
      { name: 'other', context: { cluster: 'c' } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
  });
const load = (text: string, more: { selfContained?: boolean; allowInsecureTls?: boolean; context?: string } = {}) =>
  loadKubeconfig(text, { clock: new FakeClock(), folder, ...more });

describe('loadKubeconfig', () => {
  it('reads a token and the CA, from YAML', async () => {
    const text = `
apiVersion: v1
kind: Config
current-context: main
contexts: [{name: main, context: {cluster: c, user: u}}]
clusters:
- name: c
  cluster:
    server: https://cluster.example:443
    certificate-authority-data: ${base64('CA PEM')}
    tls-server-name: kubernetes
users:
- name: u
  user: {token: abc}
`;
    const access = await load(text);

    expect(access).toMatchObject({
      server: 'https://cluster.example:443',
      tls: { ca: 'CA PEM', serverName: 'kubernetes' },
    });
    expect(await access.authorization?.()).toBe('Bearer abc');
  });

  it('reads client certificates from data and from files', async () => {
    const data = { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') };
    const files = { 'client-certificate': 'client.crt', 'client-key': join(folder, 'client.key') };

    expect((await load(config(data))).tls).toEqual({ cert: 'CERT', key: 'KEY' });
    expect((await load(config(files, { 'certificate-authority': 'ca.crt' }))).tls).toEqual({
      ca: 'ca.crt\n',
      cert: 'client.crt\n',
      key: 'client.key\n',
    });
  });

  it('reads basic credentials, the namespace and whom to act as', async () => {
    const access = await load(config({ username: 'me', password: 'p:w', as: 'other', 'as-groups': ['g'] }));

    expect(await access.authorization?.()).toBe(`Basic ${base64('me:p:w')}`);
    expect(access).toMatchObject({
      namespace: 'apps',
      impersonate: { user: 'other', groups: ['g'] },
      server: 'https://10.0.0.1:6443',
    });
  });

  it('reads another context than the current one', async () => {
    const access = await load(config({ token: 'abc' }), { context: 'other' });

    expect(access.authorization).toBeUndefined();
    expect(access.namespace).toBeUndefined();
  });

  it('reads a token file again after a minute, and keeps the last token when it went away', async () => {
    const clock = new FakeClock();
    const path = join(folder, 'renewed');
    writeFileSync(path, 'one');
    const access = await loadKubeconfig(config({ tokenFile: path, token: 'unused' }), { clock, folder });
    expect(await access.authorization?.()).toBe('Bearer one');

    writeFileSync(path, 'two');
    await clock.advance(59_000);
    expect(await access.authorization?.()).toBe('Bearer one');
    await clock.advance(1_000);
    expect(await access.authorization?.()).toBe('Bearer two');
    rmSync(path);
    await clock.advance(60_000);
    expect(await access.authorization?.()).toBe('Bearer two');
  });

  it('skips TLS checks only when asked', async () => {
    expect((await load(config({}))).tls.insecure).toBeUndefined();
    expect((await load(config({}, { 'insecure-skip-tls-verify': true }))).tls.insecure).toBe(true);
  });

  it('takes a token from an exec plugin', async () => {
    const status = { token: 'from-plugin' };
    const credential = JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status,
    });
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'echo', args: [credential] };

    const access = await load(config({ exec }));

    expect(await access.authorization?.()).toBe('Bearer from-plugin');
  });

  it.each([
    ['a text that is no YAML', 'a: [', 'KubeconfigInvalid', /not valid YAML/],
    ['a list', '[]', 'KubeconfigInvalid', /not a YAML mapping/],
    ['no context', '{}', 'KubeconfigInvalid', /no current-context/],
    ['an unknown context', '{"current-context": "x"}', 'KubeconfigInvalid', /no context "x"/],
    ['a server that is no URL', config({}, { server: '10.0.0.1' }), 'KubeconfigInvalid', /no http or https URL/],
    ['a proxy', config({}, { 'proxy-url': 'http://p' }), 'KubeconfigRefused', /proxy-url .* not supported/],
    ['data that is no base64', config({}, { 'certificate-authority-data': '???' }), 'KubeconfigInvalid', /not base64/],
    [
      'a certificate without key',
      config({ 'client-certificate-data': base64('C') }),
      'KubeconfigInvalid',
      /without key/,
    ],
    ['a file that is not there', config({ 'client-certificate': 'nowhere.crt' }), 'KubeconfigFile', /nowhere\.crt/],
    ['a token with line breaks inside', config({ token: 'a\nb' }), 'KubeconfigInvalid', /token/],
  ])('refuses %s', async (_what, text, code, message) => {
    await expect(load(text)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('does not quote what it cannot parse, as it may be a credential', async () => {
    await expect(load('users: [{token: s3cr3t')).rejects.toMatchObject({
      message: expect.not.stringContaining('s3cr3t'),
    });
  });
});

describe('a self-contained kubeconfig', () => {
  it('accepts what is written in it', async () => {
    const access = await load(config({ token: 'abc' }, { 'certificate-authority-data': base64('CA') }), {
      selfContained: true,
    });

    expect(access.tls).toEqual({ ca: 'CA' });
  });

  it.each([
    ['exec', { exec: { command: 'sh', apiVersion: 'client.authentication.k8s.io/v1' } }, {}, 'users[0].user.exec'],
    ['auth-provider', { 'auth-provider': { name: 'gcp' } }, {}, 'users[0].user.auth-provider'],
    ['tokenFile', { tokenFile: '/etc/passwd' }, {}, 'users[0].user.tokenFile'],
    ['client-certificate', { 'client-certificate': 'client.crt' }, {}, 'users[0].user.client-certificate'],
    [
      'client-key',
      { 'client-certificate-data': base64('C'), 'client-key': 'client.key' },
      {},
      'users[0].user.client-key',
    ],
    ['certificate-authority', {}, { 'certificate-authority': 'ca.crt' }, 'clusters[0].cluster.certificate-authority'],
    [
      'insecure-skip-tls-verify',
      {},
      { 'insecure-skip-tls-verify': true },
      'clusters[0].cluster.insecure-skip-tls-verify',
    ],
  ])('refuses %s by name', async (name, user, cluster, field) => {
    await expect(load(config(user, cluster), { selfContained: true })).rejects.toMatchObject({
      code: 'KubeconfigRefused',
      data: { field },
      message: expect.stringContaining(name),
    });
  });

  it('accepts insecure-skip-tls-verify where that is allowed', async () => {
    const access = await load(config({}, { 'insecure-skip-tls-verify': true }), {
      selfContained: true,
      allowInsecureTls: true,
    });

    expect(access.tls).toEqual({ insecure: true });
  });
});

describe('readKubeconfig', () => {
  it('takes relative paths from the folder of the file', async () => {
    const path = join(folder, 'config');
    writeFileSync(path, config({ tokenFile: 'token' }));

    const access = await readKubeconfig(path, { clock: new FakeClock() });

    expect(await access.authorization?.()).toBe('Bearer token');
  });

  it('names a file that is not there', async () => {
    await expect(readKubeconfig(join(folder, 'none'), { clock: new FakeClock() })).rejects.toMatchObject({
      code: 'KubeconfigFile',
    });
  });
});

describe('inClusterAccess', () => {
  it('reads what is mounted into a pod', async () => {
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

    const access = inClusterAccess({ clock: new FakeClock(), env, folder });

    expect(access).toMatchObject({ server: 'https://[fd00::1]:443', tls: { ca: 'ca.crt\n' }, namespace: 'namespace' });
    expect(await access.authorization?.()).toBe('Bearer token');
  });

  it('says when it is not in a cluster', () => {
    expect(() => inClusterAccess({ clock: new FakeClock(), env: {}, folder })).toThrow(
      expect.objectContaining({ code: 'NotInCluster' }),
    );
  });
});
