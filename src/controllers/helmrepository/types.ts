// Owns the values that the four steps of the HelmRepository controller hand to each other.
import type { Artifact } from '../../api/meta/artifact.ts';
import type { HelmRepository } from '../../api/source/helmrepository.ts';
import type { DownloadFolder } from '../../artifact/downloads.ts';
import type { Validators } from '../../remote/charts/repository.ts';
import type { ArchiveState, SourceFailure } from '../shared/source-artifact.ts';

/** An index that was downloaded, not yet read. */
export interface DownloadedIndex {
  readonly folder: DownloadFolder;
  readonly path: string;
  /** `sha256:<hex>` of the downloaded bytes. */
  readonly revision: string;
  readonly validators: Validators;
}

export interface Observed {
  readonly object: HelmRepository;
  readonly archive: ArchiveState;
  /** Absent when a check before it fails; `unchanged` when the server says that the stored index is the newest. */
  readonly index: DownloadedIndex | 'unchanged' | undefined;
}

export type Decision =
  | { readonly do: 'nothing'; readonly because: string; readonly index: DownloadedIndex | undefined }
  | { readonly do: 'fail'; readonly because: string; readonly failure: SourceFailure }
  | { readonly do: 'store'; readonly because: string; readonly index: DownloadedIndex };

export type Outcome =
  | { readonly type: 'nothing' }
  | { readonly type: 'stored'; readonly artifact: Artifact; readonly isNew: boolean };
