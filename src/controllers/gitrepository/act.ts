// Owns the doing: fetch, lay includes over, archive. What to do was decided in decide.ts.
import type { Artifact } from '../../api/meta/artifact.ts';
import { type GitRepository, gitRepositoryReasons as reasons } from '../../api/source/gitrepository.ts';
import { formatTime } from '../../lib/time.ts';
import type { IncludeRecipe } from '../../offload/git/recipe.ts';
import { authForSubmodule } from '../../remote/git/submodules.ts';
import type { GitTransport } from '../../remote/git/transport.ts';
import type { Pass } from '../../runtime/controller.ts';
import { ReconcileError, stage } from '../../runtime/reconcile-error.ts';
import { waitRemotely } from '../shared/host-gate.ts';
import { sourceTimeoutMs } from '../shared/timing.ts';
import { fetchFailure } from './observe.ts';
import type { FetchedCommit, GitRepositoryPorts } from './ports.ts';
import type { Decision, Outcome } from './types.ts';
import { verifyFetched } from './verify.ts';

type Fetch = Extract<Decision, { do: 'fetch' }>;

const SUBJECT_LENGTH = 50;

export async function act(decision: Decision, ports: GitRepositoryPorts, pass: Pass<GitRepository>): Promise<Outcome> {
  switch (decision.do) {
    case 'nothing': {
      const artifact = pass.current().status?.artifact;
      const collected = await ports.storage.collect(pass.key, artifact === undefined ? [] : [artifact]);
      return { type: 'nothing', collected };
    }
    case 'fail': {
      const { reason, message, ...options } = decision.failure;
      throw new ReconcileError(reason, message, options);
    }
    case 'fetch':
      return store(decision, ports, pass);
    default:
      return decision satisfies never;
  }
}

async function store(decision: Fetch, ports: GitRepositoryPorts, pass: Pass<GitRepository>): Promise<Outcome> {
  const object = pass.current();
  const fetched = await fetch(decision, ports, pass);
  const verified = decision.verify
    ? await verifyFetched(object, fetched, decision.resolved, ports, pass.signal)
    : undefined;
  const path = `gitrepository/${pass.key}/${decision.resolved.commit}.tar.gz`;
  const includes = await stage(reasons.copyFailure, () => includeRecipes(decision, ports), {
    condition: 'StorageOperationFailed',
  });
  const { ignore } = object.spec;
  const archived = await stage(
    reasons.archiveOperationFailed,
    () =>
      ports.storage.archive(path, {
        ...fetched.recipe,
        ...(includes.length === 0 ? {} : { includes }),
        ...(ignore === undefined ? {} : { ignore }),
      }),
    { condition: 'StorageOperationFailed', prefix: 'unable to archive artifact to storage: ' },
  );
  const old = object.status?.artifact;
  const isNew = old?.digest !== archived.digest || old.revision !== decision.revision;
  const artifact: Artifact = {
    path,
    url: ports.artifactUrl(path),
    revision: decision.revision,
    digest: archived.digest,
    lastUpdateTime: isNew || old === undefined ? formatTime(ports.clock.now()) : old.lastUpdateTime,
    size: archived.size,
  };
  await ports.storage.collect(pass.key, [artifact]);
  return {
    type: 'stored',
    artifact,
    includedArtifacts: decision.includes.map((include) => include.artifact),
    subject: subjectOf(fetched),
    isNew: old?.digest !== archived.digest,
    verified,
  };
}

async function fetch(decision: Fetch, ports: GitRepositoryPorts, pass: Pass<GitRepository>): Promise<FetchedCommit> {
  const object = pass.current();
  const { sparseCheckout: sparse = [], recurseSubmodules } = object.spec;
  try {
    const openSubmodule = recurseSubmodules === true ? submoduleOpener(object, decision, ports) : undefined;
    const { transport, resolved } = decision;
    const wait = { url: object.spec.url, timeoutMs: sourceTimeoutMs(object.spec), continues: true };
    const fetched = await waitRemotely(wait, ports, pass, (signal) =>
      ports.storage.fetch(pass.key, transport, resolved, { signal, sparse, openSubmodule }),
    );
    if (fetched.missingFolder === undefined) return fetched;
    throw missingFolder(fetched.missingFolder);
  } catch (error) {
    pass.signal.throwIfAborted();
    ports.logins.delete(pass.key);
    throw fetchFailure(object, error);
  }
}

/** Opens submodules with the credentials of the repository, as far as they live on its host. */
function submoduleOpener(object: GitRepository, decision: Fetch, ports: GitRepositoryPorts) {
  return (url: string): GitTransport =>
    ports.openTransport(
      url,
      authForSubmodule(decision.transport.url, decision.auth, url),
      sourceTimeoutMs(object.spec),
    );
}

function missingFolder(folder: string): ReconcileError {
  const message = `failed to sparse checkout directories : sparse checkout dir '${folder}' does not exist in repository`;
  return new ReconcileError(reasons.gitOperationFailed, message, { condition: 'FetchFailed' });
}

/** What the included artifacts put into this one. */
async function includeRecipes(decision: Fetch, ports: GitRepositoryPorts): Promise<IncludeRecipe[]> {
  const recipes: IncludeRecipe[] = [];
  for (const { name, artifact, fromPath, toPath } of decision.includes) {
    await ports.storage.hasArchive(artifact);
    const content = ports.storage.recipeOf(artifact);
    if (content === undefined)
      throw new Error(`failed to copy '${name}' include from ${fromPath} to ${toPath}: not stored`);
    recipes.push({ fromPath, toPath, content });
  }
  return recipes;
}

function subjectOf(fetched: FetchedCommit): string {
  const line = fetched.commit.message.split('\n', 1)[0] ?? '';
  const characters = [...line];
  return characters.length > SUBJECT_LENGTH ? `${characters.slice(0, SUBJECT_LENGTH).join('')}...` : line;
}
