// Owns what servers say about themselves and their refs: the capability advertisement of every protocol version and
// the ls-refs command of version 2. Bytes in, values out.
import { GitError } from '../errors.ts';
import { isOid, type ObjectFormat } from '../oid.ts';
import { DELIM_PKT, FLUSH_PKT, formatPkt, type Pkt, pktText } from './pktline.ts';

/** A ref of a remote repository. */
export interface RemoteRef {
  /** Full name, `refs/heads/main` or `HEAD`. */
  readonly name: string;
  readonly oid: string;
  /** What an annotated tag finally points to. */
  readonly peeled?: string;
  /** Name of the ref that a symbolic one stands for. */
  readonly symrefTarget?: string;
}

/** What a server can do. */
export interface ServerFeatures {
  readonly version: 0 | 1 | 2;
  readonly format: ObjectFormat;
  /** Capabilities by name; the value after `=`, or ''. */
  readonly capabilities: ReadonlyMap<string, string>;
}

/** The first answer of a server. Version 2 names no refs here. */
export interface Advertisement {
  readonly features: ServerFeatures;
  readonly refs: readonly RemoteRef[];
}

/** Options of an ls-refs command. */
export interface LsRefsOptions {
  /** Only refs whose names begin with one of these; all when empty. Servers may send more. */
  readonly prefixes: readonly string[];
  readonly peel: boolean;
  readonly symrefs: boolean;
}

// A server may repeat itself without end; nothing real has this many.
const MAX_REFS = 5_000_000;

/**
 * Reads the lines before the first request: of a smart-HTTP `info/refs` answer (with its `# service` head) or of an
 * SSH connection.
 * @throws GitError GitProtocol; GitRemoteMessage with the server's own words
 */
export function parseAdvertisement(lines: readonly Pkt[]): Advertisement {
  const texts: string[] = [];
  for (const line of lines) {
    if (line.kind === 'data') texts.push(checkError(pktText(line.data)));
  }
  if (texts[0]?.startsWith('# service=') === true) texts.shift();
  if (texts[0] === 'version 2') return { features: parseFeatures(texts.slice(1)), refs: [] };
  const version = texts[0] === 'version 1' ? 1 : 0;
  if (version === 1) texts.shift();
  return parseOldAdvertisement(texts, version);
}

/** Throws GitError GitRemoteMessage when the line is a server's error, else returns the line. */
export function checkError(text: string): string {
  if (!text.startsWith('ERR ')) return text;
  throw new GitError('GitRemoteMessage', cleanRemoteText(text.slice(4)));
}

/** A server's words as one clean line of bounded length. */
export function cleanRemoteText(text: string): string {
  const line = text.replaceAll(/[\u0000-\u001f\u007f\s]+/g, ' ').trim();
  return line.length > 500 ? `${line.slice(0, 500)}...` : line;
}

function parseFeatures(texts: readonly string[]): ServerFeatures {
  const capabilities = new Map<string, string>();
  for (const text of texts) addCapability(capabilities, text);
  return { version: 2, format: formatOf(capabilities), capabilities };
}

function parseOldAdvertisement(texts: readonly string[], version: 0 | 1): Advertisement {
  const first = texts[0] ?? '';
  const nul = first.indexOf('\0');
  const capabilities = new Map<string, string>();
  const symrefs = new Map<string, string>();
  for (const word of nul < 0 ? [] : first.slice(nul + 1).split(' ')) {
    if (word.startsWith('symref=')) {
      const [name = '', target = ''] = word.slice(7).split(':');
      symrefs.set(name, target);
    } else if (word !== '') {
      addCapability(capabilities, word);
    }
  }
  const refs = new Map<string, RemoteRef>();
  for (const [index, raw] of texts.entries()) {
    const text = index === 0 && nul >= 0 ? raw.slice(0, nul) : raw;
    if (text.startsWith('shallow ') || text === '') continue;
    addOldRef(refs, text, symrefs);
  }
  // Servers before Git 2.x say nothing at all about a repository without commits.
  return { features: { version, format: formatOf(capabilities), capabilities }, refs: [...refs.values()] };
}

