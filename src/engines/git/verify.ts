// Owns checking the signature of a commit or tag with the keys of a Secret, in Flux's words (flux.md §2.6). OpenPGP is
// loaded only when there is such a signature.
import { errorMessage } from '../../lib/errors.ts';
import { GitError } from './errors.ts';
import { type SignatureKeys, signatureType, verifySshSignature } from './signature.ts';

/** What carries the signature. */
export interface SignedObject {
  readonly kind: 'commit' | 'tag';
  readonly signature?: string;
  /** The bytes that are signed. */
  readonly payload: Uint8Array;
}

/**
 * Checks a signature. Keys that are expired or revoked at `now` do not count, whenever the signature was made.
 * @returns id of the key: 16 hex digits of an OpenPGP primary key, or `SHA256:…` of an SSH key
 * @throws GitError GitSignature; its message is the `<why>` of Flux's conditions
 */
export async function verifySignature(object: SignedObject, keys: SignatureKeys, now: Date): Promise<string> {
  const type = signatureType(object.signature);
  if (type === 'openpgp') {
    if (keys.pgp.length === 0) {
      throw bad('PGP signature detected but no PGP public keys found in secret (keys with .asc suffix)');
    }
    return inContext(`unable to verify Git ${object.kind}`, () => verifyPgp(object, keys.pgp, now));
  }
  if (type === 'ssh') {
    if (keys.ssh.length === 0) {
      throw bad('SSH signature detected but no SSH public keys found in secret (keys with .sshpub suffix)');
    }
    const signature = object.signature as string;
    return inContext(`unable to verify Git ${object.kind} SSH signature`, async () =>
      verifySshSignature(signature, object.payload, keys.ssh),
    );
  }
  throw bad(`unsupported signature type: ${type}`);
}

async function verifyPgp(object: SignedObject, keyRings: readonly string[], now: Date): Promise<string> {
  const openpgp = await import('openpgp');
  const signature = await openpgp.readSignature({ armoredSignature: (object.signature as string).trim() });
  const message = await openpgp.createMessage({ binary: object.payload });
  let unreadable: GitError | undefined;
  let tried = false;
  for (const armoredKeys of keyRings) {
    let verificationKeys: Awaited<ReturnType<typeof openpgp.readKeys>>;
    try {
      verificationKeys = await openpgp.readKeys({ armoredKeys });
    } catch (error) {
      unreadable ??= bad(`unable to read armored key ring: ${errorMessage(error)}`);
      continue;
    }
    tried = true;
    for (const key of verificationKeys) {
      const result = await openpgp.verify({ message, signature, verificationKeys: key, date: now, format: 'binary' });
      for (const { keyID, verified } of result.signatures) {
        if (await isTrue(verified, () => key.getSigningKey(keyID, now))) return key.getKeyID().toHex().toUpperCase();
      }
    }
  }
  if (!tried && unreadable !== undefined) throw unreadable;
  throw bad('unable to verify payload with any of the given key rings: no matching key');
}

// `verified` judges the key as of the signature's date; a key that has expired or was revoked since must not count.
async function isTrue(verified: Promise<unknown>, usableNow: () => Promise<unknown>): Promise<boolean> {
  try {
    await verified;
    await usableNow();
    return true;
  } catch {
    // Not this key; whether another one fits decides.
    return false;
  }
}

async function inContext(context: string, run: () => Promise<string>): Promise<string> {
  try {
    return await run();
  } catch (error) {
    throw new GitError('GitSignature', `${context}: ${errorMessage(error)}`, {}, { cause: error });
  }
}

function bad(message: string): GitError {
  return new GitError('GitSignature', message);
}
