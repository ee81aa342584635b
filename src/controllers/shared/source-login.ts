// Owns reading the Secrets of a source, and how long what was read is kept: until the spec changes, a pass is requested
// or what was made of them fails, so that an interval tick asks the API server nothing.
import type { KubeObject, LocalObjectReference } from '../../api/meta/object.ts';
import { sourceReasons } from '../../api/source/source-object.ts';
import { errorMessage } from '../../lib/errors.ts';
import { createMask, type Mask } from '../../objects/redact.ts';
import { parseProxySecret, parseTls, type SecretData } from '../../remote/git/auth.ts';
import type { ProxySettings, TlsSettings } from '../../remote/http.ts';
import type { Key } from '../../runtime/controller.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import type { SourcePorts } from './source-ports.ts';

/** Something made of Secrets, and what it was made for. */
export interface Kept<T> {
  readonly value: T;
  readonly print: string;
}

/** What a pass knows of itself. */
export interface LoginPass {
  readonly key: Key;
  readonly signal: AbortSignal;
  readonly requested: string | undefined;
}

/** The kept value, or one that is made now. It is good as long as the generations of the objects are the same. */
export async function keptOrRead<T>(
  kept: Map<Key, Kept<T>>,
  objects: readonly KubeObject[],
  pass: LoginPass,
  read: () => Promise<T>,
): Promise<T> {
  const print = objects.map(({ metadata }) => `${metadata.uid}/${metadata.generation}`).join(' ');
  const known = kept.get(pass.key);
  if (known !== undefined && known.print === print && pass.requested === undefined) return known.value;
  const value = await read();
  kept.set(pass.key, { value, print });
  return value;
}

/** Reads Secrets of an object's namespace; failures are said in Flux's words, with reason AuthenticationFailed. */
export interface SecretSource {
  /** Undefined without a reference. `what` stands in the message: `failed to get <what> 'ns/name': …`. */
  read(reference: LocalObjectReference | undefined, what: string): Promise<SecretData | undefined>;
  /** Trust and client certificate of `certSecretRef`. `failing` comes before the reason in the message. */
  tls(reference: LocalObjectReference | undefined, failing: string): Promise<TlsSettings | undefined>;
  proxy(reference: LocalObjectReference | undefined, failing: string): Promise<ProxySettings | undefined>;
}

export function secretsOf(
  object: KubeObject,
  ports: Pick<SourcePorts, 'readSecret' | 'secrets'>,
  { key, signal }: Pick<LoginPass, 'key' | 'signal'>,
): SecretSource {
  const namespace = object.metadata.namespace ?? '';
  const read: SecretSource['read'] = async (reference, what) => {
    if (reference === undefined || reference.name === '') return undefined;
    const data = await ports.readSecret(namespace, reference.name, signal);
    if (data !== undefined) {
      hideSecrets(
        ports,
        key,
        SECRET_KEYS.flatMap((name) => data[name] ?? []),
      );
      return data;
    }
    throw authFailed(`failed to get ${what} '${namespace}/${reference.name}': secrets "${reference.name}" not found`);
  };
  return {
    read,
    tls: async (reference, failing) => {
      const data = await read(reference, 'TLS authentication secret');
      if (data === undefined) return undefined;
      const tls = configured(failing, () => parseTls(data));
      if (tls !== undefined) return tls;
      const wants = "'ca.crt', or 'tls.crt' and 'tls.key', must be set";
      throw authFailed(`${failing}secret '${namespace}/${reference?.name}' has no TLS data: ${wants}`);
    },
    proxy: async (reference, failing) => {
      const data = await read(reference, 'proxy secret');
      if (data === undefined) return undefined;
      return configured(failing, () => parseProxySecret(data, `${namespace}/${reference?.name}`));
    },
  };
}

/** Keys of credentials that nobody may be shown; a user name helps to understand a failure. */
const SECRET_KEYS = ['password', 'secretkey', 'tls.key'];

/** Hides values from now on in whatever the passes of a key fail with. */
export function hideSecrets({ secrets }: Pick<SourcePorts, 'secrets'>, key: Key, values: readonly string[]): void {
  const known = secrets.get(key) ?? new Set();
  for (const value of values) known.add(value);
  secrets.set(key, known);
}

/** The mask of a key's passes. */
export function maskOf(key: Key, { secrets }: Pick<SourcePorts, 'secrets'>): Mask {
  return createMask(secrets.get(key) ?? []);
}

/** Runs a parser of Secret data; what it throws becomes AuthenticationFailed. */
export function configured<T>(failing: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw authFailed(failing + errorMessage(error), error);
  }
}

export function authFailed(message: string, cause?: unknown): ReconcileError {
  return new ReconcileError(sourceReasons.authenticationFailed, message, { condition: 'FetchFailed', cause });
}
