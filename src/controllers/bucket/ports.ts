// Owns what the Bucket controller needs from outside: a plain object of functions, made in app.ts.
import type { S3Bucket } from '../../remote/s3/bucket.ts';
import type { Key } from '../../runtime/controller.ts';
import type { Kept } from '../shared/source-login.ts';
import type { SourcePorts } from '../shared/source-ports.ts';

export interface BucketPorts extends SourcePorts {
  /** Buckets with their keys. */
  readonly buckets: Map<Key, Kept<S3Bucket>>;
}

/** Bounds of a bucket's artifact. */
export const MAX_OBJECTS = 100_000;
export const MAX_OBJECT_BYTES = 256 * 1024 * 1024;
export const MAX_TOTAL_BYTES = 1024 * 1024 * 1024;
