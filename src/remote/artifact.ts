// Owns fetching an artifact's archive from whoever serves it: another replica, or the maker of an ExternalArtifact. The
// bytes are checked against the digest before anybody reads them; unpacking is artifact/store.ts.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { digestAlgorithm } from '../lib/digest.ts';
import { CodedError } from '../lib/errors.ts';
import type { HttpDoor } from './http.ts';

/** Why an archive could not be fetched. */
export type ArtifactFetchErrorCode =
  | 'ArtifactDigestUnsupported'
  | 'ArtifactDownloadFailed'
  | 'ArtifactFileNotFound'
  | 'ArtifactCorrupt';

/** A download that brought nothing usable. */
export class ArtifactFetchError extends CodedError<ArtifactFetchErrorCode, { url: string; status?: number }> {}

/** What to fetch, as `status.artifact` says it. */
export interface RemoteArtifact {
  readonly url: string;
  readonly digest: string;
  /** Bytes; a longer answer is not read to its end. */
  readonly size?: number | undefined;
}

/** Options of `fetchArtifact`. */
export interface FetchArtifactOptions {
  readonly signal?: AbortSignal;
  /** Bound on the archive. @default 256 MiB */
  readonly maxBytes?: number;
  /** @default 60000 */
  readonly timeoutMs?: number;
}

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Writes the archive to `path`, a file that must not be there yet. No credentials are sent and redirects stay on the
 * host; `http` should be a door that refuses link-local addresses. Texts are Flux's (fluxcd/pkg http/fetch).
 * @throws ArtifactFetchError; RemoteError when no answer came
 */
export async function fetchArtifact(
  http: HttpDoor,
  artifact: RemoteArtifact,
  path: string,
  options: FetchArtifactOptions = {},
): Promise<{ readonly digest: string; readonly size: number }> {
  const { digest } = artifact;
  const url = bareUrl(artifact.url);
  const algorithm = digestAlgorithm(digest);
  if (algorithm === undefined) {
    throw new ArtifactFetchError('ArtifactDigestUnsupported', `digest '${digest}' is of an unsupported algorithm`, {
      url,
    });
  }
  const limit = Math.min(options.maxBytes ?? DEFAULT_MAX_BYTES, artifact.size ?? Number.POSITIVE_INFINITY);
  const answer = await http.request({
    url: artifact.url,
    sameHostOnly: true,
    maxBodyBytes: limit,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (answer.status !== 200) {
    answer.discard();
    const code = answer.status === 404 ? 'ArtifactFileNotFound' : 'ArtifactDownloadFailed';
    const why = answer.status === 404 ? 'file not found' : `status: ${answer.status}`;
    throw new ArtifactFetchError(code, `failed to download archive from ${url}, ${why}`, {
      url,
      status: answer.status,
    });
  }
  const hash = createHash(algorithm);
  let size = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of answer.body) {
      hash.update(chunk);
      size += chunk.length;
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const computed = `${algorithm}:${hash.digest('hex')}`;
  if (computed === digest) return { digest, size };
  const message = `failed to verify archive: computed digest doesn't match '${digest}' (file size ${size} bytes)`;
  throw new ArtifactFetchError('ArtifactCorrupt', message, { url });
}

// A signed query is a credential. What is no URL is refused by the door.
function bareUrl(text: string): string {
  if (!URL.canParse(text)) return '';
  const { origin, pathname } = new URL(text);
  return `${origin}${pathname}`;
}
