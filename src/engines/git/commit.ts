// Owns commit and tag objects: their headers, message, signature and the exact bytes that the signature covers.
import { GitError } from './errors.ts';
import { asBuffer, isOid, type ObjectType } from './oid.ts';

/** Who did something and when. */
export interface Identity {
  readonly name: string;
  readonly email: string;
  /** Seconds since 1970. */
  readonly seconds: number;
  /** Zone as written, `+0200`. */
  readonly zone: string;
}

/** A commit object. */
export interface Commit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Identity;
  readonly committer: Identity;
  readonly message: string;
  /** Armored signature, when the commit is signed. */
  readonly signature?: string;
  /** The bytes that the signature covers: the object without its signature header. */
  readonly payload: Uint8Array;
}

/** An annotated tag object. */
export interface Tag {
  readonly target: string;
  readonly targetType: ObjectType;
  readonly name: string;
  readonly tagger?: Identity;
  readonly message: string;
  readonly signature?: string;
  /** The bytes that the signature covers: everything before it. */
  readonly payload: Uint8Array;
}

const SIGNATURE_HEADERS: ReadonlySet<string> = new Set(['gpgsig', 'gpgsig-sha256']);
const SIGNATURE_STARTS = [
  '-----BEGIN PGP SIGNATURE-----',
  '-----BEGIN PGP MESSAGE-----',
  '-----BEGIN SSH SIGNATURE-----',
  '-----BEGIN SIGNED MESSAGE-----',
];

interface Header {
  readonly key: string;
  readonly value: string;
  /** Byte range of the header, continuation lines included. */
  readonly start: number;
  readonly end: number;
}

/** Reads a commit object. Throws GitError GitCorruptObject. */
export function parseCommit(bytes: Uint8Array): Commit {
  const buffer = asBuffer(bytes);
  const { headers, bodyAt } = parseHeaders(buffer);
  const tree = single(headers, 'tree');
  const parents = headers.filter((header) => header.key === 'parent').map((header) => header.value);
  if (!isOid(tree) || !parents.every((parent) => isOid(parent))) throw bad('commit names no tree');
  // A SHA-1 commit is signed by `gpgsig`; in a SHA-256 repository the header is `gpgsig-sha256`. The other one may
  // stand beside it in converted repositories and is no part of what was signed either.
  const wanted = tree.length === 64 ? 'gpgsig-sha256' : 'gpgsig';
  const signed = headers.find((header) => header.key === wanted);
  return {
    tree,
    parents,
    author: parseIdentity(single(headers, 'author')),
    committer: parseIdentity(single(headers, 'committer')),
    message: buffer.toString('utf8', bodyAt),
    ...(signed === undefined ? {} : { signature: `${signed.value}\n` }),
    payload: withoutSignatures(buffer, headers),
  };
}

/** Reads an annotated tag object. Throws GitError GitCorruptObject. */
export function parseTag(bytes: Uint8Array): Tag {
  const buffer = asBuffer(bytes);
  const { headers, bodyAt } = parseHeaders(buffer);
  const target = single(headers, 'object');
  const targetType = single(headers, 'type');
  if (!isOid(target) || !isObjectType(targetType)) throw bad('tag names no object');
  const tagger = headers.find((header) => header.key === 'tagger');
  const signatureAt = findSignature(buffer, bodyAt);
  return {
    target,
    targetType,
    name: single(headers, 'tag'),
    ...(tagger === undefined ? {} : { tagger: parseIdentity(tagger.value) }),
    message: buffer.toString('utf8', bodyAt, signatureAt),
    ...(signatureAt === buffer.length ? {} : { signature: buffer.toString('utf8', signatureAt) }),
    payload: signatureAt === buffer.length ? withoutSignatures(buffer, headers) : buffer.subarray(0, signatureAt),
  };
}

