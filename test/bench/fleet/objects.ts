// Owns what the fleet benchmark deploys: applications of a Deployment, a Service and ConfigMaps, each a folder of one
// repository, and the Kustomizations that name them.
import type { JsonObject } from '../../../src/lib/json.ts';
import type { FileChanges } from '../../support/git.ts';

/** Where the objects of the applications go. */
export const APPS = 'fleet-apps';
/** Where the Kustomizations and their source are. */
export const FLEET = 'fleet';

export function appName(index: number): string {
  return `app-${String(index).padStart(4, '0')}`;
}

/** The objects of one application: a Deployment, a Service, and ConfigMaps for the rest of `count`. */
export function appObjects(index: number, count: number, round: string): JsonObject[] {
  const name = appName(index);
  const labels = { app: name };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', image: 'app:1', env: [{ name: 'ROUND', value: round }] }] },
      },
    },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels },
    spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
  const configMaps = Array.from({ length: Math.max(0, count - 2) }, (_, at) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${name}-${at}`, labels },
    data: { round, text: `settings ${at} of ${name}\n`.repeat(10) },
  }));
  return [deployment, service, ...configMaps].slice(0, count);
}

/** The files of some applications, by their place in the repository. JSON is YAML. */
export function appFiles(indexes: readonly number[], count: number, round: string): FileChanges {
  return Object.fromEntries(
    indexes.map((index) => [
      `apps/${appName(index)}/all.yaml`,
      appObjects(index, count, round)
        .map((object) => `---\n${JSON.stringify(object, null, 1)}\n`)
        .join(''),
    ]),
  );
}

/** Files that no application reads, a hundred in a folder: what else a repository holds. */
export function otherFiles(count: number): FileChanges {
  const text = 'what somebody else deploys\n'.repeat(40);
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`other/${Math.floor(at / 100)}/${at}.txt`, `${at}\n${text}`]),
  );
}

export function sourceObject(url: string, interval: string): JsonObject {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace: FLEET },
    spec: { interval, url, ref: { branch: 'main' } },
  };
}

export function appKustomization(index: number, interval: string): JsonObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: appName(index), namespace: FLEET },
    spec: {
      interval,
      prune: true,
      wait: true,
      timeout: '5m',
      path: `./apps/${appName(index)}`,
      targetNamespace: APPS,
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
    },
  };
}
