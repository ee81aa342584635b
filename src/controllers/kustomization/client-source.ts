// Owns the client that a Kustomization's objects are applied with: the controller's own, or as a ServiceAccount of the
// Kustomization's namespace, here or on the cluster of a kubeconfig (flux.md §4.1, threats.md rows 8 and 9).
import type { ClusterAccess } from '../../cluster/access.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { loadKubeconfig } from '../../cluster/kubeconfig.ts';
import type { Clock } from '../../lib/clock.ts';
import { CodedError } from '../../lib/errors.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { type Inputs, inputKey } from '../../render/inputs.ts';
import { type ClientSubject, type ConfigMapAccessOptions, configMapAccess } from './config-map-access.ts';

/** Code `KubeconfigMissing`: the Secret, its key or the ConfigMap is not there. */
export class ClientSourceError extends CodedError<'KubeconfigMissing', { readonly object: string }> {}

export interface ClientSourceOptions {
  readonly client: DynamicClient;
  readonly clock: Clock;
  /** ServiceAccount to impersonate where the spec names none; '' for none. */
  readonly defaultServiceAccount: string;
  /** `--insecure-kubeconfig-tls`: kubeconfigs may leave certificates unchecked. */
  readonly allowInsecureTls: boolean;
  readonly configMaps: ConfigMapAccessOptions;
  /** Opens another cluster. */
  readonly connect: (access: ClusterAccess) => DynamicClient;
}

type ClientFor = (object: ClientSubject, inputs: Inputs) => Promise<DynamicClient>;

interface Remote {
  /** resourceVersion of the Secret or ConfigMap that the client was made of. */
  readonly version: string;
  readonly client: DynamicClient;
}

const DEFAULT_KEYS = ['value', 'value.yaml'];

/** Makes the function that picks the client. Clients are kept; impersonated ones share the connections of theirs. */
export function clientSource(options: ClientSourceOptions): ClientFor {
  const impersonating = new WeakMap<DynamicClient, Map<string, DynamicClient>>();
  const remotes = new Map<string, Remote>();
  const impersonate = (client: DynamicClient, user: string): DynamicClient => {
    const known = impersonating.get(client) ?? new Map<string, DynamicClient>();
    impersonating.set(client, known);
    // The API server adds the groups of a ServiceAccount by itself: the right to impersonate groups is not needed.
    const made = known.get(user) ?? client.as({ user });
    known.set(user, made);
    return made;
  };
  return async (object, inputs) => {
    const isRemote = object.spec?.kubeConfig !== undefined;
    const client = isRemote ? await remoteClient(object, inputs, remotes, options) : options.client;
    // The default ServiceAccount is of this cluster: on another one only a named one is impersonated.
    const name = object.spec?.serviceAccountName || (isRemote ? '' : options.defaultServiceAccount);
    return name === '' ? client : impersonate(client, `system:serviceaccount:${object.metadata.namespace}:${name}`);
  };
}

async function remoteClient(
  object: ClientSubject,
  inputs: Inputs,
  remotes: Map<string, Remote>,
  options: ClientSourceOptions,
): Promise<DynamicClient> {
  const { secretRef, configMapRef } = object.spec?.kubeConfig ?? {};
  const kind = secretRef === undefined ? 'ConfigMap' : 'Secret';
  const reference = secretRef ?? configMapRef;
  if (reference === undefined) {
    const message =
      'invalid .spec.kubeConfig, neither .spec.kubeConfig.configMapRef nor .spec.kubeConfig.secretRef is set';
    throw new ClientSourceError('KubeconfigMissing', message, { object: '' });
  }
  const name = `${object.metadata.namespace}/${reference.name}`;
  const source = inputs.get(inputKey({ kind, name: reference.name }));
  if (source === undefined) throw missing(kind, name, reference.name);
  const metadata = isJsonObject(source['metadata']) ? source['metadata'] : {};
  const version = [metadata['uid'], metadata['resourceVersion'], secretRef?.key].join(' ');
  const key = `${kind}/${name}`;
  const known = remotes.get(key);
  if (known?.version === version) return known.client;
  const access =
    secretRef === undefined
      ? configMapAccess(object, source, options.configMaps)
      : await secretAccess(secretRef, name, source, options);
  await known?.client.rest.close();
  const client = options.connect(access);
  remotes.set(key, { version, client });
  return client;
}

function missing(kind: 'Secret' | 'ConfigMap', id: string, name: string): ClientSourceError {
  const message =
    kind === 'Secret'
      ? `unable to read KubeConfig secret '${id}' error: secrets "${name}" not found`
      : `failed to get configmap ${id}: configmaps "${name}" not found`;
  return new ClientSourceError('KubeconfigMissing', message, { object: id });
}

/** The access of a kubeconfig in a Secret. Throws ClientSourceError and KubeconfigError. */
async function secretAccess(
  reference: { readonly key?: string },
  name: string,
  secret: JsonObject,
  options: ClientSourceOptions,
): Promise<ClusterAccess> {
  const data = isJsonObject(secret['data']) ? secret['data'] : {};
  const keys = reference.key === undefined ? DEFAULT_KEYS : [reference.key];
  const key = keys.find((candidate) => Object.hasOwn(data, candidate));
  const value = key === undefined ? undefined : data[key];
  if (typeof value !== 'string') {
    const wanted = reference.key ?? "value' or 'value.yaml";
    const message = `KubeConfig secret '${name}' does not contain a '${wanted}' key with data`;
    throw new ClientSourceError('KubeconfigMissing', message, { object: name });
  }
  return loadKubeconfig(Buffer.from(value, 'base64').toString('utf8'), {
    clock: options.clock,
    folder: '/',
    selfContained: true,
    allowInsecureTls: options.allowInsecureTls,
  });
}