/** The commit object with these fields. `signature` is put where Git puts it. */
export function formatCommit(commit: Omit<Commit, 'payload'>): Buffer {
  const lines = [`tree ${commit.tree}`, ...commit.parents.map((parent) => `parent ${parent}`)];
  lines.push(`author ${formatIdentity(commit.author)}`, `committer ${formatIdentity(commit.committer)}`);
  if (commit.signature !== undefined) {
    const key = commit.tree.length === 64 ? 'gpgsig-sha256' : 'gpgsig';
    lines.push(`${key} ${commit.signature.trimEnd().replaceAll('\n', '\n ')}`);
  }
  return Buffer.from(`${lines.join('\n')}\n\n${commit.message}`);
}

/** First line of a commit or tag message. */
export function subject(message: string): string {
  const start = message.trimStart();
  const end = start.indexOf('\n');
  return (end < 0 ? start : start.slice(0, end)).trimEnd();
}

function parseHeaders(buffer: Buffer): { headers: Header[]; bodyAt: number } {
  const headers: Header[] = [];
  let at = 0;
  while (at < buffer.length) {
    if (buffer[at] === 0x0a) return { headers, bodyAt: at + 1 };
    const start = at;
    let end = lineEnd(buffer, at);
    const first = buffer.toString('utf8', at, end);
    const space = first.indexOf(' ');
    if (space <= 0) throw bad('object header is malformed');
    const value = [first.slice(space + 1)];
    at = end + 1;
    while (buffer[at] === 0x20) {
      end = lineEnd(buffer, at);
      value.push(buffer.toString('utf8', at + 1, end));
      at = end + 1;
    }
    headers.push({ key: first.slice(0, space), value: value.join('\n'), start, end: Math.min(at, buffer.length) });
  }
  // A commit without a message may end right after its headers.
  return { headers, bodyAt: buffer.length };
}

function lineEnd(buffer: Buffer, at: number): number {
  const end = buffer.indexOf(0x0a, at);
  return end < 0 ? buffer.length : end;
}

function withoutSignatures(buffer: Buffer, headers: readonly Header[]): Buffer {
  const cuts = headers.filter((header) => SIGNATURE_HEADERS.has(header.key));
  if (cuts.length === 0) return buffer;
  const parts: Buffer[] = [];
  let at = 0;
  for (const cut of cuts) {
    parts.push(buffer.subarray(at, cut.start));
    at = cut.end;
  }
  parts.push(buffer.subarray(at));
  return Buffer.concat(parts);
}

// The signature of a tag is the last armor block that begins a line of its message, as in Git's own parse_signature.
function findSignature(buffer: Buffer, bodyAt: number): number {
  let found = buffer.length;
  for (let at = bodyAt; at < buffer.length; at = lineEnd(buffer, at) + 1) {
    for (const start of SIGNATURE_STARTS) {
      if (buffer.toString('latin1', at, at + start.length) === start) found = at;
    }
  }
  return found;
}

function single(headers: readonly Header[], key: string): string {
  const header = headers.find((candidate) => candidate.key === key);
  if (header === undefined) throw bad(`object has no ${key}`);
  return header.value;
}

function parseIdentity(text: string): Identity {
  // Names and addresses may hold anything but angle brackets; broken dates exist in old repositories and count as 0.
  const open = text.indexOf('<');
  const close = text.lastIndexOf('>');
  if (open < 0 || close < open) return { name: text.trim(), email: '', seconds: 0, zone: '+0000' };
  const [seconds = '', zone = ''] = text
    .slice(close + 1)
    .trim()
    .split(' ');
  return {
    name: text.slice(0, open).trim(),
    email: text.slice(open + 1, close),
    seconds: /^-?\d{1,12}$/.test(seconds) ? Number(seconds) : 0,
    zone: /^[+-]\d{4}$/.test(zone) ? zone : '+0000',
  };
}

function formatIdentity(identity: Identity): string {
  return `${identity.name} <${identity.email}> ${identity.seconds} ${identity.zone}`;
}

function isObjectType(text: string): text is ObjectType {
  return text === 'commit' || text === 'tree' || text === 'blob' || text === 'tag';
}

function bad(message: string): GitError {
  return new GitError('GitCorruptObject', message);
}
