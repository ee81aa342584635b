// Owns the data key of a SOPS file: who it is encrypted for, and getting it with age identities or OpenPGP keys.
// The libraries are only loaded when a file needs them.
import { errorMessage } from '../../lib/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import { SopsError } from './tree.ts';

/** Keys to decrypt with, as a decryption Secret holds them. */
export interface DecryptionKeys {
  /** `AGE-SECRET-KEY-1…` */
  readonly ageIdentities: readonly string[];
  /** Armored private keys without passphrase. */
  readonly pgpKeys: readonly string[];
}

/** Names of key services that are not supported, by their list in the metadata. */
const SERVICES: readonly (readonly [string, string])[] = [
  ['kms', 'AWS KMS'],
  ['gcp_kms', 'Google Cloud KMS'],
  ['azure_kv', 'Azure Key Vault'],
  ['hc_vault', 'HashiCorp Vault'],
  ['hckms', 'Huawei Cloud KMS'],
];

/** The 32-byte key that the values are encrypted with. Throws SopsError. */
export async function findDataKey(metadata: JsonObject, keys: DecryptionKeys): Promise<Uint8Array> {
  const group = groupOf(metadata);
  const tried: string[] = [];
  for (const entry of listOf(group['age'])) {
    const key = await tryAge(textOf(entry, 'enc'), keys.ageIdentities);
    if (key !== undefined) return checkKey(key);
    tried.push(`age ${textOf(entry, 'recipient')}`);
  }
  for (const entry of listOf(group['pgp'])) {
    const key = await tryPgp(textOf(entry, 'enc'), keys.pgpKeys);
    if (key !== undefined) return checkKey(key);
    tried.push(`OpenPGP ${textOf(entry, 'fp')}`);
  }
  const services = SERVICES.filter(([name]) => listOf(group[name]).length > 0).map(([, title]) => title);
  throw keyError(tried, services);
}

function keyError(tried: readonly string[], services: readonly string[]): SopsError {
  if (tried.length === 0 && services.length > 0) {
    const message = `cannot get sops data key: ${services.join(', ')} is not supported: encrypt the file for an age or OpenPGP key, too`;
    return new SopsError('SopsUnsupported', message, {});
  }
  if (tried.length === 0) {
    return new SopsError('SopsKey', 'cannot get sops data key: the file names no key that it is encrypted for', {});
  }
  const others = services.length > 0 ? `; ${services.join(', ')} is not supported` : '';
  const message = `cannot get sops data key: none of the keys given fits: it is encrypted for ${tried.join(', ')}${others}`;
  return new SopsError('SopsKey', message, {});
}

/** The one group of keys; several groups share the data key among them. */
function groupOf(metadata: JsonObject): JsonObject {
  const groups = listOf(metadata['key_groups']);
  if (groups.length > 1 || Number(metadata['shamir_threshold'] ?? 0) > 1) {
    const message = 'cannot get sops data key: key groups (shamir_threshold) are not supported';
    throw new SopsError('SopsUnsupported', message, {});
  }
  return groups[0] ?? metadata;
}

function checkKey(key: Uint8Array): Uint8Array {
  if (key.length === 32) return key;
  throw new SopsError('SopsInvalid', 'cannot get sops data key: it does not have 32 bytes', {});
}

async function tryAge(armored: string, identities: readonly string[]): Promise<Uint8Array | undefined> {
  if (identities.length === 0) return undefined;
  const { armor, Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(armor.decode(armored));
  } catch {
    return undefined;
  }
}

const MAX_MESSAGE = 64 * 1024;

async function tryPgp(armored: string, armoredKeys: readonly string[]): Promise<Uint8Array | undefined> {
  if (armoredKeys.length === 0) return undefined;
  const openpgp = await import('openpgp');
  try {
    const message = await openpgp.readMessage({ armoredMessage: armored });
    const lists = await Promise.all(armoredKeys.map((key) => openpgp.readPrivateKeys({ armoredKeys: key })));
    const decrypted = await openpgp.decrypt({
      message,
      decryptionKeys: lists.flat(),
      format: 'binary',
      // A data key has 32 bytes; a compressed message could hold any amount.
      config: { maxDecompressedMessageSize: MAX_MESSAGE },
    });
    return decrypted.data as Uint8Array;
  } catch {
    return undefined;
  }
}

/**
 * Reads the keys of a decryption Secret: entries `*.agekey` and `*.asc`. Credentials of key services are not used.
 * Throws SopsError for a key that cannot be read; its text is not in the message.
 * @param data decoded entries
 */
export async function readDecryptionKeys(data: ReadonlyMap<string, Uint8Array>): Promise<DecryptionKeys> {
  const ageIdentities: string[] = [];
  const pgpKeys: string[] = [];
  for (const [name, bytes] of data) {
    const text = Buffer.from(bytes).toString('utf8');
    if (name.endsWith('.agekey')) ageIdentities.push(...(await readAgeKeys(name, text)));
    else if (name.endsWith('.asc')) pgpKeys.push(await checkPgpKey(name, text));
  }
  return { ageIdentities, pgpKeys };
}

async function readAgeKeys(name: string, text: string): Promise<string[]> {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0) throw importError(name, 'no secret keys found');
  const { identityToRecipient } = await import('age-encryption');
  for (const [index, line] of lines.entries()) {
    try {
      await identityToRecipient(line);
    } catch {
      throw importError(name, `error at line ${index + 1}: malformed secret key`);
    }
  }
  return lines;
}

async function checkPgpKey(name: string, text: string): Promise<string> {
  const openpgp = await import('openpgp');
  try {
    const keys = await openpgp.readPrivateKeys({ armoredKeys: text });
    if (keys.some((key) => !key.isDecrypted())) throw new Error('the key is protected by a passphrase');
  } catch (error) {
    throw importError(name, errorMessage(error));
  }
  return text;
}

function importError(name: string, problem: string): SopsError {
  return new SopsError('SopsKey', `failed to import '${name}' data from sops decryption Secret: ${problem}`, {});
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function textOf(entry: JsonObject, field: string): string {
  const value = entry[field];
  return typeof value === 'string' ? value : '';
}
