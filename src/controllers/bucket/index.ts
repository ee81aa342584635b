// The Bucket controller as a value: what it watches, and its steps.
import type { Bucket } from '../../api/source/bucket.ts';
import { sourceController } from '../shared/source-controller.ts';
import { act } from './act.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { BucketPorts } from './ports.ts';
import type { Decision, Observed, Outcome } from './types.ts';

export const bucketController = sourceController<Bucket, Observed, Decision, Outcome, BucketPorts>({
  kind: 'Bucket',
  kept: (ports) => [ports.buckets],
  observe,
  decide,
  act,
  conclude,
});
