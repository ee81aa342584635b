// Owns the way to another cluster that a ConfigMap describes: an address, and a token of a ServiceAccount of this
// cluster that the other one trusts (flux.md §4.1 kubeConfig.configMapRef). Cloud identities are refused by name.
import type { KustomizationSpec } from '../../api/kustomize/kustomization.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { ClusterAccess } from '../../cluster/access.ts';
import { CodedError, errorMessage } from '../../lib/errors.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';

/** What says where and as whom something is applied. */
export interface ClientSubject extends KubeObject {
  readonly spec?: Pick<KustomizationSpec, 'kubeConfig' | 'serviceAccountName'>;
}

/** Codes: `ConfigMapInvalid`, `ProviderNotSupported`, `GateDisabled`, `TokenRefused`. */
export class ConfigMapAccessError extends CodedError<
  'ConfigMapInvalid' | 'ProviderNotSupported' | 'GateDisabled' | 'TokenRefused',
  { readonly configMap: string }
> {}

/** A ServiceAccount of this cluster and for whom its token is meant. */
export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  /** The cluster's own audience when empty. */
  readonly audiences: readonly string[];
}

export interface ConfigMapAccessOptions {
  /** The gate ObjectLevelWorkloadIdentity. */
  readonly isEnabled: boolean;
  /** `--default-kubeconfig-service-account`; '' for none. */
  readonly defaultServiceAccount: string;
  /** A token of the ServiceAccount; kept as long as it is good. */
  readonly tokenOf: (subject: TokenSubject, object: ClientSubject) => Promise<string>;
}

const CLOUDS = ['aws', 'azure', 'gcp'];

/** Reads the ConfigMap. Throws ConfigMapAccessError. */
export function configMapAccess(
  object: ClientSubject,
  configMap: JsonObject,
  options: ConfigMapAccessOptions,
): ClusterAccess {
  const { namespace = '' } = object.metadata;
  const name = `${namespace}/${object.spec?.kubeConfig?.configMapRef?.name}`;
  const fail = (code: ConfigMapAccessError['code'], message: string): never => {
    throw new ConfigMapAccessError(code, message, { configMap: name });
  };
  const data = isJsonObject(configMap['data']) ? configMap['data'] : {};
  const text = (key: string): string => {
    const value = Object.hasOwn(data, key) ? data[key] : undefined;
    return typeof value === 'string' ? value : '';
  };
  const provider = text('provider');
  if (CLOUDS.includes(provider)) {
    fail('ProviderNotSupported', `provider '${provider}' of ConfigMap '${name}' is not supported: use 'generic'`);
  }
  if (provider !== 'generic') {
    fail('ConfigMapInvalid', `ConfigMap '${name}' names the provider '${provider}', which there is none of`);
  }
  // Without one Flux would send a token of its own account to an address that a tenant wrote down.
  const account = text('serviceAccountName') || options.defaultServiceAccount;
  if (account === '') fail('ConfigMapInvalid', `ConfigMap '${name}' has no 'serviceAccountName'`);
  if (!options.isEnabled) fail('GateDisabled', 'ObjectLevelWorkloadIdentity feature gate is not enabled');
  const address = text('address');
  if (address === '') fail('ConfigMapInvalid', 'cluster address is required to create a REST config');
  const server = parseAddress(address) ?? fail('ConfigMapInvalid', addressProblem(address));
  const wanted = text('audiences')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const subject = { namespace, name: account, audiences: wanted.length === 0 ? [address] : wanted };
  const ca = text('ca.crt');
  return {
    server,
    tls: ca === '' ? {} : { ca },
    authorization: async () => `Bearer ${await tokenFor(subject, object, name, options)}`,
  };
}

async function tokenFor(
  subject: TokenSubject,
  object: ClientSubject,
  configMap: string,
  options: ConfigMapAccessOptions,
): Promise<string> {
  try {
    return await options.tokenOf(subject, object);
  } catch (error) {
    const account = `${subject.namespace}/${subject.name}`;
    const message = `failed to create kubernetes token for service account '${account}': ${errorMessage(error)}`;
    throw new ConfigMapAccessError('TokenRefused', message, { configMap }, { cause: error });
  }
}

/** `https://host:port`; undefined for what is no https address. */
function parseAddress(address: string): string | undefined {
  const text = address.startsWith('http') ? address : `https://${address}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'https:' ? `https://${url.hostname}:${url.port || '443'}` : undefined;
}

function addressProblem(address: string): string {
  const why = address.startsWith('http://')
    ? `the Kubernetes API server address '${address}' must use https scheme`
    : 'it is no URL';
  return `failed to parse cluster address ${address}: ${why}`;
}
