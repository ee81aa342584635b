// Owns the values that the four steps of the Bucket controller hand to each other.
import type { Artifact } from '../../api/meta/artifact.ts';
import type { Bucket } from '../../api/source/bucket.ts';
import type { S3Bucket } from '../../remote/s3/bucket.ts';
import type { ArchiveState, SourceFailure } from '../shared/source-artifact.ts';

/** What is in a bucket, without what is ignored. */
export interface Listing {
  readonly bucket: S3Bucket;
  /** Key → ETag. */
  readonly objects: ReadonlyMap<string, string>;
  /** Digest of keys and ETags. */
  readonly revision: string;
}

export interface Observed {
  readonly object: Bucket;
  readonly archive: ArchiveState;
  /** Absent when a check before it fails. */
  readonly listing: Listing | undefined;
}

export type Decision =
  | { readonly do: 'nothing'; readonly because: string }
  | { readonly do: 'fail'; readonly because: string; readonly failure: SourceFailure }
  | { readonly do: 'fetch'; readonly because: string; readonly listing: Listing };

export type Outcome =
  | { readonly type: 'nothing' }
  | { readonly type: 'stored'; readonly artifact: Artifact; readonly isNew: boolean; readonly files: number };
