// Owns what namespaces ask of writes: that they exist and are not going, and what a new one carries.
import type { AdmissionStep } from '../core.ts';
import { readPath } from '../object.ts';
import { ApiError, forbidden, notFound } from '../rest/errors.ts';

/** New objects need a namespace that exists and is not being deleted. */
export const placeStep: AdmissionStep = {
  kind: '*',
  admit(core, write, object, live) {
    if (live !== undefined || !write.resource.namespaced) return object;
    const namespace = core.storage.get('/namespaces', write.namespace);
    if (namespace === undefined) throw notFound({ group: '', resource: 'namespaces' }, write.namespace);
    if (namespace.object.metadata.deletionTimestamp !== undefined) {
      const why = `unable to create new content in namespace ${write.namespace} because it is being terminated`;
      const error = forbidden(
        { group: write.resource.group, resource: write.resource.plural },
        object.metadata.name,
        why,
      );
      const cause = {
        reason: 'NamespaceTerminating',
        message: `namespace ${write.namespace} is being terminated`,
        field: 'metadata.namespace',
      };
      throw new ApiError(403, 'Forbidden', error.message, { ...error.data, causes: [cause] });
    }
    return object;
  },
};

/** A namespace is held by the finalizer that empties it. */
export const namespaceStep: AdmissionStep = {
  kind: '/Namespace',
  admit(_core, write, object, live) {
    if (write.subresource !== '') return object;
    const finalizers = live === undefined ? ['kubernetes'] : readPath(live, ['spec', 'finalizers']);
    const spec = {
      ...(object['spec'] as object),
      ...(Array.isArray(finalizers) && finalizers.length > 0 ? { finalizers } : {}),
    };
    return { ...object, spec };
  },
};
