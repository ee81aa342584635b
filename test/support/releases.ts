// Owns what suites of HelmReleases do with the release `web`, whose chart is in the repository `charts`.
import type { JsonObject } from '../../src/lib/json.ts';
import { gitRepository } from './build.ts';
import type { ClusterUse } from './cluster.ts';
import { configChart, helmRelease } from './helm-charts.ts';
import {
  condition,
  hasFailed,
  isReady,
  type Live,
  paths,
  type ReconcilerUse,
  type TestRepository,
} from './reconciler.ts';

/** The release of a test. Read it inside tests only. */
export interface ReleaseUse {
  /** Path of a HelmRelease, of this one by default. */
  at(name?: string): string;
  /** A ConfigMap of the test's namespace; undefined when it is not there. */
  configMap(name?: string): Promise<Live | undefined>;
  /** Makes the repository with a chart of one ConfigMap and `more` files. */
  prepare(more?: Readonly<Record<string, string>>, version?: string): Promise<TestRepository>;
  /** Creates or replaces the HelmRelease. */
  release(spec?: JsonObject): Promise<Live>;
  /** Waits until it is Ready in a version of its history. */
  ready(version?: number): Promise<Live>;
  /** Waits until it has failed for a reason, and answers what is said of it. */
  failure(reason: string): Promise<string>;
}

export function useRelease(cluster: ClusterUse, reconciler: ReconcilerUse): ReleaseUse {
  const at = (name = 'web') => paths.helmRelease(cluster.namespace, name);
  return {
    at,
    configMap: (name = 'web') => reconciler.get(paths.configMap(cluster.namespace, name)),
    prepare: async (more = {}, version = '1.0.0') => {
      const repository = await reconciler.repository(configChart(version, more));
      await reconciler.apply(gitRepository('charts', repository.url, { interval: '1s' }));
      return repository;
    },
    release: (spec = {}) => reconciler.apply(helmRelease('web', 'charts', spec)),
    ready: (version = 1) =>
      reconciler.waitFor(at(), (object) => isReady(object) && object.status.history[0].version === version),
    failure: async (reason) => condition(await reconciler.waitFor(at(), hasFailed(reason)), 'Ready').message,
  };
}
