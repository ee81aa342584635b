// Owns a small Git server on loopback for trying things: smart HTTP over `git http-backend`. It serves bare
// repositories below one folder and knows nothing of reconciling.
import { type ChildProcess, spawn } from 'node:child_process';
import { timingSafeEqual } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CodedError } from '../lib/errors.ts';

/** A Git server that could not be started or asked for something that it cannot do. */
export class GitServerError extends CodedError<'GitMissing' | 'GitServerFailed' | 'RepositoryNameInvalid'> {}

/** Options of `startGitServer`. */
export interface GitServerOptions {
  /** Folder of the bare repositories; made when absent. `root/NAME.git` is served at `/NAME.git`. */
  readonly root: string;
  /** @default 0, any free port */
  readonly port?: number;
  /** @default '127.0.0.1' */
  readonly listen?: string;
  /** When given, every request must carry it. */
  readonly basicAuth?: { readonly username: string; readonly password: string };
  /** Highest protocol that clients are offered; older servers are imitated with 0. @default 2 */
  readonly protocol?: 0 | 1 | 2;
  /** Called with what the back end writes to its standard error. */
  readonly onLog?: (line: string) => void;
}

/** A running Git server. */
export interface GitServer {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Makes `NAME.git` with default branch `main`, or leaves the one that is there. Returns its URL and folder. */
  createRepository(name: string, options?: { objectFormat?: 'sha1' | 'sha256' }): Promise<{ url: string; dir: string }>;
  close(): Promise<void>;
}

const NAME = /^(?!.*(?:^|\/)\.)[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

// Passed by environment, so that repositories made by anybody at any time get them without touching their config.
const GIT_CONFIG: readonly (readonly [string, string])[] = [
  ['http.receivepack', 'true'],
  ['uploadpack.allowFilter', 'true'],
  ['uploadpack.allowReachableSHA1InWant', 'true'],
  ['uploadpack.allowAnySHA1InWant', 'true'],
  ['receive.denyNonFastForwards', 'false'],
  ['receive.denyDeletes', 'false'],
  ['receive.autogc', 'false'],
  ['init.defaultBranch', 'main'],
  ['safe.directory', '*'],
];

/**
 * Starts the server and resolves once it answers.
 * Anybody who reaches the port may read and push, forced pushes included, unless `basicAuth` is set.
 * @throws GitServerError GitMissing when there is no `git`; system errors when the port is taken
 */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  await mkdir(options.root, { recursive: true });
  await runGit(['--version'], options.root);
  const listen = options.listen ?? '127.0.0.1';
  const children = new Set<ChildProcess>();
  const server = createServer((request, response) => {
    serve(request, response, options, children).catch((error: unknown) => {
      options.onLog?.(`request failed: ${error instanceof Error ? error.message : String(error)}`);
      if (!response.headersSent) answer(response, 500, 'the Git back end could not be run');
      else response.destroy();
    });
  });
  // A push of a large pack over a slow link is no attack here.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, listen, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = listen.includes(':') ? `[${listen}]` : listen === '0.0.0.0' ? '127.0.0.1' : listen;
  const url = `http://${host}:${port}`;
  return {
    url,
    port,
    async createRepository(name, repository = {}) {
      if (!NAME.test(name)) {
        throw new GitServerError('RepositoryNameInvalid', `'${name}' is not a name for a repository`, { name });
      }
      const plain = name.replace(/\.git$/, '');
      const dir = join(options.root, `${plain}.git`);
      const format = repository.objectFormat ?? 'sha1';
      if (!(await exists(join(dir, 'HEAD')))) {
        await runGit(
          ['init', '--quiet', '--bare', '--initial-branch=main', `--object-format=${format}`, dir],
          options.root,
        );
      }
      return { url: `${url}/${plain}.git`, dir };
    },
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      for (const child of children) child.kill('SIGKILL');
      await closed;
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: GitServerOptions,
  children: Set<ChildProcess>,
): Promise<void> {
  if (!isHostAllowed(request.headers.host, options.listen ?? '127.0.0.1')) {
    return answer(response, 421, 'this server answers to its loopback name only');
  }
  if (options.basicAuth !== undefined && !isAuthorized(request.headers.authorization, options.basicAuth)) {
    response.setHeader('WWW-Authenticate', 'Basic realm="git"');
    return answer(response, 401, 'Unauthorized');
  }
  const [rawPath = '', query = ''] = splitOnce(request.url ?? '/', '?');
  const path = decodePath(rawPath);
  const repository = path === undefined ? undefined : /^\/(.+?\.git)\/.+$/.exec(path)?.[1];
  if (path === undefined || repository === undefined || !NAME.test(repository)) {
    return answer(response, 404, 'Not Found');
  }
  if (!(await exists(join(options.root, repository, 'HEAD')))) return answer(response, 404, 'Repository not found');
  await runBackend(request, response, options, children, { path, query });
}

function runBackend(
  request: IncomingMessage,
  response: ServerResponse,
  options: GitServerOptions,
  children: Set<ChildProcess>,
  target: { path: string; query: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['http-backend'], {
      env: backendEnvironment(request, options, target),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    children.add(child);
    child.once('error', reject);
    child.once('close', () => {
      children.delete(child);
      if (!response.headersSent) answer(response, 500, 'the Git back end gave no answer');
      resolve();
    });
    // The back end may stop reading early; a broken pipe is its way to say so.
    child.stdin.on('error', () => {});
    child.stdout.on('error', () => {});
    child.stderr.setEncoding('utf8').on('data', (text: string) => options.onLog?.(text.trimEnd()));
    response.once('close', () => {
      if (!response.writableFinished) child.kill('SIGKILL');
    });
    request.pipe(child.stdin);
    relay(child.stdout, response);
  });
}

// A CGI program writes header lines, an empty line, then the body.
function relay(stdout: NodeJS.ReadableStream, response: ServerResponse): void {
  let head: Buffer | undefined = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head ?? Buffer.alloc(0), chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const body = head.subarray(end + 4);
    const lines = head.toString('latin1', 0, end).split('\r\n');
    head = undefined;
    stdout.off('data', onData);
    for (const line of lines) {
      const [name = '', value = ''] = splitOnce(line, ':');
      if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value.trim(), 10);
      else response.setHeader(name, value.trim());
    }
    response.flushHeaders();
    if (body.length > 0) response.write(body);
    stdout.pipe(response);
  };
  stdout.on('data', onData);
}

