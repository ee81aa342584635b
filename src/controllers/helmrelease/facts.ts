// Owns what a render asks of the world: what a chart is called, what a cluster is and serves, objects that templates look
// up.
import type { ChartReference } from '../../api/helm/helmrelease.ts';
import type { Artifact } from '../../api/meta/artifact.ts';
import { isNotFound } from '../../cluster/api-error.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { groupVersion } from '../../cluster/discovery.ts';
import { loadChartArchive } from '../../engines/helm/archive.ts';
import { type Capabilities, parseKubeVersion } from '../../engines/helm/capabilities.ts';
import { createByteLru } from '../../lib/byte-lru.ts';
import type { Clock } from '../../lib/clock.ts';
import { errorCode } from '../../lib/errors.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { PlacedArchive } from '../shared/source-artifacts.ts';
import type { ChartIdentity, HelmReleasePorts, LookupRequest } from './ports.ts';

/** How long what a cluster serves is taken to stay, in ms. */
const CAPABILITIES_MS = 60_000;
const IDENTITIES_BYTES = 1024 * 1024;

/** Reads what charts are called. An archive is opened once; its file is looked at each time. */
export function createChartReader(
  place: (kind: ChartReference['kind'], artifact: Artifact) => Promise<PlacedArchive>,
): HelmReleasePorts['readChart'] {
  const identities = createByteLru<string, ChartIdentity>(IDENTITIES_BYTES);
  return async (kind, artifact) => {
    const { digest = '' } = artifact;
    const { store, path } = await place(kind, artifact);
    const known = identities.get(digest);
    if (known !== undefined && (await store.verify(path, digest)) === 'ok') return known;
    const { name, version, appVersion } = loadChartArchive(await store.read(path, digest)).metadata;
    const identity = { name, version, appVersion };
    identities.set(digest, identity, name.length + version.length + appVersion.length);
    return identity;
  };
}

/** What a cluster is and serves, as charts ask for it; remembered for a while, and while its kinds do not change. */
export function createCapabilities(clock: Clock): HelmReleasePorts['capabilities'] {
  const known = new WeakMap<object, { readonly atMs: number; readonly kinds: number; readonly value: Capabilities }>();
  return async (client) => {
    const kinds = await client.discovery.all();
    const before = known.get(client.discovery);
    const now = clock.monotonic();
    if (before !== undefined && before.kinds === kinds.length && now - before.atMs < CAPABILITIES_MS)
      return before.value;
    const answer = await client.raw('GET', '/version');
    const version = isJsonObject(answer) && typeof answer['gitVersion'] === 'string' ? answer['gitVersion'] : 'v1.0.0';
    const served = kinds.flatMap(({ group, version: name, kind }) => {
      const apiVersion = groupVersion(group, name);
      return [apiVersion, `${apiVersion}/${kind}`];
    });
    const value = { kubeVersion: parseKubeVersion(version, 'helm4'), apiVersions: [...new Set(served)] };
    known.set(client.discovery, { atMs: now, kinds: kinds.length, value });
    return value;
  };
}

/** An object, or the list of them, as a template sees it: an empty object for what is not there. */
export async function lookUp(client: DynamicClient, wanted: LookupRequest): Promise<JsonObject> {
  const { apiVersion, kind, namespace, name } = wanted;
  try {
    if (name === '') {
      const { items } = await client.list({ apiVersion, kind }, namespace === '' ? {} : { namespace });
      return { items: items as unknown as JsonObject[] };
    }
    const reference = { apiVersion, kind, name, ...(namespace === '' ? {} : { namespace }) };
    return ((await client.find(reference)) ?? {}) as JsonObject;
  } catch (error) {
    if (errorCode(error) === 'NoMatch' || isNotFound(error)) return {};
    throw error;
  }
}
