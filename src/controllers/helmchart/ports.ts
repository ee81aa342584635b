// Owns what the HelmChart controller needs from outside: a plain object of functions, made in app.ts.
import type { Artifact } from '../../api/meta/artifact.ts';
import type { Bucket } from '../../api/source/bucket.ts';
import type { GitRepository } from '../../api/source/gitrepository.ts';
import type { HelmChartSourceReference } from '../../api/source/helmchart.ts';
import type { HelmRepository } from '../../api/source/helmrepository.ts';
import type { FileTree } from '../../lib/filetree.ts';
import type { ChartRepositoryLogin } from '../../remote/charts/repository.ts';
import type { Registry } from '../../remote/oci/registry.ts';
import type { Key } from '../../runtime/controller.ts';
import type { ChartIndexes } from '../shared/chart-indexes.ts';
import type { Kept } from '../shared/source-login.ts';
import type { SourcePorts } from '../shared/source-ports.ts';

/** What a chart may come from. */
export type ChartSource = HelmRepository | GitRepository | Bucket;

export interface HelmChartPorts extends SourcePorts {
  readonly settings: { readonly requeueDependencyMs: number };
  readonly indexes: ChartIndexes;
  readonly logins: Map<Key, Kept<ChartRepositoryLogin>>;
  readonly registries: Map<Key, Kept<Registry>>;
  findSource(namespace: string, reference: HelmChartSourceReference): ChartSource | undefined;
  /** HelmRepositories of a namespace, for the dependencies of charts. */
  listRepositories(namespace: string): readonly HelmRepository[];
  /** Whether the artifact of a source is on this machine now; it is fetched where another replica has it. */
  hasSource(artifact: Artifact | undefined): Promise<boolean>;
  /** The files of a source's artifact. */
  openArtifact(artifact: Artifact): Promise<FileTree>;
}
