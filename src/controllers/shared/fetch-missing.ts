// Owns the fetching of what a build names and the source does not hold: remote files over HTTP, remote bases over Git.
// Only http, https and ssh are spoken; no credentials are sent (threats.md rows 6 and 7).
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openGitStore } from '../../artifact/git-store.ts';
import type { FetchedFile, Missing } from '../../engines/kustomize/missing.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { WorkerPool } from '../../offload/pool.ts';
import type { FetchMissing } from '../../offload/render/builds.ts';
import type { FetchedData } from '../../offload/render/source.ts';
import { fetchContent } from '../../remote/git/content.ts';
import { type GitReference, resolveReference } from '../../remote/git/resolve.ts';
import type { GitTransport } from '../../remote/git/transport.ts';
import type { HttpDoor } from '../../remote/http.ts';

export interface FetchMissingOptions {
  readonly http: HttpDoor;
  readonly workers: WorkerPool;
  /** Folder of the object stores of remote bases. */
  readonly folder: string;
  /** With `--no-remote-bases`. */
  readonly refuse: boolean;
  openTransport(url: string, timeoutMs: number): GitTransport;
}

const MAX_FILE_BYTES = 10 * 1024 * 1024;
const FILE_TIMEOUT_MS = 30_000;

/** Makes the function that one build fetches with: it remembers what it fetched until the build is done. */
export function createFetchMissing(options: FetchMissingOptions): FetchMissing {
  const files = new Map<string, FetchedFile>();
  const repositories = new Map<string, FetchedRepository>();
  return async (missing, signal) => {
    for (const item of missing) {
      if (item.what === 'file') files.set(item.url, await fetchFile(item.url, options, signal));
      else repositories.set(item.key, await fetchRepository(item, options, signal));
    }
    return { files, repositories };
  };
}

type FetchedRepository = NonNullable<ReturnType<FetchedData['repositories']['get']>>;

const REFUSED = 'remote bases are not allowed';

async function fetchFile(url: string, options: FetchMissingOptions, signal: AbortSignal): Promise<FetchedFile> {
  if (options.refuse) return { error: REFUSED };
  try {
    const answer = await options.http.request({
      url,
      signal,
      timeoutMs: FILE_TIMEOUT_MS,
      maxBodyBytes: MAX_FILE_BYTES,
    });
    if (answer.status === 200) return { bytes: await answer.bytes() };
    answer.discard();
    return { status: answer.status, statusText: '' };
  } catch (error) {
    signal.throwIfAborted();
    return { error: errorMessage(error) };
  }
}

async function fetchRepository(
  item: Extract<Missing, { what: 'repository' }>,
  options: FetchMissingOptions,
  signal: AbortSignal,
): Promise<FetchedRepository> {
  if (options.refuse) return { error: REFUSED };
  const url = item.url.replace(/^git@([^:/]+):/, 'ssh://git@$1/');
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(item.timeoutMs)]);
    const transport = options.openTransport(url, item.timeoutMs);
    const resolved = await resolveAny(transport, item.ref, limited);
    const folder = join(options.folder, createHash('sha256').update(url).digest('hex').slice(0, 32));
    const store = await openGitStore(folder, { format: resolved.format, workers: options.workers });
    const { recipe } = await fetchContent(transport, store, resolved, { signal: limited });
    store.close();
    return { source: recipe.source };
  } catch (error) {
    signal.throwIfAborted();
    return { error: errorMessage(error) };
  }
}

/** A branch, a tag or a commit, whichever there is; the remote's HEAD when nothing is named. */
async function resolveAny(transport: GitTransport, ref: string, signal: AbortSignal) {
  if (/^[0-9a-f]{40}$/.test(ref)) return resolveReference(transport, { commit: ref }, { signal });
  if (ref === '') return resolveReference(transport, { branch: await headBranch(transport, signal) }, { signal });
  const attempts: GitReference[] = [{ branch: ref }, { tag: ref }];
  let failure: unknown;
  for (const attempt of attempts) {
    try {
      return await resolveReference(transport, attempt, { signal });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function headBranch(transport: GitTransport, signal: AbortSignal): Promise<string> {
  const { refs } = await transport.lsRefs({ prefixes: ['HEAD'], signal });
  const target = refs.find((ref) => ref.name === 'HEAD')?.symrefTarget;
  return target?.replace('refs/heads/', '') ?? 'main';
}
