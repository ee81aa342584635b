// Owns keeping discovery true while CustomResourceDefinitions come and go.
import type { KubeObject } from '../api/meta/object.ts';
import type { Discovery } from './discovery.ts';
import type { Informers } from './informers.ts';

const KIND = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' } as const;

/**
 * Follows CustomResourceDefinitions: after a change the next unknown kind is asked for at once, and the kinds of a
 * removed one are forgotten. Resolves when the watch is under way; returns its end.
 */
export async function followCustomResources(informers: Informers, discovery: Discovery): Promise<() => void> {
  const { informer, release } = await informers.acquire(KIND, { metadataOnly: true });
  const removeHandler = informer.addHandler({
    add: () => discovery.invalidate(),
    update: () => discovery.invalidate(),
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
