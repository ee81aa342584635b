// Owns the ExternalArtifact kind: schema and columns (flux.md §3.5). Somebody else writes its status; no controller
// of ours does.
import { ageColumn, type KindDescription, readyColumn, statusColumn } from '../kind.ts';
import { conditions, object, string, topLevelWith } from '../schema.ts';
import { artifact } from './artifact.ts';

// Its objects are read as `ArtifactSource` (api/meta/artifact.ts): nothing but the artifact is of use to a consumer.
export const externalArtifactKind: KindDescription = {
  group: 'source.toolkit.fluxcd.io',
  kind: 'ExternalArtifact',
  plural: 'externalartifacts',
  singular: 'externalartifact',
  shortNames: ['ea'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  columns: [ageColumn, readyColumn, statusColumn, { name: 'Source', type: 'string', jsonPath: '.spec.sourceRef.name' }],
  versions: [
    {
      name: 'v1',
      storage: true,
      schema: topLevelWith(
        'An artifact that somebody else makes and serves, for others to use as a source.',
        object('What the artifact is made of.', {
          sourceRef: object(
            'The object that the artifact is made of; for people.',
            {
              apiVersion: string('API version of the object; the preferred one by default.'),
              kind: string('Kind of the object.'),
              name: string('Name of the object.'),
              namespace: string('Namespace of the object; that of this one by default.'),
            },
            ['kind', 'name'],
          ),
        }),
        object('What its maker says of it.', {
          artifact: artifact('The artifact.'),
          conditions: conditions(),
        }),
      ),
    },
  ],
};
