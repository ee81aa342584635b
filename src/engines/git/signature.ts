// Owns signatures on commits and tags: which kind one is, SSH signatures (SSHSIG) and the lists of keys that may sign.
// OpenPGP is verify.ts; what a failed check leads to is the controller's business.
import { createHash } from 'node:crypto';
import { GitError } from './errors.ts';
import { fingerprint, type SshPublicKey, verifySsh, WireReader, wireString } from './ssh-wire.ts';

/** Kind of a signature as Flux names it. */
export type SignatureType = 'openpgp' | 'ssh' | 'x509' | 'empty' | 'unknown';

/** Keys that may sign, by kind: armored key rings, and texts of authorized_keys lines. */
export interface SignatureKeys {
  readonly pgp: readonly string[];
  readonly ssh: readonly string[];
}

/** What Git signs under. */
const NAMESPACE = 'git';

/** Kind of an armored signature, told by its first line. */
export function signatureType(signature: string | undefined): SignatureType {
  const text = signature?.trim() ?? '';
  if (text.startsWith('-----BEGIN PGP SIGNATURE-----')) return 'openpgp';
  if (text.startsWith('-----BEGIN SSH SIGNATURE-----')) return 'ssh';
  if (text.startsWith('-----BEGIN SIGNED MESSAGE-----')) return 'x509';
  return text === '' ? 'empty' : 'unknown';
}

/** Sorts a Secret's data into keys: `*.sshpub` are SSH keys, everything else is taken for OpenPGP. */
export function sortSignatureKeys(data: Readonly<Record<string, string>>): SignatureKeys {
  const names = Object.keys(data).sort();
  const isSsh = (name: string) => name.endsWith('.sshpub');
  return {
    pgp: names.filter((name) => !isSsh(name)).map((name) => data[name] as string),
    ssh: names.filter(isSsh).map((name) => data[name] as string),
  };
}

/**
 * Checks an SSH signature against lists of authorized keys.
 * @returns fingerprint of the key that made it, `SHA256:…`
 * @throws GitError GitSignature
 */
export function verifySshSignature(signature: string, payload: Uint8Array, keyLists: readonly string[]): string {
  const parsed = parseSshSignature(signature);
  let unreadable: GitError | undefined;
  let tried = false;
  for (const list of keyLists) {
    let keys: SshPublicKey[];
    try {
      keys = parseAuthorizedKeys(list);
    } catch (error) {
      unreadable ??= error as GitError;
      continue;
    }
    tried = true;
    for (const key of keys) {
      if (key.blob.equals(parsed.publicKey) && isSignedBy(key, parsed, payload)) return fingerprint(key.blob);
    }
  }
  if (!tried && unreadable !== undefined) throw unreadable;
  throw new GitError('GitSignature', 'unable to verify payload with any of the given authorized keys: no matching key');
}

interface SshSignature {
  readonly publicKey: Buffer;
  readonly namespace: string;
  readonly reserved: Buffer;
  readonly hash: string;
  readonly signature: Buffer;
}

function isSignedBy(key: SshPublicKey, signature: SshSignature, payload: Uint8Array): boolean {
  if (signature.namespace !== NAMESPACE) return false;
  const data = Buffer.concat([
    Buffer.from('SSHSIG'),
    wireString(signature.namespace),
    wireString(signature.reserved),
    wireString(signature.hash),
    wireString(createHash(signature.hash).update(payload).digest()),
  ]);
  return verifySsh(key, data, signature.signature);
}

function parseSshSignature(armored: string): SshSignature {
  const match = /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----$/.exec(
    armored.trim(),
  );
  if (match === null) throw bad('unable to unarmor SSH signature');
  const reader = new WireReader(Buffer.from(match[1] as string, 'base64'));
  if (reader.take(6).toString('latin1') !== 'SSHSIG') throw bad('unable to unarmor SSH signature: no SSHSIG');
  const version = reader.uint32();
  if (version !== 1) throw bad(`unable to unarmor SSH signature: version ${version} is not supported`);
  const publicKey = reader.string();
  const namespace = reader.text();
  const reserved = reader.string();
  const hash = reader.text();
  const signature = reader.string();
  if (hash !== 'sha256' && hash !== 'sha512') throw bad(`SSH signature uses the hash '${hash}', which is not accepted`);
  return { publicKey, namespace, reserved, hash, signature };
}

/** Reads authorized_keys lines; options before a key are passed over. Throws GitError GitSignature on a line that is none. */
export function parseAuthorizedKeys(text: string): SshPublicKey[] {
  const keys: SshPublicKey[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    keys.push(parseAuthorizedKey(line));
  }
  return keys;
}

function parseAuthorizedKey(line: string): SshPublicKey {
  // Options may hold spaces in double quotes.
  const words = line.match(/(?:"(?:\\.|[^"\\])*"|[^\s"])+/g) ?? [];
  for (const [index, type] of words.slice(0, 2).entries()) {
    const blob = Buffer.from(words[index + 1] ?? '', 'base64');
    if (blob.length < 8 || blob.length < 4 + blob.readUInt32BE(0)) continue;
    if (blob.toString('latin1', 4, 4 + blob.readUInt32BE(0)) === type) return { type, blob };
  }
  throw bad('unable to parse authorized keys: unable to parse authorized key: ssh: no key found');
}

function bad(message: string): GitError {
  return new GitError('GitSignature', message);
}
