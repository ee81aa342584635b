// Owns what the controllers of all kinds of sources have alike: under which name they write, what is kept for an object
// and dropped with it. What a kind watches and its steps are its index.ts.
import { finalizer } from '../../api/meta/keys.ts';
import { sourceGroup } from '../../api/source/source-schema.ts';
import type { Controller, Key, Reconcilable } from '../../runtime/controller.ts';
import { removeArtifacts } from './source-artifact.ts';
import { maskOf } from './source-login.ts';
import type { SourcePorts } from './source-ports.ts';

/** Name, writer and workers of the controller of a kind. */
export function sourceIdentity(kind: string) {
  return {
    name: kind.toLowerCase(),
    kind: { apiVersion: `${sourceGroup}/v1`, kind },
    fieldManager: 'source-controller',
    eventSource: 'source-controller',
    finalizer,
    concurrent: 4,
  } as const;
}

/** What a source whose artifacts are in the store says of itself. */
interface OwnParts<Obj extends Reconcilable, Observed, Decision, Outcome, Ports>
  extends Pick<
    Controller<Obj, Observed, Decision, Outcome, Ports>,
    'observe' | 'decide' | 'act' | 'conclude' | 'indexes' | 'watches' | 'isStatic'
  > {
  readonly kind: string;
  /** What memory holds for an object beside its secrets. */
  kept(ports: Ports): readonly Pick<Map<Key, unknown>, 'delete'>[];
}

/** The controller of a source whose artifacts are in the store: they, and what is kept for it, go with the object. */
export function sourceController<Obj extends Reconcilable, Observed, Decision, Outcome, Ports extends SourcePorts>({
  kind,
  kept,
  ...own
}: OwnParts<Obj, Observed, Decision, Outcome, Ports>): Controller<Obj, Observed, Decision, Outcome, Ports> {
  const identity = sourceIdentity(kind);
  return {
    ...identity,
    ...own,
    finalize: (_object, ports, pass) => removeArtifacts(identity.name, pass.key, ports),
    mask: maskOf,
    forget: (key, ports) => {
      for (const map of [ports.secrets, ...kept(ports)]) map.delete(key);
    },
  };
}
