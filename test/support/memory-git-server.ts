// Owns a Git server that lives in memory and speaks protocol v2 alone, at the cost of a few microseconds a request. It
// checks nothing of what it is told to serve: for measuring clients, and for showing them what no Git would make.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type GitObject, hashObject } from '../../src/engines/git/oid.ts';
import { formatPack } from '../../src/engines/git/pack-write.ts';
import { DELIM_PKT, FLUSH_PKT, formatPkt } from '../../src/engines/git/protocol/pktline.ts';
import { formatTree } from '../../src/engines/git/tree.ts';

/** What a repository answers: one branch, `main`, and one pack, whatever is asked for. */
export interface ServedRepository {
  readonly head: string;
  readonly pack: Uint8Array;
}

/** A running server. */
export interface MemoryGitServer {
  /** `http://127.0.0.1:PORT`; whatever is appended is a repository. */
  readonly url: string;
  /** Requests so far by what was asked: `info/refs`, `ls-refs`, `fetch`. */
  readonly requests: ReadonlyMap<string, number>;
  /** What a repository answers from now on. @param name its path; without a row of its own, that of '' counts */
  serve(name: string, repository: ServedRepository): void;
  close(): Promise<void>;
}

/** A repository of one commit with this root tree; `objects` are what the tree needs, the tree itself included. */
export function repositoryOf(rootTree: string, objects: readonly GitObject[]): ServedRepository {
  const person = 'Ada <ada@example.com> 1700000000 +0000';
  const text = `tree ${rootTree}\nauthor ${person}\ncommitter ${person}\n\nfirst\n`;
  const commit = { type: 'commit' as const, data: Buffer.from(text) };
  return { head: oidOf(commit), pack: formatPack([commit, ...objects], 'sha1') };
}

/** A repository of one file. */
export function repositoryOfFile(name: string, content: string): ServedRepository {
  const blob = { type: 'blob' as const, data: Buffer.from(content) };
  const tree = { type: 'tree' as const, data: formatTree([{ name, kind: 'file', oid: oidOf(blob) }]) };
  return repositoryOf(oidOf(tree), [tree, blob]);
}

/** Name of an object. */
export function oidOf(object: GitObject): string {
  return hashObject(object.type, object.data, 'sha1');
}

/** Starts it with one file in every repository. */
export async function startMemoryGitServer(): Promise<MemoryGitServer> {
  const repositories = new Map([['', toAnswers(repositoryOfFile('cm.yaml', 'a: 1\n'))]]);
  const requests = new Map<string, number>();
  const server = createServer((request, response) => {
    void answer(request, response, (name, command) => {
      requests.set(command, (requests.get(command) ?? 0) + 1);
      return (repositories.get(name) ?? repositories.get('')!)[command];
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    serve: (name, repository) => void repositories.set(name, toAnswers(repository)),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Command = 'info/refs' | 'ls-refs' | 'fetch';

function toAnswers({ head, pack }: ServedRepository): Readonly<Record<Command, Buffer>> {
  return {
    'info/refs': pkts(
      '# service=git-upload-pack\n',
      FLUSH_PKT,
      'version 2\n',
      'ls-refs=unborn\n',
      'fetch=shallow\n',
      FLUSH_PKT,
    ),
    'ls-refs': pkts(`${head} refs/heads/main\n`, FLUSH_PKT),
    fetch: pkts('shallow-info\n', `shallow ${head}\n`, DELIM_PKT, 'packfile\n', ...sideBand(pack), FLUSH_PKT),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  find: (name: string, command: Command) => Buffer,
): Promise<void> {
  const isDiscovery = request.method === 'GET';
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const command = isDiscovery ? 'info/refs' : Buffer.concat(parts).includes('command=ls-refs') ? 'ls-refs' : 'fetch';
  const name = (request.url ?? '').replace(/^\//, '').replace(/\/(?:info\/refs\?.*|git-upload-pack)$/, '');
  const type = isDiscovery ? 'advertisement' : 'result';
  response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${type}` }).end(find(name, command));
}

function pkts(...lines: (string | Buffer)[]): Buffer {
  return Buffer.concat(lines.map((line) => (typeof line === 'string' ? formatPkt(line) : line)));
}

function sideBand(bytes: Uint8Array): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 60_000) {
    lines.push(formatPkt(Buffer.concat([Buffer.from([1]), bytes.subarray(at, at + 60_000)])));
  }
  return lines;
}
