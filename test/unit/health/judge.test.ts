// The rules of flux.md §4.12, kind by kind.
import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/health/judge.ts';
import type { Manifest } from '../../../src/objects/manifest.ts';

const NOW = Date.parse('2026-01-01T00:01:00Z');

function live(kind: string, parts: { spec?: object; status?: object; metadata?: object } = {}): Manifest {
  const [group, name] = kind.includes('/') ? kind.split('/') : ['', kind];
  return {
    apiVersion: group === '' ? 'v1' : `${group}/v1`,
    kind: name,
    metadata: { name: 'x', generation: 2, ...parts.metadata },
    ...(parts.spec === undefined ? {} : { spec: parts.spec }),
    ...(parts.status === undefined ? {} : { status: { observedGeneration: 2, ...parts.status } }),
  } as unknown as Manifest;
}

const condition = (type: string, status: string, reason = 'R', message = 'why') => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const available = {
  replicas: 2,
  updatedReplicas: 2,
  availableReplicas: 2,
  readyReplicas: 2,
  conditions: [condition('Progressing', 'True', 'NewReplicaSetAvailable'), condition('Available', 'True')],
};
const spec = { replicas: 2, progressDeadlineSeconds: 600 };

describe('judge', () => {
  it.each([
    ['an object that is not there', undefined, 'NotFound', 'Resource not found'],
    ['an object that is going', live('ConfigMap', { metadata: { deletionTimestamp: 'x' } }), 'Terminating', ''],
    [
      'a generation that was not seen',
      live('apps/Deployment', { status: { observedGeneration: 1 } }),
      'InProgress',
      'generation is 2',
    ],
    [
      'Reconciling',
      live('example.com/Thing', { status: { conditions: [condition('Reconciling', 'True')] } }),
      'InProgress',
      'why',
    ],
    ['Stalled', live('example.com/Thing', { status: { conditions: [condition('Stalled', 'True')] } }), 'Failed', 'why'],
    [
      'Ready of any kind',
      live('example.com/Thing', { status: { conditions: [condition('Ready', 'True')] } }),
      'Current',
      '',
    ],
    [
      'not Ready of any kind',
      live('example.com/Thing', { status: { conditions: [condition('Ready', 'False')] } }),
      'InProgress',
      'why',
    ],
    ['a kind without status', live('example.com/Thing'), 'Current', ''],
    ['a Deployment that is complete', live('apps/Deployment', { spec, status: available }), 'Current', 'Replicas: 2'],
    [
      'a Deployment with few pods',
      live('apps/Deployment', { spec, status: { ...available, replicas: 1 } }),
      'InProgress',
      'replicas: 1/2',
    ],
    [
      'a Deployment with old pods',
      live('apps/Deployment', { spec, status: { ...available, updatedReplicas: 1 } }),
      'InProgress',
      'Updated: 1/2',
    ],
    [
      'a Deployment with too many pods',
      live('apps/Deployment', { spec, status: { ...available, replicas: 3 } }),
      'InProgress',
      'termination: 1',
    ],
    [
      'a Deployment that is not available',
      live('apps/Deployment', { spec, status: { ...available, availableReplicas: 0 } }),
      'InProgress',
      'Available: 0/2',
    ],
    [
      'a Deployment past its deadline',
      live('apps/Deployment', {
        spec,
        status: { ...available, conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] },
      }),
      'Failed',
      'Progress deadline exceeded',
    ],
    [
      'a StatefulSet on delete',
      live('apps/StatefulSet', { spec: { updateStrategy: { type: 'OnDelete' } }, status: {} }),
      'Current',
      '',
    ],
    [
      'a StatefulSet in the middle of an update',
      live('apps/StatefulSet', {
        spec,
        status: { replicas: 2, readyReplicas: 2, currentReplicas: 2, currentRevision: 'a', updateRevision: 'b' },
      }),
      'InProgress',
      'revision',
    ],
    ['a DaemonSet that nobody saw', { ...live('apps/DaemonSet'), status: {} }, 'InProgress', 'observed'],
    [
      'a DaemonSet that is complete',
      live('apps/DaemonSet', {
        status: {
          desiredNumberScheduled: 1,
          currentNumberScheduled: 1,
          updatedNumberScheduled: 1,
          numberAvailable: 1,
          numberReady: 1,
        },
      }),
      'Current',
      '',
    ],
    [
      'a pod that crashes',
      live('Pod', {
        status: {
          phase: 'Running',
          containerStatuses: [{ name: 'a', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
        },
      }),
      'Failed',
      'a',
    ],
    [
      'a pod whose image cannot be pulled',
      live('Pod', {
        status: {
          phase: 'Pending',
          containerStatuses: [
            { name: 'a', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } },
          ],
        },
      }),
      'InProgress',
      'container "a": ImagePullBackOff: no such image',
    ],
    [
      'a pod that found no node for a minute',
      live('Pod', { status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] } }),
      'Failed',
      'why',
    ],
    ['a pod that has finished badly', live('Pod', { status: { phase: 'Failed' } }), 'Current', ''],
    [
      'a Job that failed',
      live('batch/Job', { status: { conditions: [condition('Failed', 'True', 'BackoffLimitExceeded')] } }),
      'Failed',
      'BackoffLimitExceeded: why',
    ],
    [
      'a Job that is complete',
      live('batch/Job', { status: { conditions: [condition('Complete', 'True')] } }),
      'Current',
      '',
    ],
    ['a Job that runs', live('batch/Job', { status: { startTime: 'x' } }), 'InProgress', 'in progress'],
    [
      'a claim without volume',
      live('PersistentVolumeClaim', { status: { phase: 'Pending' } }),
      'InProgress',
      'Pending',
    ],
    [
      'a load balancer without address',
      live('Service', { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' } }),
      'Current',
      '',
    ],
    [
      'a definition whose names are taken',
      live('apiextensions.k8s.io/CustomResourceDefinition', {
        status: { conditions: [condition('NamesAccepted', 'False')] },
      }),
      'Failed',
      'why',
    ],
    ['a ConfigMap', live('ConfigMap'), 'Current', ''],
  ] as const)('judges %s', (_name, object, status, words) => {
    const verdict = judge(object as Manifest | undefined, NOW);

    expect(verdict.status).toBe(status);
    expect(verdict.message).toContain(words);
  });
});
