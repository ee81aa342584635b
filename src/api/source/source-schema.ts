// Owns the schema parts that several source kinds share: the description of a kind, status, access rules, signature
// checks, layers, secrets.
import type { KindDescription } from '../kind.ts';
import { list, localReference, object, reconciledStatus, type Schema, string, topLevel } from '../schema.ts';

export const sourceGroup = 'source.toolkit.fluxcd.io';

/** What one version of a source has of its own. */
interface SourceVersion {
  readonly spec: Schema;
  readonly status: Schema;
}

/** What a kind of source has of its own: names, columns, and its two versions. */
export interface SourceKindDescription
  extends Pick<KindDescription, 'kind' | 'plural' | 'singular' | 'shortNames' | 'columns'> {
  readonly description: string;
  readonly v1: SourceVersion;
  /** Served still, with a warning; stored as v1. */
  readonly v1beta2: SourceVersion;
}

/** A kind of source: group, categories and versions are the same for all (flux.md §5). */
export function sourceKind({ description, v1, v1beta2, ...own }: SourceKindDescription): KindDescription {
  return {
    group: sourceGroup,
    categories: ['all', 'fluxcd', 'fluxcd-sources'],
    ...own,
    versions: [
      { name: 'v1', storage: true, schema: topLevel(description, v1.spec, v1.status) },
      {
        name: 'v1beta2',
        storage: false,
        deprecationWarning: `v1beta2 ${own.kind} is deprecated, upgrade to v1`,
        schema: topLevel(description, v1beta2.spec, v1beta2.status),
      },
    ],
  };
}

/** `status` of a source: what every reconciled object says, and what the kind adds. */
export function sourceStatus(own: { readonly [name: string]: Schema }): Schema {
  return reconciledStatus('What was seen and stored.', own);
}

/** `status.url`, which old readers may expect. */
export const unusedUrl = string('Not used.');

/** `spec.ignore`, and what `status` keeps of it. */
export const ignore = string(
  'Patterns in the form of .gitignore of what stays out of the artifact; switches the defaults off.',
);
export const observedIgnore = string('spec.ignore of the stored artifact.');

/** `spec.provider` of what is not Git. */
export function cloudProvider(description: string): Schema {
  return string(description, { default: 'generic', enum: ['generic', 'aws', 'azure', 'gcp'] });
}

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
