// Owns what the HelmRepository controller needs from outside: a plain object of functions, made in app.ts.
import type { ChartRepositoryLogin, Validators } from '../../remote/charts/repository.ts';
import type { Key } from '../../runtime/controller.ts';
import type { Kept } from '../shared/source-login.ts';
import type { SourcePorts } from '../shared/source-ports.ts';

/** What the server said of the index that is stored. */
export interface KnownIndex {
  readonly url: string;
  readonly revision: string;
  readonly validators: Validators;
}

export interface HelmRepositoryPorts extends SourcePorts {
  readonly logins: Map<Key, Kept<ChartRepositoryLogin>>;
  readonly known: Map<Key, KnownIndex>;
}