function addOldRef(refs: Map<string, RemoteRef>, text: string, symrefs: ReadonlyMap<string, string>): void {
  const space = text.indexOf(' ');
  const oid = text.slice(0, space);
  const name = text.slice(space + 1);
  if (space < 0 || !isOid(oid)) throw new GitError('GitProtocol', 'the server sent a malformed ref line');
  // An empty repository has one line only, to carry the capabilities.
  if (name === 'capabilities^{}') return;
  if (refs.size >= MAX_REFS)
    throw new GitError('GitLimitExceeded', 'the server has too many refs', { limit: MAX_REFS });
  if (name.endsWith('^{}')) {
    const tag = refs.get(name.slice(0, -3));
    if (tag !== undefined) refs.set(tag.name, { ...tag, peeled: oid });
    return;
  }
  const target = symrefs.get(name);
  refs.set(name, { name, oid, ...(target === undefined ? {} : { symrefTarget: target }) });
}

function addCapability(capabilities: Map<string, string>, text: string): void {
  const equals = text.indexOf('=');
  if (equals < 0) capabilities.set(text, '');
  else capabilities.set(text.slice(0, equals), text.slice(equals + 1));
}

function formatOf(capabilities: ReadonlyMap<string, string>): ObjectFormat {
  const name = capabilities.get('object-format') ?? 'sha1';
  if (name !== 'sha1' && name !== 'sha256') {
    throw new GitError('GitUnsupported', `object format '${name}' is not supported`);
  }
  return name;
}

/** The request body of ls-refs. */
export function formatLsRefs(options: LsRefsOptions, features: ServerFeatures, agent: string): Buffer {
  const lines = [formatPkt('command=ls-refs\n'), ...commandCapabilities(features, agent), DELIM_PKT];
  if (options.peel) lines.push(formatPkt('peel\n'));
  if (options.symrefs) lines.push(formatPkt('symrefs\n'));
  for (const prefix of options.prefixes) lines.push(formatPkt(`ref-prefix ${prefix}\n`));
  return Buffer.concat([...lines, FLUSH_PKT]);
}

/** Capabilities that every version 2 command of ours carries. */
export function commandCapabilities(features: ServerFeatures, agent: string): Buffer[] {
  const lines: Buffer[] = [];
  if (features.capabilities.has('agent')) lines.push(formatPkt(`agent=${agent}\n`));
  if (features.capabilities.has('object-format')) lines.push(formatPkt(`object-format=${features.format}\n`));
  return lines;
}

/** Reads the answer to ls-refs. Throws GitError GitProtocol, GitRemoteMessage. */
export function parseLsRefs(lines: readonly Pkt[]): RemoteRef[] {
  const refs: RemoteRef[] = [];
  for (const line of lines) {
    if (line.kind === 'flush' || line.kind === 'end') break;
    if (line.kind !== 'data') throw new GitError('GitProtocol', 'unexpected mark in the list of refs');
    if (refs.length >= MAX_REFS)
      throw new GitError('GitLimitExceeded', 'the server has too many refs', { limit: MAX_REFS });
    const ref = parseRefLine(checkError(pktText(line.data)));
    if (ref !== undefined) refs.push(ref);
  }
  return refs;
}

function parseRefLine(text: string): RemoteRef | undefined {
  const [oid = '', name = '', ...attributes] = text.split(' ');
  // `unborn HEAD symref-target:refs/heads/main`: the repository is empty.
  if (oid === 'unborn') return undefined;
  if (!isOid(oid) || name === '') throw new GitError('GitProtocol', 'the server sent a malformed ref line');
  const peeled = attributes.find((attribute) => attribute.startsWith('peeled:'))?.slice(7);
  const target = attributes.find((attribute) => attribute.startsWith('symref-target:'))?.slice(14);
  if (peeled !== undefined && !isOid(peeled)) throw new GitError('GitProtocol', 'the server sent a malformed ref line');
  return {
    name,
    oid,
    ...(peeled === undefined ? {} : { peeled }),
    ...(target === undefined ? {} : { symrefTarget: target }),
  };
}
