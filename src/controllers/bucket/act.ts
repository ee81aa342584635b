// Owns the doing: fetch the objects, pack and store them. What to do was decided in decide.ts.
import { join } from 'node:path';
import { type Bucket, bucketReasons as reasons } from '../../api/source/bucket.ts';
import { compareBytes } from '../../lib/memory-tree.ts';
import { saveBody } from '../../remote/body.ts';
import type { S3Bucket } from '../../remote/s3/bucket.ts';
import type { Pass } from '../../runtime/controller.ts';
import { ReconcileError, stage } from '../../runtime/reconcile-error.ts';
import { waitRemotely } from '../shared/host-gate.ts';
import { collectArtifacts, failureError, storeArtifact } from '../shared/source-artifact.ts';
import { sourceTimeoutMs } from '../shared/timing.ts';
import { bucketFailure } from './observe.ts';
import { type BucketPorts, MAX_OBJECT_BYTES } from './ports.ts';
import { revisionOf } from './revision.ts';
import type { Decision, Listing, Outcome } from './types.ts';

const KIND = 'bucket';
const CONCURRENT_FETCHES = 16;

export async function act(decision: Decision, ports: BucketPorts, pass: Pass<Bucket>): Promise<Outcome> {
  switch (decision.do) {
    case 'fail':
      throw failureError(decision.failure);
    case 'nothing':
      await collectArtifacts(KIND, pass.key, pass.current().status?.artifact, ports);
      return { type: 'nothing' };
    case 'fetch': {
      const folder = await ports.downloads.create();
      try {
        return await store(decision.listing, folder.path, ports, pass);
      } finally {
        await folder.dispose();
      }
    }
    default:
      return decision satisfies never;
  }
}

async function store(listing: Listing, folder: string, ports: BucketPorts, pass: Pass<Bucket>): Promise<Outcome> {
  const object = pass.current();
  const wait = { url: object.spec.endpoint, timeoutMs: sourceTimeoutMs(object.spec), continues: true };
  let fetched: ReadonlyMap<string, string>;
  const files = [...listing.objects.keys()].sort(compareBytes);
  try {
    fetched = await waitRemotely(wait, ports, pass, (signal) => fetchAll(listing.bucket, files, folder, signal));
  } catch (error) {
    pass.signal.throwIfAborted();
    throw bucketFailure(error, `fetch from bucket '${object.spec.bucketName}' failed: `);
  }
  // What was changed or deleted meanwhile is in the artifact as it was fetched, and its revision says so.
  const revision = revisionOf(fetched);
  const { artifact, isNew } = await storeArtifact(
    {
      kind: KIND,
      key: pass.key,
      file: `${revision.replace('sha256:', '')}.tar.gz`,
      revision,
      old: object.status?.artifact,
    },
    (path) => pack({ folder, files, fetched, path }, ports, pass.signal),
    ports,
  );
  ports.onStored(`Bucket/${pass.key}`);
  return { type: 'stored', artifact, isNew, files: fetched.size };
}

/** Fetches objects into a folder, each under its place in the list. Answers the ETags of those that are still there. */
async function fetchAll(
  bucket: S3Bucket,
  files: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const etags = new Map<string, string>();
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < files.length) {
      const place = next++;
      const key = files[place]!;
      const found = await bucket.get(key, { signal: both, maxBytes: MAX_OBJECT_BYTES }).catch((error: unknown) => {
        throw bucketFailure(error, `failed to get '${key}' object: `);
      });
      if (found === undefined) continue;
      await saveBody(found.body, join(folder, String(place)));
      etags.set(key, found.etag);
    }
  };
  const workers = Array.from({ length: CONCURRENT_FETCHES }, () => work());
  try {
    await Promise.all(workers);
  } finally {
    failed.abort(new Error('another object could not be fetched'));
    await Promise.allSettled(workers);
  }
  return etags;
}

interface Packing {
  readonly folder: string;
  readonly files: readonly string[];
  readonly fetched: ReadonlyMap<string, string>;
  readonly path: string;
}

function pack({ folder, files, fetched, path }: Packing, ports: BucketPorts, signal: AbortSignal) {
  const places = files.map((file, place) => ({ file, place })).filter(({ file }) => fetched.has(file));
  return stage(
    reasons.archiveOperationFailed,
    () => ports.workers.run('packFiles', { folder, files: places, path }, { signal }),
    { condition: 'StorageOperationFailed', prefix: 'unable to archive artifact to storage: ' },
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error instanceof ReconcileError ? error : bucketFailure(error);
  });
}
