// Owns the signature check of a fetched commit or tag: modes, messages, failures (flux.md §2.6). The cryptography is
// engines/git/verify.ts.
import {
  type GitRepository,
  gitRepositoryReasons as reasons,
  type VerificationMode,
} from '../../api/source/gitrepository.ts';
import { type SignatureKeys, sortSignatureKeys } from '../../engines/git/signature.ts';
import { type SignedObject, verifySignature } from '../../engines/git/verify.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { ResolvedReference } from '../../remote/git/resolve.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import type { FetchedCommit, GitRepositoryPorts } from './ports.ts';
import type { Verified } from './types.ts';

/** What a mode checks; nothing when there is none. */
export function checksOf(mode: VerificationMode | undefined): readonly ('commit' | 'tag')[] {
  switch (mode) {
    case undefined:
      return [];
    case 'head':
    case 'HEAD':
      return ['commit'];
    case 'Tag':
      return ['tag'];
    case 'TagAndHEAD':
      return ['tag', 'commit'];
    default:
      return mode satisfies never;
  }
}

/** Checks what the spec asks for. Throws `ReconcileError` with condition SourceVerified. */
export async function verifyFetched(
  object: GitRepository,
  fetched: FetchedCommit,
  resolved: ResolvedReference,
  ports: GitRepositoryPorts,
  signal: AbortSignal,
): Promise<Verified | undefined> {
  const verify = object.spec.verify;
  if (verify === undefined) return undefined;
  const mode = verify.mode ?? 'HEAD';
  const keys = await readKeys(object, verify.secretRef.name, ports, signal);
  const lines: string[] = [];
  for (const check of checksOf(mode)) {
    const { name, signed } = check === 'tag' ? tagOf(fetched, resolved) : commitOf(fetched, resolved);
    const reason = check === 'tag' ? reasons.invalidTagSignature : reasons.invalidCommitSignature;
    try {
      const key = await verifySignature(signed, keys, new Date(ports.clock.now()));
      lines.push(`\t- ${check} '${name}' with key '${key}'`);
    } catch (error) {
      throw failed(reason, `signature verification of ${check} '${name}' failed: ${errorMessage(error)}`, error);
    }
  }
  return { mode, message: `verified signature of\n${lines.join('\n')}` };
}

async function readKeys(
  object: GitRepository,
  name: string,
  ports: GitRepositoryPorts,
  signal: AbortSignal,
): Promise<SignatureKeys> {
  const secret = await ports.readSecret(object.metadata.namespace ?? '', name, signal);
  if (secret === undefined)
    throw failed(reasons.verificationError, `public keys secret error: secrets "${name}" not found`);
  return sortSignatureKeys(secret);
}

interface Named {
  readonly name: string;
  readonly signed: SignedObject;
}

function commitOf({ commit }: FetchedCommit, resolved: ResolvedReference): Named {
  return { name: resolved.commit, signed: { kind: 'commit', ...signatureOf(commit) } };
}

function tagOf({ tag }: FetchedCommit, resolved: ResolvedReference): Named {
  const name = `${(resolved.refName ?? '').replace('refs/tags/', '')}@${resolved.tagObject ?? resolved.commit}`;
  if (tag?.signature === undefined) {
    throw failed(reasons.invalidGitObject, `cannot verify signature of tag '${name}' since it is not signed`);
  }
  return { name, signed: { kind: 'tag', ...signatureOf(tag) } };
}

function signatureOf(object: { readonly signature?: string; readonly payload: Uint8Array }) {
  return { payload: object.payload, ...(object.signature === undefined ? {} : { signature: object.signature }) };
}

function failed(reason: string, message: string, cause?: unknown): ReconcileError {
  return new ReconcileError(reason, message, { condition: 'SourceVerified', cause });
}
