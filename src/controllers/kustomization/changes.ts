// Owns how a change set is read and told.
import type { Change } from '../../apply/apply.ts';
import { formatObjectId, referenceOf } from '../../objects/manifest.ts';

/** True when the cluster was written to. */
export function isWrite(change: Change): boolean {
  return change.action === 'created' || change.action === 'configured';
}

/** `Deployment/default/web created`. */
export function formatChange(change: Change): string {
  return `${formatObjectId(referenceOf(change.desired))} ${change.action}`;
}
