// Owns the health of PersistentVolumeClaim, Service and CustomResourceDefinition (flux.md §4.12).
import type { JsonObject } from '../../lib/json.ts';
import { conditionOf, textAt } from '../fields.ts';
import { current, failed, inProgress, type Verdict } from '../verdict.ts';

export function judgePersistentVolumeClaim(object: JsonObject): Verdict {
  const phase = textAt(object, 'status', 'phase');
  return phase === 'Bound' ? current('PVC is Bound') : inProgress(`PVC is not Bound. phase: ${phase || 'unknown'}`);
}

export function judgeService(object: JsonObject): Verdict {
  const isBalanced = textAt(object, 'spec', 'type') === 'LoadBalancer';
  if (isBalanced && textAt(object, 'spec', 'clusterIP') === '')
    return inProgress('ClusterIP not set. Service type: LoadBalancer');
  return current('Service is ready');
}

export function judgeCustomResourceDefinition(object: JsonObject): Verdict {
  const names = conditionOf(object, 'NamesAccepted');
  if (names?.status === 'False') return failed(names.message);
  const established = conditionOf(object, 'Established');
  if (established?.status === 'False' && established.reason !== 'Installing') return failed(established.message);
  return established?.status === 'True' ? current('CRD is established') : inProgress('Install in progress');
}
