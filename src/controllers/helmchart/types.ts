// Owns the values that the four steps of the HelmChart controller hand to each other.
import type { Artifact } from '../../api/meta/artifact.ts';
import type { HelmChart } from '../../api/source/helmchart.ts';
import type { HelmRepository } from '../../api/source/helmrepository.ts';
import type { ChartVersion } from '../../engines/helm/repository/choose.ts';
import type { FileTree } from '../../lib/filetree.ts';
import type { ChartRepositoryLogin } from '../../remote/charts/repository.ts';
import type { RepositoryName } from '../../remote/oci/reference.ts';
import type { Registry } from '../../remote/oci/registry.ts';
import type { ArchiveState, SourceFailure } from '../shared/source-artifact.ts';
import type { ChartSource } from './ports.ts';

/** Where the wanted version of the chart is. */
export type FoundChart =
  | {
      readonly from: 'index';
      readonly repository: HelmRepository;
      readonly login: ChartRepositoryLogin;
      readonly entry: ChartVersion;
    }
  | {
      readonly from: 'registry';
      readonly repository: HelmRepository;
      readonly registry: Registry;
      readonly name: RepositoryName;
      readonly tag: string;
    }
  | {
      readonly from: 'files';
      readonly tree: FileTree;
      /** Folder or archive in the tree, links followed. */
      readonly path: string;
      readonly isFolder: boolean;
    };

/** The wanted chart, before it is fetched or packaged. */
export interface Candidate {
  readonly found: FoundChart;
  readonly name: string;
  /** Version as the source has it. */
  readonly version: string;
}

export interface Observed {
  readonly object: HelmChart;
  readonly archive: ArchiveState;
  readonly source: ChartSource | undefined;
  /** Whether the artifact of the source is in the storage. */
  readonly isSourceStored: boolean;
  /** Absent when a check before it fails, or when nothing changed since the last pass. */
  readonly candidate: Candidate | undefined;
  readonly requeueDependencyMs: number;
}

/** A chart that is to be fetched or packaged. */
export interface BuildPlan extends Candidate {
  /** Version that the artifact gets. */
  readonly builtVersion: string;
  readonly valuesFiles: readonly string[];
  /** False for an archive that is stored as it is. */
  readonly packages: boolean;
  readonly verify: boolean;
}

export type Decision =
  | { readonly do: 'nothing'; readonly because: string; readonly sourceRevision: string | undefined }
  | { readonly do: 'fail'; readonly because: string; readonly failure: SourceFailure }
  | {
      readonly do: 'build';
      readonly because: string;
      readonly plan: BuildPlan;
      readonly sourceRevision: string | undefined;
    };

export type Outcome =
  | { readonly type: 'nothing'; readonly sourceRevision: string | undefined }
  | {
      readonly type: 'stored';
      readonly artifact: Artifact;
      readonly isNew: boolean;
      readonly name: string;
      readonly packaged: boolean;
      /** Values files that were merged. */
      readonly valuesFiles: readonly string[];
      readonly sourceRevision: string | undefined;
      readonly verified: boolean;
    };
