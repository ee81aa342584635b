// Owns the verdict on objects that run to an end, Jobs and Pods: hooks are waited for until they have.
import { conditionOf, textAt } from '../../health/fields.ts';
import { current, failed, inProgress, type Verdict } from '../../health/verdict.ts';
import type { Manifest } from '../../objects/manifest.ts';

export function judgeCompletion(object: Manifest | undefined): Verdict {
  if (object === undefined) return inProgress('Resource not found');
  return object.kind === 'Pod' ? judgePod(object) : judgeJob(object);
}

function judgeJob(job: Manifest): Verdict {
  const bad = conditionOf(job, 'Failed');
  if (bad?.status === 'True') {
    const why = [bad.reason, bad.message].filter((text) => text !== undefined && text !== '').join(': ');
    return failed(`job ${job.metadata.name} failed: ${why}`);
  }
  return conditionOf(job, 'Complete')?.status === 'True' ? current() : inProgress('Job in progress');
}

function judgePod(pod: Manifest): Verdict {
  const phase = textAt(pod, 'status', 'phase');
  if (phase === 'Succeeded') return current();
  if (phase === 'Failed') return failed(`pod ${pod.metadata.name} failed`);
  return inProgress(`Pod is ${phase === '' ? 'Pending' : phase}`);
}
