// Owns keeping discovery true while CustomResourceDefinitions come and go.
import type { KubeObject } from '../api/meta/object.ts';
import type { Discovery } from './discovery.ts';
import type { Informers } from './informers.ts';

const KIND = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' } as const;

/**
 * Follows CustomResourceDefinitions: after a change the next unknown kind is asked for at once, and the kinds of a
 * removed one are forgotten; `onChange` is told of new and changed ones. Resolves when the watch is under way; returns
 * its end.
 */
export async function followCustomResources(
  informers: Informers,
  discovery: Discovery,
  onChange: (isNew: boolean) => void = () => {},
): Promise<() => void> {
  const { informer, release } = await informers.acquire(KIND, { metadataOnly: true });
  const changed = (isNew: boolean): void => {
    discovery.invalidate();
    onChange(isNew);
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
    removeHandler();
    release();
  };
}
