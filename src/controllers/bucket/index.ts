// The Bucket controller as a value: what it watches, and its steps.
import { finalizer } from '../../api/meta/keys.ts';
import type { Bucket } from '../../api/source/bucket.ts';
import { sourceGroup } from '../../api/source/source-schema.ts';
import type { Controller } from '../../runtime/controller.ts';
import { removeArtifacts } from '../shared/source-artifact.ts';
import { maskOf } from '../shared/source-login.ts';
import { act } from './act.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { BucketPorts } from './ports.ts';
import type { Decision, Observed, Outcome } from './types.ts';

export const bucketController: Controller<Bucket, Observed, Decision, Outcome, BucketPorts> = {
  name: 'bucket',
  kind: { apiVersion: `${sourceGroup}/v1`, kind: 'Bucket' },
  fieldManager: 'source-controller',
  eventSource: 'source-controller',
  finalizer,
  concurrent: 4,
  observe,
  decide,
  act,
  conclude,
  finalize: (_object, ports, pass) => removeArtifacts('bucket', pass.key, ports),
  mask: maskOf,
  forget: (key, ports) => {
    ports.secrets.delete(key);
    ports.buckets.delete(key);
  },
};
