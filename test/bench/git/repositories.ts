// Owns the repositories that Git is measured on. They are made by fast-import, which takes seconds where `git add` takes
// minutes.
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gitEnv } from '../../support/git.ts';

/** A generated repository on the server. */
export interface Repository {
  readonly url: string;
  readonly bare: string;
  /** First commit, then one commit each with one file changed. */
  readonly commits: readonly string[];
  /** A folder of a hundred files. */
  readonly folder: string;
}

function gitIn(bare: string, args: readonly string[], input?: string | Uint8Array): string {
  const options = { cwd: bare, env: gitEnv(), maxBuffer: 1 << 28 };
  return execFileSync('git', args, input === undefined ? options : { ...options, input }).toString();
}

function commitText(message: string, changes: readonly string[]): string {
  const head = `commit refs/heads/steps\ncommitter A <a@b> 1700000000 +0000\ndata ${message.length}\n${message}\n`;
  return `${head}${changes.join('')}\n`;
}

/** What a repository of manifests is like. */
export interface Shape {
  readonly files: number;
  readonly branches: number;
  /** Commits after the first one that is fetched. */
  readonly steps: number;
  /** Commits before it. @default 0 */
  readonly history?: number;
}

/** Random manifests, a hundred to a folder, and as many branches; each commit changes one file. */
export function generateManifests(root: string, url: string, shape: Shape): Repository {
  const { files, branches, steps, history = 0 } = shape;
  const name = `r-${files}-${branches}-${history}`;
  const bare = join(root, `${name}.git`);
  mkdirSync(bare, { recursive: true });
  gitIn(bare, ['init', '--quiet', '--bare', '--initial-branch=main']);
  let seed = 1;
  const random = () => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed.toString(36);
  };
  const change = (index: number, tag: string) => {
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm-${index}\ndata:\n  a: "${random()}${random()}"\n  b: "${random()}"\n  tag: ${tag}\n`;
    return `M 100644 inline apps/d${Math.floor(index / 100)}/cm-${index}.yaml\ndata ${text.length}\n${text}\n`;
  };
  const first = Array.from({ length: files }, (_, index) => change(index, 'v0'));
  const texts = [commitText('first', first)];
  for (let step = 1; step <= history + steps; step++)
    texts.push(commitText(`step ${step}`, [change(step % files, `v${step}`)]));
  gitIn(bare, ['fast-import', '--quiet'], texts.join(''));
  const commits = gitIn(bare, ['rev-list', '--reverse', 'steps']).trim().split('\n').slice(history);
  const refs = Array.from({ length: branches - 1 }, (_, index) => `create refs/heads/b${index} ${commits[0]}\n`);
  gitIn(bare, ['update-ref', '--stdin'], `create refs/heads/main ${commits[0]}\n${refs.join('')}`);
  gitIn(bare, ['pack-refs', '--all']);
  return { url: `${url}/${name}.git`, bare, commits, folder: 'apps/d0' };
}

/** A folder of manifests beside `megabytes` of data that nothing shrinks, in files of 4 MB. */
export function generateLarge(root: string, url: string, megabytes: number): Repository {
  const bare = join(root, 'large.git');
  mkdirSync(bare, { recursive: true });
  gitIn(bare, ['init', '--quiet', '--bare', '--initial-branch=main']);
  // Nothing shrinks it: trying, and looking for deltas, would take minutes.
  for (const key of ['core.compression', 'pack.compression']) gitIn(bare, ['config', key, '0']);
  gitIn(bare, ['config', 'core.bigFileThreshold', '1m']);
  const size = 4 * 1024 * 1024;
  for (let at = 0; at < megabytes / 4; at += 16) {
    const parts: (string | Uint8Array)[] = [commitText(`data ${at}`, []).trimEnd(), '\n'];
    if (at > 0) parts.push('from refs/heads/steps^0\n');
    for (let index = at; index < Math.min(at + 16, megabytes / 4); index++) {
      parts.push(`M 100644 inline data/${index}.bin\ndata ${size}\n`, randomFillSync(Buffer.alloc(size)), '\n');
    }
    gitIn(bare, ['fast-import', '--quiet'], Buffer.concat(parts.map((part) => Buffer.from(part))));
  }
  const manifests = Array.from({ length: 100 }, (_, index) => {
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm-${index}\n`;
    return `M 100644 inline apps/cm-${index}.yaml\ndata ${text.length}\n${text}\n`;
  });
  const last = commitText('manifests', []).trimEnd();
  gitIn(bare, ['fast-import', '--quiet'], `${last}\nfrom refs/heads/steps^0\n${manifests.join('')}`);
  gitIn(bare, ['update-ref', 'refs/heads/main', 'refs/heads/steps']);
  return { url: `${url}/large.git`, bare, commits: [gitIn(bare, ['rev-parse', 'main']).trim()], folder: 'apps' };
}

/** Moves `main` to one of the commits. */
export function moveMain(repository: Repository, step: number): void {
  gitIn(repository.bare, ['update-ref', 'refs/heads/main', repository.commits[step] as string]);
}
