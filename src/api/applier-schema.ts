// Owns the schema parts that the kinds that apply objects share, Kustomization and HelmRelease: which objects, patches,
// images, another cluster.
import { list, localReference, object, type Schema, string, stringMap } from './schema.ts';

/** Any value, kept as it is written. */
export const unknownFields = { 'x-kubernetes-preserve-unknown-fields': true } as const;

/** Which objects a patch or a rule is for. */
export const objectSelector = object('Which objects; every field is an anchored regular expression, empty means any.', {
  annotationSelector: string('Annotations, in the form of a label selector.'),
  group: string('API group.'),
  kind: string('Kind.'),
  labelSelector: string('Labels, as a label selector.'),
  name: string('Name.'),
  namespace: string('Namespace.'),
  version: string('API version.'),
});

/** `images` as kustomize has them. */
export const images = list(
  'Images to rename, retag or pin.',
  object(
    'One image.',
    {
      digest: string('Digest that takes the place of the tag.'),
      name: string('Name of the image, without tag.'),
      newName: string('Name that takes the place of the original.'),
      newTag: string('Tag that takes the place of the original.'),
    },
    ['name'],
  ),
);

/** `patches` as kustomize has them. */
export function patches(description: string): Schema {
  return list(
    description,
    object('One patch.', { patch: string('Text of the patch.'), target: objectSelector }, ['patch']),
  );
}

/** `patchesStrategicMerge` of the versions before; `patchesJson6902` differs between the kinds. */
export const patchesStrategicMerge = list('Strategic merge patches. Deprecated: use patches.', unknownFields);

export const commonMetadata = object('Labels and annotations for every object, on its own metadata only.', {
  annotations: stringMap('Annotations to set.'),
  labels: stringMap('Labels to set.'),
});

/** `spec.kubeConfig.secretRef`. */
export const kubeConfigSecret = object(
  'Secret with a kubeconfig.',
  { key: string('Key in the Secret; value or value.yaml by default.'), name: string('Name of the Secret.') },
  ['name'],
);

/** `spec.kubeConfig`: a Secret or a ConfigMap, and not both. */
export function kubeConfig(description: string, configMap: string): Schema {
  return object(description, { configMapRef: localReference(configMap), secretRef: kubeConfigSecret }, [], {
    'x-kubernetes-validations': [
      'has(self.configMapRef) || has(self.secretRef)',
      '!has(self.configMapRef) || !has(self.secretRef)',
    ].map((rule) => ({
      message: 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified',
      rule,
    })),
  });
}
