// Owns every read of a Bucket pass: what is stored, and what the bucket holds now.
import { type Bucket, bucketReasons as reasons } from '../../api/source/bucket.ts';
import { errorCode, errorMessage } from '../../lib/errors.ts';
import { type IgnorePattern, isIgnored, parseIgnore, withDefaultIgnores } from '../../lib/ignore.ts';
import { IGNORE_FILE } from '../../lib/source-tree.ts';
import { openBucket, type S3Bucket } from '../../remote/s3/bucket.ts';
import type { Pass } from '../../runtime/controller.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import { waitRemotely } from '../shared/host-gate.ts';
import { archiveState } from '../shared/source-artifact.ts';
import { authFailed, keptOrRead, secretsOf } from '../shared/source-login.ts';
import { sourceTimeoutMs } from '../shared/timing.ts';
import { blockerOf } from './decide.ts';
import { type BucketPorts, MAX_OBJECT_BYTES, MAX_OBJECTS, MAX_TOTAL_BYTES } from './ports.ts';
import { isUnsafeKey, revisionOf } from './revision.ts';
import type { Listing, Observed } from './types.ts';

const MAX_IGNORE_BYTES = 1024 * 1024;

export async function observe(object: Bucket, ports: BucketPorts, pass: Pass<Bucket>): Promise<Observed> {
  const archive = await archiveState(object.status?.artifact, ports);
  if (blockerOf(object) !== undefined) return { object, archive, listing: undefined };
  const bucket = await keptOrRead(ports.buckets, [object], pass, () => open(object, ports, pass));
  const wait = { url: object.spec.endpoint, timeoutMs: sourceTimeoutMs(object.spec) };
  try {
    const listing = await waitRemotely(wait, ports, pass, (signal) => list(object, bucket, signal));
    return { object, archive, listing };
  } catch (error) {
    pass.signal.throwIfAborted();
    ports.buckets.delete(pass.key);
    throw bucketFailure(error);
  }
}

/** The error of an operation on the bucket. */
export function bucketFailure(error: unknown, prefix = ''): ReconcileError {
  if (error instanceof ReconcileError) return error;
  const options = { condition: 'FetchFailed', cause: error };
  return new ReconcileError(reasons.bucketOperationFailed, prefix + errorMessage(error), options);
}

async function open(object: Bucket, ports: BucketPorts, pass: Pass<Bucket>): Promise<S3Bucket> {
  const { spec } = object;
  const secrets = secretsOf(object, ports, pass);
  const data = await secrets.read(spec.secretRef, 'secret');
  const { accesskey: accessKey = '', secretkey: secretKey = '' } = data ?? {};
  if (data !== undefined && (accessKey === '' || secretKey === '')) {
    throw authFailed(`invalid '${spec.secretRef?.name}' secret data: required fields 'accesskey' and 'secretkey'`);
  }
  return openBucket({
    http: ports.http,
    clock: ports.clock,
    endpoint: spec.endpoint,
    bucket: spec.bucketName,
    region: spec.region,
    key: data === undefined ? undefined : { accessKey, secretKey },
    insecure: spec.insecure,
    tls: await secrets.tls(spec.certSecretRef, 'failed to get TLS config: '),
    proxy: await secrets.proxy(spec.proxySecretRef, 'failed to get proxy URL: '),
    timeoutMs: sourceTimeoutMs(object.spec),
  });
}

async function list({ spec }: Bucket, bucket: S3Bucket, signal: AbortSignal): Promise<Listing> {
  const { bucketName, prefix = '' } = spec;
  const patterns = await ignorePatterns(bucket, spec, signal);
  const objects = new Map<string, string>();
  let bytes = 0;
  try {
    for await (const { key, etag, size } of bucket.list(prefix, signal)) {
      if (key.endsWith('/') || key === IGNORE_FILE || isIgnored(patterns, key, false)) continue;
      if (isUnsafeKey(key)) throw new Error(`key ${JSON.stringify(key)} is no path of a file below the bucket`);
      if (size > MAX_OBJECT_BYTES) throw tooLarge(`object '${key}' of ${size} bytes`, MAX_OBJECT_BYTES);
      bytes += size;
      objects.set(key, etag);
      if (bytes > MAX_TOTAL_BYTES) throw tooLarge('the content', MAX_TOTAL_BYTES);
      if (objects.size > MAX_OBJECTS) throw new Error(`there are more than ${MAX_OBJECTS} objects`);
    }
  } catch (error) {
    throw bucketFailure(error, `indexation of objects from bucket '${bucketName}' failed: `);
  }
  return { bucket, objects, revision: revisionOf(objects) };
}

function tooLarge(what: string, limit: number): Error {
  return new Error(`${what} exceeds the limit of ${limit} bytes`);
}

/** The rules of the bucket's own ignore file, then those of the spec. */
async function ignorePatterns(
  bucket: S3Bucket,
  { bucketName, ignore }: Bucket['spec'],
  signal: AbortSignal,
): Promise<readonly IgnorePattern[]> {
  let text = '';
  try {
    const file = await bucket.get(IGNORE_FILE, { signal, maxBytes: MAX_IGNORE_BYTES });
    for await (const chunk of file?.body ?? []) text += chunk.toString('utf8');
  } catch (error) {
    if (errorCode(error) === 'S3NotFound') throw bucketFailure(new Error(`bucket '${bucketName}' not found`));
    throw bucketFailure(error, `failed to get Etag for '${IGNORE_FILE}' object: `);
  }
  return withDefaultIgnores([...parseIgnore(text), ...parseIgnore(ignore ?? '')]);
}
