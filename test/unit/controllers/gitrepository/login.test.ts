// Credentials of a GitRepository: what is wrong with them, and that nobody is shown them (flux.md §2.3, §2.8).
import { describe, expect, it } from 'vitest';
import type { GitRepository, GitRepositorySpec } from '../../../../src/api/source/gitrepository.ts';
import { loginFor } from '../../../../src/controllers/gitrepository/login.ts';
import type { GitRepositoryPorts } from '../../../../src/controllers/gitrepository/ports.ts';
import { verifyFetched } from '../../../../src/controllers/gitrepository/verify.ts';
import type { SecretData } from '../../../../src/remote/git/auth.ts';

const KEY = 'ns/app';
const object = (spec: Partial<GitRepositorySpec>, generation = 1): GitRepository => ({
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: { name: 'app', namespace: 'ns', generation },
  spec: { interval: '1m', url: 'https://host/r', ...spec },
});

function createPorts(secrets: Record<string, SecretData> = {}) {
  const reads: string[] = [];
  const ports = {
    clock: { now: () => 0 },
    logins: new Map(),
    masks: new Map(),
    readSecret: async (_namespace: string, name: string) => {
      reads.push(name);
      return secrets[name];
    },
    githubLogin: () => ({}),
  } as unknown as GitRepositoryPorts;
  const login = (spec: Partial<GitRepositorySpec>, generation?: number, requested?: string) =>
    loginFor(object(spec, generation), ports, { key: KEY, signal: new AbortController().signal, requested });
  return { ports, reads, login };
}

const secretRef = { name: 'login' };
const ENCRYPTED = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----\n';

describe('login', () => {
  it.each([
    [{ secretRef }, {}, 'AuthenticationFailed', `failed to get secret 'ns/login': secrets "login" not found`],
    [
      { secretRef },
      { login: { password: 'x' } },
      'AuthenticationFailed',
      "failed to configure authentication options: invalid 'https' auth option: 'password' requires 'username' to be set",
    ],
    [
      { secretRef },
      { login: { 'tls.crt': 'x' } },
      'AuthenticationFailed',
      "failed to configure authentication options: invalid TLS data: 'tls.crt' and 'tls.key' must be set together",
    ],
    [
      { proxySecretRef: { name: 'proxy' } },
      { proxy: { username: 'x' } },
      'AuthenticationFailed',
      "failed to configure proxy options: invalid proxy secret 'ns/proxy': key 'address' is missing",
    ],
    [
      { url: 'ssh://git@host/r', secretRef },
      { login: { identity: ENCRYPTED, known_hosts: 'x' } },
      'AuthenticationFailed',
      "SSH identity key is encrypted but no 'password' field was provided in the secret 'ns/login'",
    ],
    [
      { provider: 'github' },
      {},
      'InvalidProviderConfiguration',
      'secretRef with github app data must be specified when provider is set to github',
    ],
    [
      { secretRef },
      { login: { githubAppID: '1', githubAppPrivateKey: 'x', githubAppInstallationID: '2' } },
      'InvalidProviderConfiguration',
      "secretRef 'ns/login' has github app data but provider is not set to github",
    ],
  ] as const)('of %j with %j is refused', async (spec, secrets, reason, message) => {
    await expect(createPorts(secrets).login(spec)).rejects.toMatchObject({ reason, message, condition: 'FetchFailed' });
  });

  it('is read once, until the spec changes or a pass is requested', async () => {
    const { reads, login } = createPorts({ login: { username: 'u', password: 'p' } });

    await login({ secretRef });
    await login({ secretRef });
    expect(reads).toEqual(['login']);
    await login({ secretRef }, 2);
    await login({ secretRef }, 2, 'now');
    expect(reads).toEqual(['login', 'login', 'login']);
  });

  it('is hidden in whatever quotes it; a user name is not', async () => {
    const { ports, login } = createPorts({ login: { username: 'robot', password: 'canary-1' } });
    await login({ secretRef });

    expect(ports.masks.get(KEY)?.('robot and canary-1 were refused')).toBe('robot and ***** were refused');
  });
});

describe('signatures', () => {
  const commit = { payload: new Uint8Array() };
  const verify = (
    secrets: Record<string, SecretData>,
    spec: Partial<GitRepositorySpec>,
    fetched: object = { commit },
  ) =>
    verifyFetched(
      object(spec),
      fetched as never,
      { commit: 'abc', refName: 'refs/tags/v1' } as never,
      createPorts(secrets).ports,
      new AbortController().signal,
    );
  const keys = { secretRef: { name: 'keys' } };

  it.each([
    [{}, {}, {}, 'VerificationError', 'public keys secret error: secrets "keys" not found'],
    [
      { keys: {} },
      {},
      {},
      'InvalidCommitSignature',
      "signature verification of commit 'abc' failed: unsupported signature type: empty",
    ],
    [
      { keys: {} },
      { mode: 'Tag' as const },
      { tag: { payload: new Uint8Array() } },
      'InvalidGitObject',
      "cannot verify signature of tag 'v1@abc' since it is not signed",
    ],
  ])('are refused: %j %j %j', async (secrets, mode, fetched, reason, message) => {
    const failing = verify(secrets, { verify: { ...keys, ...mode } }, { commit, ...fetched });

    await expect(failing).rejects.toMatchObject({ reason, message, condition: 'SourceVerified' });
  });
});
