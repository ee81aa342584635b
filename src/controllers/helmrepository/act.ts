// Owns the doing: read the index in a thread, store it. What to do was decided in decide.ts.
import { type HelmRepository, helmRepositoryReasons as reasons } from '../../api/source/helmrepository.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { Pass } from '../../runtime/controller.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import { collectArtifacts, failureError, storeArtifact } from '../shared/source-artifact.ts';
import type { HelmRepositoryPorts } from './ports.ts';
import type { Decision, DownloadedIndex, Outcome } from './types.ts';

const KIND = 'helmrepository';

export async function act(
  decision: Decision,
  ports: HelmRepositoryPorts,
  pass: Pass<HelmRepository>,
): Promise<Outcome> {
  switch (decision.do) {
    case 'fail':
      throw failureError(decision.failure);
    case 'nothing':
      await decision.index?.folder.dispose();
      await collectArtifacts(KIND, pass.key, pass.current().status?.artifact, ports);
      return { type: 'nothing' };
    case 'store':
      try {
        return await store(decision.index, ports, pass);
      } finally {
        await decision.index.folder.dispose();
      }
    default:
      return decision satisfies never;
  }
}

async function store(
  { path, revision, validators }: DownloadedIndex,
  ports: HelmRepositoryPorts,
  pass: Pass<HelmRepository>,
): Promise<Outcome> {
  const object = pass.current();
  const { artifact, isNew } = await storeArtifact(
    {
      kind: KIND,
      key: pass.key,
      file: `index-${revision.replace('sha256:', '')}.yaml`,
      revision,
      old: object.status?.artifact,
    },
    (output) => readIndex(path, output, ports, pass.signal),
    ports,
  );
  ports.known.set(pass.key, { url: object.spec.url, revision, validators });
  ports.onStored(`HelmRepository/${pass.key}`);
  return { type: 'stored', artifact, isNew };
}

async function readIndex(path: string, output: string, ports: HelmRepositoryPorts, signal: AbortSignal) {
  try {
    return await ports.workers.run('writeIndexFile', { path, output }, { signal });
  } catch (error) {
    signal.throwIfAborted();
    const message = `failed to load Helm repository from index YAML: ${errorMessage(error)}`;
    throw new ReconcileError(reasons.indexationFailed, message, { condition: 'FetchFailed', cause: error });
  }
}
