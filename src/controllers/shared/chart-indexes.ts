// Owns looking up charts in the stored indexes of HelmRepositories: each index is scanned once, in a thread, and what
// stays in memory is where each chart stands in its file.
import type { Artifact } from '../../api/meta/artifact.ts';
import { type ChartVersion, noSuchChart } from '../../engines/helm/repository/choose.ts';
import { findVersion } from '../../offload/charts/index-file.ts';
import type { WorkerPool } from '../../offload/pool.ts';

type Table = ReadonlyMap<string, readonly [start: number, end: number]>;

/** Indexes whose tables are kept; the oldest goes. */
const MAX_TABLES = 64;
/** A chart with more versions than fit in this is looked up in a thread: parsing it would hold the event loop. */
const MAX_INLINE_BYTES = 256 * 1024;

export interface ChartIndexesPorts {
  /** Where the file of an index is on this machine. */
  readonly locate: (artifact: Artifact) => Promise<string>;
  readonly workers: WorkerPool;
}

export class ChartIndexes {
  readonly #ports: ChartIndexesPorts;
  /** Path of an index file and its identity → table. */
  readonly #tables = new Map<string, Promise<Table>>();

  constructor(ports: ChartIndexesPorts) {
    this.#ports = ports;
  }

  /** The version of a chart in a stored index. Throws RepositoryError `ChartUnknown`. */
  async find(artifact: Artifact, name: string, wanted: string): Promise<ChartVersion> {
    return this.findIn(await this.#ports.locate(artifact), artifact.digest ?? '', { name, wanted });
  }

  /** The same in an index file that is not stored. `identity` changes with its content. */
  async findIn(
    path: string,
    identity: string,
    { name, wanted }: { readonly name: string; readonly wanted: string },
  ): Promise<ChartVersion> {
    const range = (await this.#table(path, identity)).get(name);
    if (range === undefined) throw noSuchChart();
    const [start, end] = range;
    const input = { path, start, end, name, wanted };
    return end - start > MAX_INLINE_BYTES ? this.#ports.workers.run('findChartVersion', input) : findVersion(input);
  }

  #table(path: string, identity: string): Promise<Table> {
    const key = `${path} ${identity}`;
    const known = this.#tables.get(key);
    this.#tables.delete(key);
    const table = known ?? this.#read(path);
    this.#tables.set(key, table);
    // A table that could not be read is tried again the next time.
    table.catch(() => this.#tables.delete(key));
    for (const oldest of this.#tables.keys()) {
      if (this.#tables.size <= MAX_TABLES) break;
      this.#tables.delete(oldest);
    }
    return table;
  }

  async #read(path: string): Promise<Table> {
    const { names, offsets } = await this.#ports.workers.run('readIndexTable', { path });
    return new Map(names.map((name, index) => [name, [offsets[index * 2]!, offsets[index * 2 + 1]!]]));
  }
}
