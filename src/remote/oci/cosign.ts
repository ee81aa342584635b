// Owns checking cosign signatures with a key, offline: simple signing payloads, and bundles with a DSSE envelope. Pure:
// where signatures are kept in a registry is signatures.ts. Signatures without a key need a transparency log.
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { isJsonObject, type JsonValue } from '../../lib/json.ts';

const SIMPLE_TYPES: ReadonlySet<unknown> = new Set(['cosign container image signature', 'atomic container signature']);
const STATEMENT = 'application/vnd.in-toto+json';
const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/** Reads a public key in PEM. Throws what the key's form is wrong in. */
export function parsePublicKey(pem: string): KeyObject {
  return createPublicKey(pem);
}

/** Whether a simple signing payload speaks of the digest and is signed by the key. `signature` is base64. */
export function verifySimple(payload: Uint8Array, signature: string, digest: string, key: KeyObject): boolean {
  const critical = field(parse(payload), 'critical');
  if (field(field(critical, 'image'), 'docker-manifest-digest') !== digest) return false;
  return SIMPLE_TYPES.has(field(critical, 'type')) && isSigned(payload, signature, key);
}

/** Whether a Sigstore bundle holds a statement that the digest was signed, by the key. */
export function verifyBundle(bundle: Uint8Array, digest: string, key: KeyObject): boolean {
  const envelope = field(parse(bundle), 'dsseEnvelope');
  const [type, encoded, signatures] = ['payloadType', 'payload', 'signatures'].map((name) => field(envelope, name));
  if (type !== STATEMENT || typeof encoded !== 'string' || !Array.isArray(signatures)) return false;
  const payload = Buffer.from(encoded, 'base64');
  const statement = parse(payload);
  const subjects = field(statement, 'subject');
  const names = Array.isArray(subjects) ? subjects.map((subject) => field(field(subject, 'digest'), 'sha256')) : [];
  if (field(statement, 'predicateType') !== SIGN_PREDICATE || !names.includes(digest.slice('sha256:'.length))) {
    return false;
  }
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${STATEMENT.length} ${STATEMENT} ${payload.length} `), payload]);
  return (signatures as readonly JsonValue[]).some((entry) => {
    const signature = field(entry, 'sig');
    return typeof signature === 'string' && isSigned(signed, signature, key);
  });
}

function isSigned(bytes: Uint8Array, signature: string, key: KeyObject): boolean {
  // Ed25519 hashes by itself; everything else is signed over SHA-256.
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  try {
    return verify(algorithm, bytes, key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

function parse(bytes: Uint8Array): JsonValue | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as JsonValue;
  } catch {
    return undefined;
  }
}

function field(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
