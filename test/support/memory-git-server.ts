// Owns a Git server that lives in memory and speaks protocol v2 alone: one commit, the same under every path, at the cost
// of a few microseconds a request. For measuring clients, not servers.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hashObject } from '../../src/engines/git/oid.ts';
import { formatPack } from '../../src/engines/git/pack-write.ts';
import { FLUSH_PKT, formatPkt } from '../../src/engines/git/protocol/pktline.ts';
import { formatTree } from '../../src/engines/git/tree.ts';

/** A running server. */
export interface MemoryGitServer {
  /** `http://127.0.0.1:PORT`; whatever is appended is a repository. */
  readonly url: string;
  readonly commit: string;
  /** Requests so far, by service and command: `info/refs`, `ls-refs`, `fetch`. */
  readonly requests: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Starts it with one file. */
export async function startMemoryGitServer(content = 'a: 1\n'): Promise<MemoryGitServer> {
  const blob = { type: 'blob' as const, data: Buffer.from(content) };
  const blobOid = hashObject('blob', blob.data, 'sha1');
  const tree = { type: 'tree' as const, data: formatTree([{ name: 'cm.yaml', kind: 'file', oid: blobOid }]) };
  const treeOid = hashObject('tree', tree.data, 'sha1');
  const person = 'Ada <ada@example.com> 1700000000 +0000';
  const text = `tree ${treeOid}\nauthor ${person}\ncommitter ${person}\n\nfirst\n`;
  const commit = { type: 'commit' as const, data: Buffer.from(text) };
  const oid = hashObject('commit', commit.data, 'sha1');
  const pack = formatPack([commit, tree, blob], 'sha1');
  const answers = {
    'info/refs': pkts(
      '# service=git-upload-pack\n',
      FLUSH_PKT,
      'version 2\n',
      'ls-refs=unborn\n',
      'fetch=shallow filter\n',
      FLUSH_PKT,
    ),
    'ls-refs': pkts(`${oid} refs/heads/main\n`, FLUSH_PKT),
    fetch: pkts('shallow-info\n', `shallow ${oid}\n`, Buffer.from('0001'), 'packfile\n', sideBand(pack), FLUSH_PKT),
  };
  const requests = new Map<string, number>();
  const server = createServer((request, response) => {
    void answer(request, response, (command) => {
      requests.set(command, (requests.get(command) ?? 0) + 1);
      return answers[command];
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    commit: oid,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Command = 'info/refs' | 'ls-refs' | 'fetch';

async function answer(request: IncomingMessage, response: ServerResponse, find: (command: Command) => Buffer) {
  const isDiscovery = request.method === 'GET';
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const command = isDiscovery ? 'info/refs' : Buffer.concat(parts).includes('command=ls-refs') ? 'ls-refs' : 'fetch';
  const type = isDiscovery ? 'advertisement' : 'result';
  response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${type}` }).end(find(command));
}

function pkts(...lines: (string | Buffer)[]): Buffer {
  return Buffer.concat(lines.map((line) => (typeof line === 'string' ? formatPkt(line) : line)));
}

function sideBand(bytes: Buffer): Buffer {
  return formatPkt(Buffer.concat([Buffer.from([1]), bytes]));
}
