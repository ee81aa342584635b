// Owns the clock, the randomness and the keys that templates may ask for (sprig's now, rand* and gen*).
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { KeyAlgorithm, TemplateHost } from '../lang/gotemplate/execution.ts';

/** The real host: the system's clock and cryptographic randomness. */
export const systemTemplateHost: TemplateHost = {
  now: () => BigInt(Date.now()) * 1_000_000n,
  random: (count) => randomBytes(count),
  generateKey: (algorithm) => createKey(algorithm).export({ type: 'pkcs8', format: 'der' }),
};

function createKey(algorithm: KeyAlgorithm): KeyObject {
  switch (algorithm) {
    case 'rsa-2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    case 'rsa-4096':
      return generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey;
    case 'dsa-2048':
      return generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey;
    case 'ecdsa-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    default:
      return algorithm satisfies never;
  }
}
