// Owns a gitolite for tests: the Debian package's programs in a home of their own, behind an sshd of ours. Its
// configuration is a repository, so setting it up is a push.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeKey, type Sshd, startSshd } from './sshd.ts';

const COMMAND = ['/usr/bin/gitolite', '/usr/local/bin/gitolite'].find((path) => existsSync(path));

/** Whether gitolite is installed. */
export const hasGitolite: boolean = COMMAND !== undefined;

/** A running gitolite. */
export interface Gitolite {
  readonly sshd: Sshd;
  /** Private key of the user who may change the configuration. */
  readonly admin: string;
  /** `ssh://user@127.0.0.1:port/name` */
  url(repository: string): string;
  /** Makes a key pair and returns the public key beside the private one. */
  key(user: string): { readonly identity: string; readonly publicKey: string };
  /** Folder of a repository on the server. */
  folder(repository: string): string;
  stop(): Promise<void>;
}

/** Sets gitolite up in `dir`, with one administrator, and starts it. */
export async function startGitolite(dir: string): Promise<Gitolite> {
  const home = join(dir, 'home');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const key = (user: string) => {
    const path = join(dir, user);
    const identity = makeKey(path, 'ed25519');
    return { identity, publicKey: readFileSync(`${path}.pub`, 'utf8') };
  };
  const admin = key('admin').identity;
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, USER: 'git' };
  execFileSync(COMMAND as string, ['setup', '-pk', join(dir, 'admin.pub')], { env, stdio: 'pipe' });
  writeFileSync(join(home, '.gitconfig'), '[safe]\n\tdirectory = *\n');
  const sshd = await startSshd(join(dir, 'sshd'), {
    // gitolite writes the keys that may log in, each with the command that it runs.
    lines: [`AuthorizedKeysFile ${join(home, '.ssh', 'authorized_keys')}`, `SetEnv HOME=${home}`],
  });
  return {
    sshd,
    admin,
    key,
    url: (repository) => sshd.url(`/${repository}`),
    folder: (repository) => join(home, 'repositories', `${repository}.git`),
    stop: () => sshd.stop(),
  };
}
