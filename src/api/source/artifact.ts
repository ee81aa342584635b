// Owns the schema of an artifact as every source kind carries it in its status. The type is api/meta/artifact.ts.
import { dateTime, integer, object, type Schema, string, stringMap } from '../schema.ts';

const DIGEST = '^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$';

/** Schema of `status.artifact` (flux.md §2.7). */
export function artifact(description: string): Schema {
  return object(
    description,
    {
      digest: string('Digest of the archive, as algorithm:hex.', { pattern: DIGEST }),
      lastUpdateTime: dateTime('When this artifact was stored.'),
      metadata: stringMap('What the upstream says of this revision.'),
      path: string('Path of the archive, relative to the root of the storage.'),
      revision: string('Revision of the source, in its own form.'),
      size: integer('Size of the archive in bytes.'),
      url: string('Where consumers in the cluster fetch the archive.'),
    },
    ['digest', 'lastUpdateTime', 'path', 'revision', 'url'],
  );
}

/** The same as v1beta2 has it: with `checksum`, and fewer fields required (flux.md §9). */
export function artifactV1Beta2(description: string): Schema {
  return object(
    description,
    {
      checksum: string('SHA-256 of the archive in hex. Deprecated: digest has it too.'),
      ...(artifact('')['properties'] as Record<string, Schema>),
    },
    ['lastUpdateTime', 'path', 'revision', 'url'],
  );
}
