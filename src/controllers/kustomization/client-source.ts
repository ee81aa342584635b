// Owns the client that a Kustomization's objects are applied with: the controller's own, or as a ServiceAccount of the
// Kustomization's namespace (flux.md §4.1 serviceAccountName, threats.md row 9).
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import type { DynamicClient } from '../../cluster/client.ts';

/** Makes the function that picks the client. An impersonated one shares the connections. */
export function clientSource(
  client: DynamicClient,
  defaultServiceAccount: string,
): (object: Kustomization) => Promise<DynamicClient> {
  const impersonating = new Map<string, DynamicClient>();
  return async (object) => {
    const name = object.spec?.serviceAccountName || defaultServiceAccount;
    if (name === '') return client;
    const namespace = object.metadata.namespace ?? '';
    const user = `system:serviceaccount:${namespace}:${name}`;
    const known = impersonating.get(user);
    if (known !== undefined) return known;
    // The API server adds the groups of a ServiceAccount by itself: the right to impersonate groups is not needed.
    const made = client.as({ user });
    impersonating.set(user, made);
    return made;
  };
}
