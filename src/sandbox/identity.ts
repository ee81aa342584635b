// Owns the server's own secrets: its certificate authority, server certificate, the administrator's token and the key
// that signs ServiceAccount tokens. Kept in the state directory, or made anew when there is none.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../lib/errors.ts';
import { issueCertificate } from '../lib/x509.ts';

export interface Identity {
  readonly caPem: string;
  readonly serverCertPem: string;
  readonly serverKeyPem: string;
  /** Bearer token of the administrator. */
  readonly token: string;
  /** Secret that signs ServiceAccount tokens, base64url. */
  readonly signingKey: string;
  /** When the certificates end, milliseconds since the epoch. */
  readonly expires: number;
}

const FILE = 'identity.json';
const YEARS = 10;
const DAY_MS = 86_400_000;
const NAMES = [
  'localhost',
  '127.0.0.1',
  '::1',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];

/** Reads the identity of a state directory, or makes one (mode 0600) when there is none or it is about to expire. */
export async function createIdentity(stateDir: string | undefined, now: Date): Promise<Identity> {
  if (stateDir === undefined) return makeIdentity(now);
  const path = join(stateDir, FILE);
  const known = readIdentity(path);
  if (known && known.expires > now.getTime() + 30 * DAY_MS) return known;
  const made = makeIdentity(now);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  // A rename is whole or not at all, so a kill leaves no half identity.
  writeFileSync(`${path}.new`, JSON.stringify(made), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return made;
}

function readIdentity(path: string): Identity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Identity;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new Error(`cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function keyPair(): { publicKeyPem: string; privateKeyPem: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { publicKeyPem: publicKey, privateKeyPem: privateKey };
}

/** A positive serial of 16 bytes. */
function serial(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}

function makeIdentity(now: Date): Identity {
  const notBefore = new Date(now.getTime() - DAY_MS);
  const notAfter = new Date(now.getTime() + YEARS * 365 * DAY_MS);
  const authority = keyPair();
  const server = keyPair();
  const issuer = { commonName: 'lockstep sandbox', privateKeyPem: authority.privateKeyPem };
  const caPem = issueCertificate(
    {
      commonName: issuer.commonName,
      notBefore,
      notAfter,
      serial: serial(),
      names: [],
      publicKeyPem: authority.publicKeyPem,
      authority: true,
    },
    issuer,
  );
  const serverCertPem = issueCertificate(
    {
      commonName: 'kube-apiserver',
      notBefore,
      notAfter,
      serial: serial(),
      names: NAMES,
      publicKeyPem: server.publicKeyPem,
      authority: false,
    },
    issuer,
  );
  return {
    caPem,
    serverCertPem,
    serverKeyPem: server.privateKeyPem,
    token: randomBytes(32).toString('base64url'),
    signingKey: randomBytes(32).toString('base64url'),
    expires: notAfter.getTime(),
  };
}
