// Owns what a reference of a GitRepository means on a server right now: which commit, and the revision's text. It lists
// refs and fetches nothing.
import { GitError } from '../../engines/git/errors.ts';
import { isOid, type ObjectFormat } from '../../engines/git/oid.ts';
import type { RemoteRef } from '../../engines/git/protocol/refs.ts';
import { isRefName } from '../../engines/git/refname.ts';
import { errorMessage } from '../../lib/errors.ts';
import { compareVersions, parseStrictVersion, parseVersion, type Version } from '../../lib/semver.ts';
import { parseConstraint, satisfies } from '../../lib/semver-constraint.ts';
import type { GitTransport } from './transport.ts';

/** `spec.ref` of a GitRepository. Empty means the branch `master`. */
export interface GitReference {
  readonly branch?: string;
  readonly tag?: string;
  readonly semver?: string;
  /** A full ref name. */
  readonly name?: string;
  readonly commit?: string;
}

/** A reference, resolved. */
export interface ResolvedReference {
  /** `main@sha1:…`, `sha1:…`, `refs/pull/1/head@sha1:…` */
  readonly revision: string;
  /** The commit to fetch. */
  readonly commit: string;
  readonly format: ObjectFormat;
  /** Full name of the ref on the server; absent for a commit alone. */
  readonly refName?: string;
  /** Name of the annotated tag object, when the ref is one. */
  readonly tagObject?: string;
  /** Head of the branch on which `commit` must be, when a branch was named beside a commit. */
  readonly branchTip?: string;
}

/** Options of `resolveReference`. */
export interface ResolveOptions {
  readonly signal?: AbortSignal;
  /** Commit dates in seconds, asked for only when two tags are equal versions. Without it the greater name wins. */
  readonly commitSeconds?: (commits: readonly string[]) => Promise<ReadonlyMap<string, number>>;
}

/**
 * Resolves in Flux's order: commit, name, tag, semver, branch (flux.md §2.2).
 * @throws GitError GitRefNotFound, GitRefUnresolved, GitRefInvalid, GitNoSemverMatch, GitSemverInvalid,
 * GitCommitNotFound, GitEmptyRepository, and whatever the transport throws
 */
export function resolveReference(
  transport: GitTransport,
  reference: GitReference,
  options: ResolveOptions = {},
): Promise<ResolvedReference> {
  if (reference.commit) return resolveCommit(transport, reference.commit, reference, options);
  if (reference.name) return resolveName(transport, reference.name, options);
  if (reference.tag) return resolveTag(transport, reference.tag, options);
  if (reference.semver) return resolveSemver(transport, reference.semver, options);
  return resolveBranch(transport, reference.branch || 'master', options);
}

/** The text of a revision: `main@sha1:<hex>`, or `sha1:<hex>` without a name. */
export function formatRevision(name: string | undefined, commit: string, format: ObjectFormat): string {
  return name === undefined || name === '' ? `${format}:${commit}` : `${name}@${format}:${commit}`;
}

async function resolveBranch(
  transport: GitTransport,
  branch: string,
  options: ResolveOptions,
): Promise<ResolvedReference> {
  const refName = `refs/heads/${branch}`;
  const { ref, format } = await findRef(transport, refName, options);
  return { revision: formatRevision(branch, ref.oid, format), commit: ref.oid, format, refName };
}

async function resolveTag(transport: GitTransport, tag: string, options: ResolveOptions): Promise<ResolvedReference> {
  const refName = `refs/tags/${tag}`;
  const { ref, format } = await findRef(transport, refName, options);
  return describe(tag, ref, format);
}

async function resolveName(transport: GitTransport, name: string, options: ResolveOptions): Promise<ResolvedReference> {
  if (name.startsWith('/') || name.endsWith('/')) {
    throw new GitError('GitRefInvalid', `ref ${name} is invalid; Git refs cannot begin or end with a slash '/'`, {
      ref: name,
    });
  }
  const peels = name.endsWith('^{}');
  const wanted = peels ? name.slice(0, -3) : name;
  const unresolved = new GitError('GitRefUnresolved', `unable to resolve ref '${name}' to a specific commit`, {
    ref: name,
  });
  if (!isRefName(wanted)) throw unresolved;
  const { refs, format } = await list(transport, wanted, options);
  const ref = refs.find((candidate) => candidate.name === wanted);
  if (ref === undefined || (peels && ref.peeled === undefined)) throw unresolved;
  return describe(name, ref, format);
}

