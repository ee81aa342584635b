// Owns child processes of the cluster tests: started apart from the terminal's group, logged to a file, killed by pid,
// and never outliving this process however it ends. Knows no program by name.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

export interface Running {
  readonly name: string;
  readonly pid: number;
  /** Set once the process has ended. */
  ended(): string | undefined;
  /** The last lines of its log. */
  tail(): string;
  /** Asks it to stop, and kills it when it has not within the grace period. */
  stop(graceMs?: number): Promise<void>;
  /** Ends it without a word. */
  kill(): Promise<void>;
}

const alive = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts a program in its own process group (so Ctrl-C reaches only us), with its output in `logFile`. */
export function startProcess(name: string, path: string, args: readonly string[], logFile: string): Running {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(path, args, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  alive.add(child);
  let ended: string | undefined;
  const exited = new Promise<void>((resolve) => {
    const end = (text: string) => {
      ended ??= text;
      alive.delete(child);
      resolve();
    };
    child.on('error', (error) => end(error.message));
    child.on('exit', (code, signal) => end(`exit ${code ?? signal}`));
  });
  return {
    name,
    pid: child.pid ?? 0,
    ended: () => ended,
    tail: () => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-40).join('\n'),
    stop: async (graceMs = 5000) => {
      if (ended !== undefined) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
    kill: async () => {
      if (ended === undefined) child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Below the ports that connections are given: one of those might be taken while its server is being started again. */
const FIRST_PORT = 10_240;
const PORTS = 20_000;
const BIND_ATTEMPTS = 10;

/** Ports of loopback that are free now. Another process may still take one first: whoever binds must be ready to retry. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

/** Runs `bind` with one such port after the other until one was free. */
export async function bindFreePort(bind: (port: number) => Promise<void>): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const [port = 0] = await freePorts(1);
    try {
      await bind(port);
      return port;
    } catch (error) {
      if (attempt === BIND_ATTEMPTS || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
