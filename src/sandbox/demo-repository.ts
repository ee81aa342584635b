// Owns the making of a first commit in a bare repository, for the demo. It needs Git, as the Git server does.
import { spawn } from 'node:child_process';

export interface FirstCommit {
  readonly message: string;
  /** Path → text. */
  readonly files: Readonly<Record<string, string>>;
  /** Seconds since 1970. */
  readonly seconds: number;
}

/** True when the repository has a branch. */
export async function hasCommits(gitDir: string): Promise<boolean> {
  return (await git(gitDir, ['for-each-ref', '--count=1', 'refs/heads'], '')) !== '';
}

/** Writes the commit as the head of `main`. Throws with Git's words. */
export async function writeFirstCommit(gitDir: string, commit: FirstCommit): Promise<void> {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const files = Object.entries(commit.files).map(([path, text]) => `M 100644 inline ${path}\n${data(text)}`);
  const stream = [
    'commit refs/heads/main\n',
    `committer lockstep <lockstep@localhost> ${commit.seconds} +0000\n`,
    data(commit.message),
    ...files,
  ];
  await git(gitDir, ['fast-import', '--quiet'], stream.join(''));
}

function git(gitDir: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [`--git-dir=${gitDir}`, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output.stdout.trim());
      else reject(new Error(`git ${args[0]} failed: ${output.stderr.trim()}`));
    });
    // A command that reads nothing may be gone before its input is written; its exit code tells the rest.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
