// Owns what the OCIRepository controller needs from outside: a plain object of functions, made in app.ts.
import type { LocalObjectReference } from '../../api/meta/object.ts';
import type { Registry } from '../../remote/oci/registry.ts';
import type { Key } from '../../runtime/controller.ts';
import type { Kept } from '../shared/source-login.ts';
import type { SourcePorts } from '../shared/source-ports.ts';

export interface OciRepositoryPorts extends SourcePorts {
  /** Registries with their logins and tokens. */
  readonly registries: Map<Key, Kept<Registry>>;
  /** The image pull secrets of a ServiceAccount; undefined when there is no such account. */
  readPullSecrets(
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): Promise<readonly LocalObjectReference[] | undefined>;
}

/** The largest layer that is taken, in bytes. */
export const MAX_LAYER_BYTES = 256 * 1024 * 1024;
