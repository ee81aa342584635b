// Owns the client that a Kustomization's objects are applied with: the controller's own, or as a ServiceAccount of the
// Kustomization's namespace, here or on the cluster of a kubeconfig (flux.md §4.1, threats.md rows 8 and 9).
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import type { ClusterAccess } from '../../cluster/access.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { loadKubeconfig } from '../../cluster/kubeconfig.ts';
import type { Clock } from '../../lib/clock.ts';
import { CodedError } from '../../lib/errors.ts';
import { isJsonObject } from '../../lib/json.ts';
import { type Inputs, inputKey } from './inputs.ts';

/** Code `KubeconfigMissing`: the Secret or the key in it is not there. */
export class ClientSourceError extends CodedError<'KubeconfigMissing', { readonly secret: string }> {}

export interface ClientSourceOptions {
  readonly client: DynamicClient;
  readonly clock: Clock;
  /** ServiceAccount to impersonate where the spec names none; '' for none. */
  readonly defaultServiceAccount: string;
  /** Opens another cluster. */
  readonly connect: (access: ClusterAccess) => DynamicClient;
}

type ClientFor = (object: Kustomization, inputs: Inputs) => Promise<DynamicClient>;

interface Remote {
  /** resourceVersion of the Secret that the client was made of. */
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
    const isRemote = object.spec?.kubeConfig?.secretRef !== undefined;
    const client = isRemote ? await remoteClient(object, inputs, remotes, options) : options.client;
    // The default ServiceAccount is of this cluster: on another one only a named one is impersonated.
    const name = object.spec?.serviceAccountName || (isRemote ? '' : options.defaultServiceAccount);
    return name === '' ? client : impersonate(client, `system:serviceaccount:${object.metadata.namespace}:${name}`);
  };
}

async function remoteClient(
  object: Kustomization,
  inputs: Inputs,
  remotes: Map<string, Remote>,
  options: ClientSourceOptions,
): Promise<DynamicClient> {
  const reference = object.spec!.kubeConfig!.secretRef!;
  const name = `${object.metadata.namespace}/${reference.name}`;
  const secret = inputs.get(inputKey({ kind: 'Secret', name: reference.name }));
  if (secret === undefined) {
    const message = `unable to read KubeConfig secret '${name}' error: secrets "${reference.name}" not found`;
    throw new ClientSourceError('KubeconfigMissing', message, { secret: name });
  }
  const metadata = isJsonObject(secret['metadata']) ? secret['metadata'] : {};
  const version = `${metadata['uid']} ${metadata['resourceVersion']} ${reference.key ?? ''}`;
  const known = remotes.get(name);
  if (known?.version === version) return known.client;
  const data = isJsonObject(secret['data']) ? secret['data'] : {};
  const keys = reference.key === undefined ? DEFAULT_KEYS : [reference.key];
  const key = keys.find((candidate) => Object.hasOwn(data, candidate));
  const value = key === undefined ? undefined : data[key];
  if (typeof value !== 'string') {
    const wanted = reference.key ?? "value' or 'value.yaml";
    const message = `KubeConfig secret '${name}' does not contain a '${wanted}' key with data`;
    throw new ClientSourceError('KubeconfigMissing', message, { secret: name });
  }
  const access = await loadKubeconfig(Buffer.from(value, 'base64').toString('utf8'), {
    clock: options.clock,
    folder: '/',
    selfContained: true,
  });
  await known?.client.rest.close();
  const client = options.connect(access);
  remotes.set(name, { version, client });
  return client;
}
