// Owns opening a registry for a source: whose Secrets log in, whom to trust, and the words for what fails.
import type { KubeObject, LocalObjectReference } from '../../api/meta/object.ts';
import { ociRepositoryReasons } from '../../api/source/ocirepository.ts';
import type { OciVerification } from '../../api/source/source-object.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { SecretData } from '../../remote/git/auth.ts';
import { parsePublicKey } from '../../remote/oci/cosign.ts';
import { loginOf } from '../../remote/oci/login.ts';
import type { RepositoryName } from '../../remote/oci/reference.ts';
import { createRegistry, type Registry } from '../../remote/oci/registry.ts';
import { isSignedBy } from '../../remote/oci/signatures.ts';
import type { Key } from '../../runtime/controller.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import { notSupported, type SourceFailure } from './source-artifact.ts';
import { configured, hideSecrets, secretsOf } from './source-login.ts';
import type { SourcePorts } from './source-ports.ts';

/** What a registry is opened with. */
export interface RegistrySpec {
  readonly secretRef?: LocalObjectReference | undefined;
  readonly certSecretRef?: LocalObjectReference | undefined;
  readonly proxySecretRef?: LocalObjectReference | undefined;
  /** Image pull secrets beside `secretRef`. */
  readonly pullSecrets?: readonly LocalObjectReference[] | undefined;
  readonly insecure?: boolean | undefined;
  readonly timeoutMs: number;
}

/** Reads the Secrets and opens the repository. Throws ReconcileError AuthenticationFailed. */
export async function openRegistry(
  object: KubeObject,
  spec: RegistrySpec,
  repository: RepositoryName,
  { ports, key, signal }: { readonly ports: SourcePorts; readonly key: Key; readonly signal: AbortSignal },
): Promise<Registry> {
  const source = secretsOf(object, ports, { key, signal });
  const found: { name: string; data: SecretData }[] = [];
  for (const reference of [spec.secretRef, ...(spec.pullSecrets ?? [])]) {
    const data = await source.read(reference, 'credential: failed to get secret');
    if (data !== undefined) found.push({ name: reference!.name, data });
  }
  const login = configured('failed to get credential: ', () => loginOf(found, repository));
  if (login !== undefined) hideSecrets(ports, key, [login.kind === 'password' ? login.password : login.token]);
  return createRegistry({
    http: ports.http,
    clock: ports.clock,
    repository,
    login,
    tls: await source.tls(spec.certSecretRef, `failed to generate transport for '${repository.host}': `),
    proxy: await source.proxy(spec.proxySecretRef, 'failed to get proxy address: '),
    insecure: spec.insecure,
    timeoutMs: spec.timeoutMs,
  });
}

/** What of a signature check is not done yet: it needs services on the internet, or another format. */
export function verifyBlocker(verify: OciVerification | undefined): SourceFailure | undefined {
  if (verify === undefined) return undefined;
  if (verify.provider === 'notation') return notSupported('verify.provider notation');
  if (verify.secretRef !== undefined) return undefined;
  return notSupported('verify without secretRef (cosign keyless)');
}

/** A signature to check. */
export interface SignatureCheck {
  readonly verify: OciVerification;
  readonly registry: Registry;
  readonly digest: string;
  /** How the artifact is called in messages. */
  readonly reference: string;
}

/** Checks a signature. Throws ReconcileError VerificationError with condition SourceVerified. */
export async function checkSignature(
  object: KubeObject,
  { verify, registry, digest, reference }: SignatureCheck,
  { ports, signal }: { readonly ports: SourcePorts; readonly signal: AbortSignal },
): Promise<void> {
  const namespace = object.metadata.namespace ?? '';
  const name = verify.secretRef?.name ?? '';
  const refuse = (why: string, cause?: unknown): ReconcileError => {
    const message = `failed to verify the signature using provider '${verify.provider}': ${why}`;
    return new ReconcileError(ociRepositoryReasons.verificationError, message, { condition: 'SourceVerified', cause });
  };
  const data = await ports.readSecret(namespace, name, signal);
  if (data === undefined) throw refuse(`secrets "${name}" not found`);
  const pems = Object.entries(data).filter(([key]) => key.endsWith('.pub'));
  if (pems.length === 0) throw refuse(`no public keys found in secret '${namespace}/${name}'`);
  const keys = pems.map(([key, pem]) => {
    try {
      return parsePublicKey(pem);
    } catch (error) {
      throw refuse(`key '${key}' of secret '${namespace}/${name}' is no public key in PEM`, error);
    }
  });
  let signed: boolean;
  try {
    signed = await isSignedBy(registry, digest, keys, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw refuse(errorMessage(error), error);
  }
  if (!signed) throw refuse(`no matching signatures were found for '${reference}'`);
}
