// Owns the fetch exchange: what is asked in versions 0, 1 and 2, and reading the answer up to the bytes of the pack.
import { GitError } from '../errors.ts';
import { DELIM_PKT, FLUSH_PKT, formatPkt, type Pkt, pktText } from './pktline.ts';
import { checkError, cleanRemoteText, commandCapabilities, type ServerFeatures } from './refs.ts';

/** What to fetch. */
export interface FetchWants {
  readonly wants: readonly string[];
  /** Commits whose whole content is here already. */
  readonly haves: readonly string[];
  /** Commits here whose parents are not. */
  readonly shallow: readonly string[];
  /** Commits of history per want; the whole history when absent. */
  readonly depth?: number;
  /** Partial clone filter (`blob:none`); asked for only where the server has it. */
  readonly filter?: string;
}

/** Whether the server can leave objects out by `filter`. */
export function canFilter(features: ServerFeatures): boolean {
  return features.version === 2 ? fetchFeatures(features).has('filter') : features.capabilities.has('filter');
}

/** Whether the server can cut history. */
export function canShallow(features: ServerFeatures): boolean {
  return features.version === 2 ? fetchFeatures(features).has('shallow') : features.capabilities.has('shallow');
}

/** Whether any object may be asked for by name, not only tips of refs. */
export function canWantAny(features: ServerFeatures): boolean {
  return (
    features.version === 2 ||
    features.capabilities.has('allow-reachable-sha1-in-want') ||
    features.capabilities.has('allow-any-sha1-in-want')
  );
}

function fetchFeatures(features: ServerFeatures): ReadonlySet<string> {
  return new Set((features.capabilities.get('fetch') ?? '').split(' '));
}

/** The request body. One message holds everything: no rounds of negotiation. */
export function formatFetch(request: FetchWants, features: ServerFeatures, agent: string): Buffer {
  return features.version === 2 ? formatFetchV2(request, features, agent) : formatFetchV0(request, features, agent);
}

function formatFetchV2(request: FetchWants, features: ServerFeatures, agent: string): Buffer {
  const lines = [formatPkt('command=fetch\n'), ...commandCapabilities(features, agent), DELIM_PKT];
  // Without thin-pack a server sends the whole tree again for each new commit at depth 1.
  for (const option of ['thin-pack', 'no-progress', 'ofs-delta']) lines.push(formatPkt(`${option}\n`));
  if (canShallow(features)) {
    for (const oid of request.shallow) lines.push(formatPkt(`shallow ${oid}\n`));
    if (request.depth !== undefined) lines.push(formatPkt(`deepen ${request.depth}\n`));
  }
  if (request.filter !== undefined && canFilter(features)) lines.push(formatPkt(`filter ${request.filter}\n`));
  for (const oid of request.wants) lines.push(formatPkt(`want ${oid}\n`));
  for (const oid of request.haves) lines.push(formatPkt(`have ${oid}\n`));
  lines.push(formatPkt('done\n'));
  return Buffer.concat([...lines, FLUSH_PKT]);
}

const WANTED_V0 = ['thin-pack', 'no-progress', 'ofs-delta'];

function formatFetchV0(request: FetchWants, features: ServerFeatures, agent: string): Buffer {
  const { capabilities } = features;
  const asked = WANTED_V0.filter((name) => capabilities.has(name));
  // Azure DevOps refuses clients that do not say this (`TF401041: Clients must support multi-ack`). Since all is sent
  // in one message, the answer is read in the same way with and without it.
  const multiAck = ['multi_ack_detailed', 'multi_ack'].find((name) => capabilities.has(name));
  if (multiAck !== undefined) asked.unshift(multiAck);
  if (capabilities.has('side-band-64k')) asked.push('side-band-64k');
  else if (capabilities.has('side-band')) asked.push('side-band');
  else throw new GitError('GitUnsupported', 'the server has no side-band capability');
  const cutsHistory = canShallow(features);
  if (cutsHistory) asked.push('shallow');
  const filters = request.filter !== undefined && capabilities.has('filter');
  if (filters) asked.push('filter');
  if (capabilities.has('object-format')) asked.push(`object-format=${features.format}`);
  if (capabilities.has('agent')) asked.push(`agent=${agent}`);
  const lines = request.wants.map((oid, index) =>
    formatPkt(`want ${oid}${index === 0 ? ` ${asked.join(' ')}` : ''}\n`),
  );
  if (cutsHistory) {
    for (const oid of request.shallow) lines.push(formatPkt(`shallow ${oid}\n`));
    if (request.depth !== undefined) lines.push(formatPkt(`deepen ${request.depth}\n`));
  }
  if (filters) lines.push(formatPkt(`filter ${request.filter}\n`));
  lines.push(FLUSH_PKT);
  for (const oid of request.haves) lines.push(formatPkt(`have ${oid}\n`));
  return Buffer.concat([...lines, formatPkt('done\n')]);
}

