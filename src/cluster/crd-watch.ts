// Owns keeping discovery true while CustomResourceDefinitions come and go.
import type { KubeObject } from '../api/meta/object.ts';
import type { CancelTimer, Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Discovery } from './discovery.ts';
import type { Informers } from './informers.ts';

const KIND = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' } as const;

/**
 * A server knows a definition in one part before another: `Established` may be written before discovery lists the kind
 * and before its paths answer, the later the busier it is. And what was being tried when the definition changed fails
 * after the news of it. So it is told again this long after the last change, in ms.
 */
const SETTLING_MS = [1_000, 4_000, 15_000, 60_000] as const;

export interface FollowCustomResourcesOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the tries to begin. */
  readonly signal: AbortSignal;
  /** Told of new and changed definitions, and a few times more after the last change; `isNew` if one of them was new. */
  readonly onChange?: (isNew: boolean) => void;
}

/**
 * Follows CustomResourceDefinitions: after a change the next unknown kind is asked for at once, and the kinds of a
 * removed one are forgotten. Resolves when the watch is under way, which a server that is away only puts off; returns
 * its end. Rejects only when the signal aborts.
 */
export async function followCustomResources(
  informers: Informers,
  discovery: Discovery,
  { clock, log, signal, onChange = () => {} }: FollowCustomResourcesOptions,
): Promise<() => void> {
  const onFailure = (error: unknown): void =>
    log.info('CustomResourceDefinitions are not watched', { error: errorMessage(error) });
  const { informer, release } = await informers.acquireEventually(KIND, { metadataOnly: true }, { signal, onFailure });
  let settling: readonly CancelTimer[] = [];
  let someNew = false;
  const tell = (isNew: boolean): void => {
    discovery.invalidate();
    onChange(isNew);
  };
  const cancelSettling = (): void => {
    for (const cancel of settling) cancel();
  };
  const changed = (isNew: boolean): void => {
    tell(isNew);
    someNew ||= isNew;
    cancelSettling();
    settling = SETTLING_MS.map((ms, index) =>
      clock.setTimer(ms, () => {
        tell(someNew);
        if (index === SETTLING_MS.length - 1) someNew = false;
      }),
    );
  };
  const removeHandler = informer.addHandler({
    add: () => changed(true),
    update: () => changed(false),
    delete: (definition: KubeObject) => {
      // Its name is always <plural>.<group>.
      const [resource = '', ...group] = definition.metadata.name.split('.');
      discovery.forgetResource(group.join('.'), resource);
      discovery.invalidate();
    },
  });
  return () => {
    cancelSettling();
    removeHandler();
    release();
  };
}
