// Owns sprig's passwords and encryption: derivePassword, bcrypt, htpasswd, AES.
import { createCipheriv, createDecipheriv, createHmac, scryptSync } from 'node:crypto';
import type { Execution } from '../execution.ts';
import { func, funcWith, type GoFunction } from '../function.ts';
import { fromBytes, toBytes } from '../gostring.ts';
import { GoError, STRING, UINT32 } from '../value.ts';
import { bcryptHash } from './bcrypt.ts';
import { decodeBase64, decodeError } from './encoding.ts';

export function cryptoFunctions(): [string, GoFunction][] {
  return [
    ['derivePassword', funcWith([UINT32, STRING, STRING, STRING, STRING], derivePassword)],
    ['bcrypt', funcWith([STRING], bcrypt)],
    ['htpasswd', funcWith([STRING, STRING], htpasswd)],
    ['encryptAES', funcWith([STRING, STRING], encryptAes)],
    ['decryptAES', func([STRING, STRING], decryptAes)],
  ];
}

/** Steps that one password hash (some 100 ms) counts as: fifteen in a render are allowed. */
const HASH_STEPS = 200_000;

// ---- Master Password ----------------------------------------------------------------------------

const SCOPE = 'com.lyndir.masterpassword';

/** Each letter of a template stands for a class of characters. */
const PASSWORD_TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map([
  ['maximum', ['anoxxxxxxxxxxxxxxxxx', 'axxxxxxxxxxxxxxxxxno']],
  [
    'long',
    (
      'CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv ' +
      'CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv ' +
      'CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno'
    ).split(' '),
  ],
  ['medium', ['CvcnoCvc', 'CvcCvcno']],
  ['short', ['Cvcn']],
  ['basic', ['aaanaaan', 'aannaaan', 'aaannaaa']],
  ['pin', ['nnnn']],
]);

const VOWELS = 'AEIOU';
const CONSONANTS = 'BCDFGHJKLMNPQRSTVWXYZ';
const LETTERS = VOWELS + VOWELS.toLowerCase() + CONSONANTS + CONSONANTS.toLowerCase();

const CHARACTERS: Readonly<Record<string, string>> = {
  V: VOWELS,
  C: CONSONANTS,
  v: VOWELS.toLowerCase(),
  c: CONSONANTS.toLowerCase(),
  A: VOWELS + CONSONANTS,
  a: LETTERS,
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: `${LETTERS}0123456789!@#$%^&*()`,
};

function derivePassword(
  execution: Execution,
  counter: number,
  type: string,
  ...texts: [string, string, string]
): string {
  const [password, user, site] = texts;
  const templates = PASSWORD_TEMPLATES.get(type);
  if (templates === undefined) return `cannot find password template ${type}`;
  execution.budget.spend(HASH_STEPS);
  const cost = { N: 32_768, r: 8, p: 2, maxmem: 64 * 1024 * 1024 };
  const key = scryptSync(toBytes(password), Buffer.concat([Buffer.from(SCOPE), prefixed(user)]), 64, cost);
  const message = Buffer.concat([Buffer.from(SCOPE), prefixed(site), bigEndian(counter)]);
  const seed = createHmac('sha256', key).update(message).digest();
  const template = templates[seed[0]! % templates.length]!;
  return [...template]
    .map((letter, index) => {
      const characters = CHARACTERS[letter]!;
      return characters[seed[index + 1]! % characters.length];
    })
    .join('');
}

function prefixed(text: string): Buffer {
  const bytes = toBytes(text);
  return Buffer.concat([bigEndian(bytes.length), bytes]);
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

// ---- bcrypt -------------------------------------------------------------------------------------

const BCRYPT_COST = 10;

function bcrypt({ host, budget }: Execution, password: string): string {
  budget.spend(HASH_STEPS);
  try {
    return bcryptHash(toBytes(password), host.random(16), BCRYPT_COST);
  } catch (error) {
    if (error instanceof GoError) return `failed to encrypt string with bcrypt: ${error.message}`;
    throw error;
  }
}

function htpasswd(execution: Execution, user: string, password: string): string {
  if (user.includes(':')) return `invalid username: ${user}`;
  return `${user}:${bcrypt(execution, password)}`;
}

// ---- AES ----------------------------------------------------------------------------------------

const BLOCK = 16;

/** AES-256-CBC; the key is the password, cut or filled with zeros to 32 bytes. */
function aesKey(password: string): Buffer {
  const key = Buffer.alloc(32);
  key.set(toBytes(password).subarray(0, 32));
  return key;
}

function encryptAes({ host }: Execution, password: string, text: string): string {
  if (text === '') return '';
  const iv = host.random(BLOCK);
  const cipher = createCipheriv('aes-256-cbc', aesKey(password), iv);
  return Buffer.concat([iv, cipher.update(toBytes(text)), cipher.final()]).toString('base64');
}

/** Padding is not checked but taken off by its last byte, with the panics that this has in Go. */
function decryptAes(password: string, encoded: string): string {
  if (encoded === '') return '';
  const decoded = decodeBase64(encoded);
  if (!('bytes' in decoded)) throw new GoError(decodeError(decoded.badAt, decoded.encoding));
  const { bytes } = decoded;
  if (bytes.length < BLOCK) {
    const capacity = Math.floor(encoded.length / 4) * 3;
    if (capacity < BLOCK) {
      throw new GoError(`runtime error: slice bounds out of range [:${BLOCK}] with capacity ${capacity}`);
    }
    throw new GoError(`runtime error: slice bounds out of range [${BLOCK}:${bytes.length}]`);
  }
  if (bytes.length % BLOCK !== 0) throw new GoError('crypto/cipher: input not full blocks');
  if (bytes.length === BLOCK) throw new GoError('runtime error: index out of range [-1]');
  const decipher = createDecipheriv('aes-256-cbc', aesKey(password), bytes.subarray(0, BLOCK));
  decipher.setAutoPadding(false);
  const plain = Buffer.concat([decipher.update(bytes.subarray(BLOCK)), decipher.final()]);
  const end = plain.length - plain.at(-1)!;
  if (end < 0) throw new GoError(`runtime error: slice bounds out of range [:${end}]`);
  return fromBytes(plain.subarray(0, end));
}