/** What stands before the pack. */
export interface FetchHead {
  readonly shallow: string[];
  readonly unshallow: string[];
}

/**
 * Reads the answer line by line. `push` returns the bytes of the pack that a line carries.
 * ```
 * v2:  head ──"shallow-info"──▶ shallow ──delim──▶ head ──"packfile"──▶ pack ──flush──▶ done
 * v0:  shallow ──flush──▶ acks ──NAK or final ACK──▶ pack ──flush──▶ done
 * ```
 */
export class FetchAnswer {
  readonly head: FetchHead = { shallow: [], unshallow: [] };
  private state: 'head' | 'shallow' | 'skip' | 'acks' | 'pack' | 'done';
  private readonly version: 0 | 1 | 2;

  /** @param deepened whether shallow lines were asked for; versions 0 and 1 send that section only then */
  constructor(version: 0 | 1 | 2, deepened: boolean) {
    this.version = version;
    if (version === 2) this.state = 'head';
    else this.state = deepened ? 'shallow' : 'acks';
  }

  /** True from the moment the pack begins: the head is complete. */
  get inPack(): boolean {
    return this.state === 'pack' || this.state === 'done';
  }

  /** True when the answer is complete. */
  get done(): boolean {
    return this.state === 'done';
  }

  /** Takes the next line. Throws GitError GitProtocol, GitRemoteMessage. */
  push(line: Pkt): Buffer | undefined {
    if (this.state === 'done') {
      if (line.kind === 'data') throw new GitError('GitProtocol', 'the server sent more after the end of its answer');
      return undefined;
    }
    if (this.state === 'pack') return this.packLine(line);
    if (line.kind === 'data' && (this.state === 'acks' || this.state === 'shallow') && isSideBand(line.data)) {
      this.state = 'pack';
      return this.packLine(line);
    }
    if (line.kind === 'data') this.headLine(checkError(pktText(line.data)));
    else this.border(line.kind);
    return undefined;
  }

  /** Throws GitError GitProtocol when the answer stopped short. */
  finish(): void {
    if (this.state !== 'done') throw new GitError('GitProtocol', 'unexpected EOF: the server stopped in its answer');
  }

  private headLine(text: string): void {
    if (this.state === 'head') {
      if (text === 'packfile') this.state = 'pack';
      else if (text === 'shallow-info') this.state = 'shallow';
      else this.state = 'skip';
      return;
    }
    if (this.state === 'shallow') {
      const match = /^(shallow|unshallow) ([0-9a-f]{40,64})$/.exec(text);
      if (match !== null) {
        this.head[match[1] as 'shallow' | 'unshallow'].push(match[2] as string);
        return;
      }
      if (this.version === 2) throw new GitError('GitProtocol', 'malformed line among the shallow commits');
      this.state = 'acks';
    }
    if (this.state === 'acks' && text !== 'NAK' && !text.startsWith('ACK ')) {
      throw new GitError('GitProtocol', 'the server answered with neither ACK nor NAK');
    }
  }

  private border(kind: 'flush' | 'delim' | 'end'): void {
    if (this.version === 2) {
      if (kind === 'delim') this.state = 'head';
      else throw new GitError('GitProtocol', 'the server sent no pack');
      return;
    }
    if (this.state === 'shallow' && kind === 'flush') this.state = 'acks';
    else throw new GitError('GitProtocol', 'the server sent no pack');
  }

  private packLine(line: Pkt): Buffer | undefined {
    if (line.kind !== 'data') {
      this.state = 'done';
      return undefined;
    }
    switch (line.data[0]) {
      case 1:
        return line.data.subarray(1);
      case 2:
        return undefined;
      case 3:
        throw new GitError('GitRemoteMessage', cleanRemoteText(line.data.toString('utf8', 1)));
    }
    checkError(pktText(line.data));
    throw new GitError('GitProtocol', 'the server sent a line of no known band');
  }
}

function isSideBand(data: Buffer): boolean {
  const band = data[0];
  return band === 1 || band === 2 || band === 3;
}
