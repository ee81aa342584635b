// Owns a template host for tests: a clock that stands still and randomness that repeats.
import { generateKeyPairSync } from 'node:crypto';
import type { KeyAlgorithm, TemplateHost } from '../../src/lang/gotemplate/execution.ts';

/** 2026-01-02T03:04:05Z. */
const NOW = 1_767_323_045_000_000_000n;

/** A host whose random bytes count up; keys are real ones, but shorter than asked for where that takes seconds. */
export function testHost(now = NOW): TemplateHost {
  let next = 1;
  return {
    now: () => now,
    random: (count) => Uint8Array.from({ length: count }, () => (next = (next * 73 + 41) % 256)),
    generateKey,
  };
}

function generateKey(algorithm: KeyAlgorithm): Uint8Array {
  return newKeyPair(algorithm).privateKey.export({ type: 'pkcs8', format: 'der' });
}

function newKeyPair(algorithm: KeyAlgorithm) {
  switch (algorithm) {
    case 'rsa-2048':
    case 'rsa-4096':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'dsa-2048':
      return generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 });
    case 'ecdsa-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
  }
}
