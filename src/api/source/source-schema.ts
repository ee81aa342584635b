// Owns the schema parts that several source kinds share: access rules, signature checks, layers, secrets.
import { list, localReference, object, type Schema, string } from '../schema.ts';

/** Columns and names are each kind's own; group and categories are the same for all (flux.md §5). */
export const sourceGroup = 'source.toolkit.fluxcd.io';
export const sourceCategories = ['all', 'fluxcd', 'fluxcd-sources'] as const;

/** `spec.accessFrom`: accepted, without effect, as in Flux. */
export function accessFrom(): Schema {
  return object(
    'Not used.',
    {
      namespaceSelectors: list(
        'Not used.',
        object('Not used.', { matchLabels: { type: 'object', additionalProperties: { type: 'string' } } }),
      ),
    },
    ['namespaceSelectors'],
  );
}

/** `spec.verify` of what comes from a registry. */
export function ociVerification(extra: { readonly [name: string]: Schema } = {}): Schema {
  return object(
    'Refuse artifacts without a signature that can be verified.',
    {
      matchOIDCIdentity: list(
        'Identities of which one must have signed, for signatures without a key.',
        object(
          'One identity.',
          {
            issuer: string('Regular expression of the issuer.'),
            subject: string('Regular expression of the subject.'),
          },
          ['issuer', 'subject'],
        ),
      ),
      provider: string('Who made the signature.', { default: 'cosign', enum: ['cosign', 'notation'] }),
      secretRef: localReference('Secret with the trusted public keys, *.pub.'),
      ...extra,
    },
    ['provider'],
  );
}

/** `spec.layerSelector` and `status.observedLayerSelector`. */
export function layerSelector(description: string): Schema {
  return object(description, {
    mediaType: string('Media type of the layer to take; the first layer when empty.'),
    operation: string('Whether the layer is unpacked and packed anew, or kept as it is.', {
      enum: ['extract', 'copy'],
    }),
  });
}

/** `spec.certSecretRef`. */
export function certSecretRef(): Schema {
  return localReference('Secret with ca.crt, or tls.crt and tls.key, or all three.');
}

/** `spec.proxySecretRef`. */
export function proxySecretRef(): Schema {
  return localReference('Secret with address, and username and password when needed, of a proxy.');
}
