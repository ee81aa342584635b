// Owns `lockstep up` as a child process, for tests that kill it and benchmarks that measure it.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './source-files.ts';

export interface Up {
  readonly process: ChildProcess;
  /** Settles when the process has ended, however that came. */
  readonly ended: Promise<void>;
  /** What it has printed so far, both streams. */
  output(): string;
}

/**
 * Starts it as `npm start` does and waits for its first lines.
 * @param args after `up`; `--state` is among them
 * @throws Error with the output, if it ends before it is up
 */
export async function startUp(...args: string[]): Promise<Up> {
  return start([...startArguments(), ...args], 'lockstep is up');
}

export interface CommandOptions {
  /** A module that is loaded first; it may collect garbage, and talk to this process. */
  readonly probe?: string;
}

/**
 * Starts another of the commands that go on running, and waits for its first words.
 * @throws Error with the output, if it ends before
 */
export async function startCommand(
  args: readonly string[],
  words: string,
  { probe }: CommandOptions = {},
): Promise<Up> {
  const first = probe === undefined ? [] : ['--expose-gc', '--import', probe];
  return start([...first, ...startArguments().slice(0, -1), ...args], words, probe === undefined ? [] : ['ipc']);
}

async function start(args: readonly string[], words: string, channels: readonly 'ipc'[] = []): Promise<Up> {
  const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe', ...channels] });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes(words)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`lockstep ended with ${code}: ${output}`)));
  });
  return { process: child, ended, output: () => output };
}

/** What package.json's `start` gives to Node. */
function startArguments(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start.split(' ').slice(1);
}
