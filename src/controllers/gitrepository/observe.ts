// Owns every read that a decision for a GitRepository needs: storage, includes, and what the server says of the
// reference. Nothing is fetched here.
import type { Artifact } from '../../api/meta/artifact.ts';
import { type GitRepository, gitRepositoryReasons as reasons } from '../../api/source/gitrepository.ts';
import { GitError } from '../../engines/git/errors.ts';
import { errorMessage } from '../../lib/errors.ts';
import { withOperation } from '../../remote/git/errors.ts';
import { resolveReference } from '../../remote/git/resolve.ts';
import type { Pass } from '../../runtime/controller.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import { waitRemotely } from '../shared/host-gate.ts';
import { toLegacyRevision } from '../shared/revision.ts';
import { sourceTimeoutMs } from '../shared/timing.ts';
import { loginFor } from './login.ts';
import type { GitRepositoryPorts } from './ports.ts';
import type { Observed, ObservedInclude } from './types.ts';
import { unsupportedField } from './unsupported.ts';

/** A server that asks for more is asked again all the same. */
const MAX_ASKED_WAIT_MS = 3_600_000;

export async function observe(
  object: GitRepository,
  ports: GitRepositoryPorts,
  pass: Pass<GitRepository>,
): Promise<Observed> {
  const artifact = object.status?.artifact;
  const archive = artifact === undefined ? 'none' : (await isHere(artifact, ports)) ? 'present' : 'lost';
  const includes = (object.spec.include ?? []).map((include) => findInclude(object, include, ports));
  const base = { object, archive, includes, requeueDependencyMs: ports.settings.requeueDependencyMs } as const;
  if (unsupportedField(object.spec) !== undefined || !URL.canParse(object.spec.url)) {
    return { ...base, remote: undefined, revision: '' };
  }
  const auth = await loginFor(object, ports, pass);
  const transport = ports.openTransport(withoutUserInfo(object.spec.url), auth, sourceTimeoutMs(object.spec));
  try {
    const timeoutMs = sourceTimeoutMs(object.spec);
    const resolved = await waitRemotely({ url: object.spec.url, timeoutMs }, ports, pass, (signal) =>
      resolveReference(transport, object.spec.ref ?? {}, { signal }),
    );
    const revision = ports.settings.legacyRevisions ? toLegacyRevision(resolved.revision) : resolved.revision;
    return { ...base, remote: { transport, resolved, auth }, revision };
  } catch (error) {
    // A pass that was superseded has not failed: whoever superseded it says so.
    pass.signal.throwIfAborted();
    ports.logins.delete(pass.key);
    throw fetchFailure(object, error);
  }
}

async function isHere(artifact: Artifact, ports: GitRepositoryPorts): Promise<boolean> {
  return ports.servesHere(artifact) && (await ports.storage.hasArchive(artifact));
}

/** The error of a poll or fetch, with Flux's words before the cause (flux.md §2.8). */
export function fetchFailure(object: GitRepository, error: unknown): ReconcileError {
  if (error instanceof ReconcileError) return error;
  const operation = object.status?.artifact === undefined ? 'clone' : 'list';
  const told = withOperation(operation, urlForTexts(object.spec.url), error);
  const isEmpty = (told as { code?: unknown }).code === 'GitEmptyRepository';
  const reason = isEmpty ? reasons.emptyGitRepository : reasons.gitOperationFailed;
  const message = isEmpty ? errorMessage(told) : `failed to checkout and determine revision: ${errorMessage(told)}`;
  return new ReconcileError(reason, message, { condition: 'FetchFailed', cause: error, ...whenAskedToWait(error) });
}

/** The delay that a server asked for (`Retry-After`), instead of the usual back-off. */
function whenAskedToWait(error: unknown): { readonly retryAfterMs?: number } {
  const seconds = error instanceof GitError ? error.data.retryAfterSeconds : undefined;
  return seconds === undefined ? {} : { retryAfterMs: Math.min(seconds * 1000, MAX_ASKED_WAIT_MS) };
}

export function withoutUserInfo(url: string): string {
  const parsed = new URL(url);
  if (parsed.protocol !== 'ssh:') parsed.username = '';
  parsed.password = '';
  return parsed.href;
}

/** The URL without what may be a credential: user info, and a signed query. */
function urlForTexts(url: string): string {
  const parsed = new URL(withoutUserInfo(url));
  parsed.search = '';
  return parsed.href;
}

function findInclude(
  object: GitRepository,
  include: NonNullable<GitRepository['spec']['include']>[number],
  ports: GitRepositoryPorts,
): ObservedInclude {
  const { name } = include.repository;
  const found = ports.findRepository(object.metadata.namespace ?? '', name);
  return {
    name,
    fromPath: include.fromPath ?? '',
    toPath: include.toPath || name,
    exists: found !== undefined,
    artifact: found?.status?.artifact,
  };
}