async function resolveSemver(
  transport: GitTransport,
  range: string,
  options: ResolveOptions,
): Promise<ResolvedReference> {
  const constraint = parseRange(range);
  const { refs, format } = await list(transport, 'refs/tags/', options);
  let best: { version: Version; ref: RemoteRef }[] = [];
  for (const ref of refs) {
    const version = parseTagVersion(ref.name.slice('refs/tags/'.length));
    if (version === undefined || !satisfies(version, constraint)) continue;
    const order = best[0] === undefined ? 1 : compareVersions(version, best[0].version);
    if (order > 0) best = [{ version, ref }];
    else if (order === 0) best.push({ version, ref });
  }
  const chosen = await newest(
    best.map(({ ref }) => ref),
    options,
  );
  if (chosen === undefined) {
    throw new GitError('GitNoSemverMatch', `no match found for semver: ${range}`, { ref: range });
  }
  return describe(chosen.name.slice('refs/tags/'.length), chosen, format);
}

async function resolveCommit(
  transport: GitTransport,
  commit: string,
  { branch, name }: GitReference,
  options: ResolveOptions,
): Promise<ResolvedReference> {
  const missing = new GitError(
    'GitCommitNotFound',
    `unable to resolve commit object for '${commit}': object not found`,
    {
      oid: commit,
    },
  );
  const wanted = commit.toLowerCase();
  if (!isOid(wanted)) throw missing;
  const format: ObjectFormat = wanted.length === 64 ? 'sha256' : 'sha1';
  // A name beside a commit only goes into the revision's text; it is not looked up.
  if (name || !branch) return { revision: formatRevision(name, wanted, format), commit: wanted, format };
  const found = await findRef(transport, `refs/heads/${branch}`, options);
  if (found.format !== format) throw missing;
  return {
    revision: formatRevision(branch, wanted, format),
    commit: wanted,
    format,
    refName: found.ref.name,
    branchTip: found.ref.oid,
  };
}

function describe(name: string, ref: RemoteRef, format: ObjectFormat): ResolvedReference {
  const commit = ref.peeled ?? ref.oid;
  return {
    revision: formatRevision(name, commit, format),
    commit,
    format,
    refName: ref.name,
    ...(ref.peeled === undefined ? {} : { tagObject: ref.oid }),
  };
}

async function findRef(
  transport: GitTransport,
  refName: string,
  options: ResolveOptions,
): Promise<{ ref: RemoteRef; format: ObjectFormat }> {
  const notFound = new GitError('GitRefNotFound', `couldn't find remote ref "${refName}"`, { ref: refName });
  if (!isRefName(refName)) throw notFound;
  const { refs, format } = await list(transport, refName, options);
  const ref = refs.find((candidate) => candidate.name === refName);
  if (ref !== undefined) return { ref, format };
  const everything = await list(transport, '', options);
  if (everything.refs.length === 0) throw new GitError('GitEmptyRepository', 'git repository is empty', {});
  throw notFound;
}

function list(transport: GitTransport, prefix: string, options: ResolveOptions): ReturnType<GitTransport['lsRefs']> {
  return transport.lsRefs({
    prefixes: prefix === '' ? [] : [prefix],
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

function parseRange(range: string): ReturnType<typeof parseConstraint> {
  try {
    return parseConstraint(range);
  } catch (cause) {
    throw new GitError('GitSemverInvalid', `semver parse error: ${errorMessage(cause)}`, { ref: range }, { cause });
  }
}

// A tag counts only when it is a complete version; a leading `v` is allowed.
function parseTagVersion(tag: string): Version | undefined {
  try {
    parseStrictVersion(tag.replace(/^v/, ''));
    return parseVersion(tag);
  } catch {
    return undefined;
  }
}

async function newest(refs: readonly RemoteRef[], options: ResolveOptions): Promise<RemoteRef | undefined> {
  const byName = [...refs].sort((a, b) => (a.name < b.name ? 1 : -1));
  if (byName.length < 2 || options.commitSeconds === undefined) return byName[0];
  const seconds = await options.commitSeconds(byName.map((ref) => ref.peeled ?? ref.oid));
  const dateOf = (ref: RemoteRef) => seconds.get(ref.peeled ?? ref.oid) ?? 0;
  return byName.sort((a, b) => dateOf(b) - dateOf(a))[0];
}