function backendEnvironment(
  request: IncomingMessage,
  options: GitServerOptions,
  target: { path: string; query: string },
): NodeJS.ProcessEnv {
  const header = (name: string): string => String(request.headers[name] ?? '');
  const env: NodeJS.ProcessEnv = {
    ...gitEnvironment(options.root),
    GIT_PROJECT_ROOT: options.root,
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: request.method,
    PATH_INFO: target.path,
    QUERY_STRING: target.query,
    CONTENT_TYPE: header('content-type'),
    REMOTE_ADDR: request.socket.remoteAddress ?? '',
    REMOTE_USER: options.basicAuth?.username ?? '',
  };
  // Only what is a number may stand in CONTENT_LENGTH; without it the back end reads to the end of its input.
  if (request.headers['content-length'] !== undefined) env['CONTENT_LENGTH'] = header('content-length');
  if (request.headers['content-encoding'] !== undefined) env['HTTP_CONTENT_ENCODING'] = header('content-encoding');
  const wanted = /^version=([0-2])$/.exec(header('git-protocol'))?.[1];
  if (wanted !== undefined && Number(wanted) <= (options.protocol ?? 2)) env['GIT_PROTOCOL'] = `version=${wanted}`;
  return env;
}

function gitEnvironment(root: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'] ?? '',
    HOME: root,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_COUNT: String(GIT_CONFIG.length),
  };
  for (const [index, [key, value]] of GIT_CONFIG.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}

function runGit(args: readonly string[], root: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { env: gitEnvironment(root), stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.once('error', (cause) => {
      reject(new GitServerError('GitMissing', 'the Git server needs the git program', {}, { cause }));
    });
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new GitServerError('GitServerFailed', `git ${args[0]} failed: ${text.trim()}`, {}));
    });
  });
}

// A page in a browser can be made to speak to loopback under another name; Git clients never do.
function isHostAllowed(host: string | undefined, listen: string): boolean {
  if (listen !== '127.0.0.1' && listen !== '::1' && listen !== 'localhost') return true;
  return host !== undefined && LOOPBACK_HOSTS.has(host.replace(/:\d+$/, '').toLowerCase());
}

function isAuthorized(header: string | undefined, want: { username: string; password: string }): boolean {
  const expected = Buffer.from(`Basic ${Buffer.from(`${want.username}:${want.password}`).toString('base64')}`);
  const given = Buffer.from(header ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function decodePath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes('\0') || decoded.split('/').includes('..') ? undefined : decoded;
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
