// Owns a SOPS document as data: an ordered tree, what of it is encrypted, and decrypting it. Reading and writing files
// is formats.ts, the data key is data-key.ts.
import { createDecipheriv } from 'node:crypto';
import { CodedError } from '../../lib/errors.ts';
import { compileRegexp } from '../../lib/regexp.ts';

/**
 * A document that cannot be decrypted. Codes: `SopsInvalid` (malformed), `SopsKey` (no key fits), `SopsUnsupported`.
 * Messages carry neither plaintext nor ciphertext.
 */
export class SopsError extends CodedError<'SopsInvalid' | 'SopsKey' | 'SopsUnsupported'> {}

export function sopsInvalid(message: string): SopsError {
  return new SopsError('SopsInvalid', message, {});
}

export type SopsLeaf = null | boolean | number | bigint | string;
export type SopsValue = SopsLeaf | SopsBranch | readonly SopsValue[];

/** A mapping in the order of the file. */
export class SopsBranch {
  readonly items: readonly SopsItem[];

  constructor(items: readonly SopsItem[]) {
    this.items = items;
  }

  get(key: string): SopsValue | undefined {
    return this.items.find((item): item is SopsEntry => 'key' in item && item.key === key)?.value;
  }
}

export interface SopsEntry {
  readonly key: string;
  readonly value: SopsValue;
}

/** An entry, or a comment line without its `#`. */
export type SopsItem = SopsEntry | { readonly comment: string };

/** What says which values are encrypted. */
export interface EncryptionRules {
  readonly unencryptedSuffix: string;
  readonly encryptedSuffix: string;
  readonly unencryptedRegex: string;
  readonly encryptedRegex: string;
  readonly unencryptedCommentRegex: string;
  readonly encryptedCommentRegex: string;
}

const PATTERN = /^ENC\[AES256_GCM,data:([^,]+),iv:([^,]+),tag:([^,]+),type:([^,\]]+)\]$/;

/** Decrypts a tree. The MAC is not checked: builds change objects before they get here (flux.md §4.6). */
export function decryptTree(tree: SopsBranch, rules: EncryptionRules, key: Uint8Array): SopsBranch {
  return new Decryption(rules, key).branch(tree, [], []);
}

class Decryption {
  readonly #rules: EncryptionRules;
  readonly #key: Uint8Array;
  readonly #isUnencrypted: (text: string) => boolean;
  readonly #isEncrypted: (text: string) => boolean;
  readonly #isUnencryptedComment: (text: string) => boolean;
  readonly #isEncryptedComment: (text: string) => boolean;

  constructor(rules: EncryptionRules, key: Uint8Array) {
    this.#rules = rules;
    this.#key = key;
    this.#isUnencrypted = matcher(rules.unencryptedRegex);
    this.#isEncrypted = matcher(rules.encryptedRegex);
    this.#isUnencryptedComment = matcher(rules.unencryptedCommentRegex);
    this.#isEncryptedComment = matcher(rules.encryptedCommentRegex);
  }

  branch(branch: SopsBranch, path: readonly string[], comments: readonly string[]): SopsBranch {
    let own: string[] = [];
    const items: SopsItem[] = [];
    for (const item of branch.items) {
      if ('comment' in item) {
        const comment = this.#comment(item.comment, path, [...comments, ...own]);
        own.push(comment);
        items.push({ comment });
        continue;
      }
      const { key, value } = item;
      items.push({ key, value: this.#value(value, [...path, key], [...comments, ...own]) });
      own = [];
    }
    return new SopsBranch(items);
  }

  #value(value: SopsValue, path: readonly string[], comments: readonly string[]): SopsValue {
    if (value instanceof SopsBranch) return this.branch(value, path, comments);
    if (Array.isArray(value)) return value.map((item: SopsValue) => this.#value(item, path, comments));
    if (value === null || !this.#shouldDecrypt(path, comments)) return value;
    if (typeof value !== 'string') {
      throw sopsInvalid(`Error walking tree: Expected encrypted value as string, but got a ${typeof value}`);
    }
    return decryptValue(value, this.#key, path);
  }

  /** A comment that does not decrypt was never encrypted. */
  #comment(comment: string, path: readonly string[], before: readonly string[]): string {
    if (!this.#shouldDecrypt(path, before)) return comment;
    try {
      return String(decryptValue(comment, this.#key, path));
    } catch {
      return comment;
    }
  }

  #shouldDecrypt(path: readonly string[], comments: readonly string[]): boolean {
    const rules = this.#rules;
    let encrypted = true;
    if (rules.unencryptedSuffix !== '') encrypted = !path.some((key) => key.endsWith(rules.unencryptedSuffix));
    if (rules.encryptedSuffix !== '') encrypted = path.some((key) => key.endsWith(rules.encryptedSuffix));
    if (rules.unencryptedRegex !== '' && path.some(this.#isUnencrypted)) encrypted = false;
    if (rules.encryptedRegex !== '') encrypted = path.some(this.#isEncrypted);
    if (rules.unencryptedCommentRegex !== '' && comments.some(this.#isUnencryptedComment)) encrypted = false;
    if (rules.encryptedCommentRegex !== '') encrypted = comments.some(this.#isEncryptedComment);
    return encrypted;
  }
}

/** A pattern that does not compile matches nothing, as in SOPS. */
function matcher(pattern: string): (text: string) => boolean {
  if (pattern === '') return () => false;
  try {
    const regexp = compileRegexp(pattern);
    return (text) => regexp.test(text);
  } catch {
    return () => false;
  }
}

/** Decrypts `ENC[AES256_GCM,…]`; the path authenticates where the value stands. */
function decryptValue(text: string, key: Uint8Array, path: readonly string[]): SopsLeaf {
  if (text === '') return '';
  const match = PATTERN.exec(text);
  if (match === null) {
    throw sopsInvalid(
      "Error walking tree: Could not decrypt value: Input string <redacted> does not match sops' data format",
    );
  }
  const [data, iv, tag] = match.slice(1, 4).map((part) => Buffer.from(part, 'base64'));
  let plain: string;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv!, { authTagLength: 16 });
    decipher.setAuthTag(tag!);
    decipher.setAAD(Buffer.from(`${path.join(':')}:`));
    plain = Buffer.concat([decipher.update(data!), decipher.final()]).toString('utf8');
  } catch {
    const where = path.join('.');
    throw sopsInvalid(
      `Error walking tree: Could not decrypt value: it was changed or moved (at ${JSON.stringify(where)})`,
    );
  }
  return typedLeaf(plain, match[4]!);
}

function typedLeaf(plain: string, type: string): SopsLeaf {
  switch (type) {
    case 'int': {
      const value = Number(plain);
      return Number.isSafeInteger(value) ? value : BigInt(plain);
    }
    case 'float':
      return Number(plain);
    case 'bool':
      return /^(1|t|true)$/i.test(plain);
    case 'str':
    case 'comment':
    case 'bytes':
    case 'time':
      return plain;
    default:
      throw sopsInvalid(`Error walking tree: Could not decrypt value: Unknown datatype: ${type}`);
  }
}
