import { describe, expect, it } from 'vitest';
import { builtinCells, builtinRowConditions, loadColumns } from '../../../../src/sandbox/columns.ts';
import type { KubeObject } from '../../../../src/sandbox/object.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');
const columns = loadColumns();

function pod(status: object, spec: object = {}, metadata: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'one', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    spec: { containers: [{ name: 'a', image: 'x' }], ...spec },
    status,
  };
}

function row(object: KubeObject): unknown[] {
  return builtinCells('/pods', columns.get('/pods') ?? [], object, NOW);
}

const running = { ready: true, restartCount: 0, state: { running: {} } };
const init = { initContainers: [{ name: 'i' }, { name: 'j' }] };

describe('READY, STATUS and RESTARTS of a pod', () => {
  it.each([
    { name: 'new', object: pod({ phase: 'Pending' }), want: ['0/1', 'Pending', '0'] },
    {
      name: 'running',
      object: pod({ phase: 'Running', containerStatuses: [{ name: 'a', ...running }] }),
      want: ['1/1', 'Running', '0'],
    },
    {
      name: 'waiting',
      object: pod({
        phase: 'Pending',
        containerStatuses: [{ name: 'a', state: { waiting: { reason: 'ImagePullBackOff' } } }],
      }),
      want: ['0/1', 'ImagePullBackOff', '0'],
    },
    {
      name: 'restarted some time ago',
      object: pod({
        phase: 'Running',
        containerStatuses: [
          { name: 'a', ...running, restartCount: 3, lastState: { terminated: { finishedAt: '2026-01-01T00:55:00Z' } } },
        ],
      }),
      want: ['1/1', 'Running', '3 (5m ago)'],
    },
    {
      name: 'ended well',
      object: pod({
        phase: 'Succeeded',
        containerStatuses: [{ name: 'a', state: { terminated: { exitCode: 0, reason: 'Completed' } } }],
      }),
      want: ['0/1', 'Completed', '0'],
    },
    {
      name: 'ended by a signal that has no name',
      object: pod({
        phase: 'Failed',
        containerStatuses: [{ name: 'a', state: { terminated: { exitCode: 137, signal: 9 } } }],
      }),
      want: ['0/1', 'Signal:9', '0'],
    },
    {
      name: 'half ended',
      object: pod({
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [
          { name: 'a', state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          { name: 'b', ...running },
        ],
      }),
      want: ['1/1', 'Running', '0'],
    },
    {
      name: 'initialising',
      object: pod({ phase: 'Pending', initContainerStatuses: [{ name: 'i', state: { running: {} } }] }, init),
      want: ['0/1', 'Init:0/2', '0'],
    },
    {
      name: 'failed to initialise',
      object: pod(
        {
          phase: 'Pending',
          initContainerStatuses: [
            { name: 'i', state: { terminated: { exitCode: 0 } } },
            { name: 'j', restartCount: 2, state: { terminated: { exitCode: 1, reason: 'Error' } } },
          ],
        },
        init,
      ),
      want: ['0/1', 'Init:Error', '2'],
    },
    {
      name: 'with a sidecar',
      object: pod(
        {
          phase: 'Running',
          initContainerStatuses: [{ name: 'i', ...running, started: true }],
          containerStatuses: [{ name: 'a', ...running }],
        },
        { initContainers: [{ name: 'i', restartPolicy: 'Always' }] },
      ),
      want: ['2/2', 'Running', '0'],
    },
    {
      name: 'gated',
      object: pod({
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
      }),
      want: ['0/1', 'SchedulingGated', '0'],
    },
    { name: 'evicted', object: pod({ phase: 'Failed', reason: 'Evicted' }), want: ['0/1', 'Evicted', '0'] },
    {
      name: 'going',
      object: pod({ phase: 'Running' }, {}, { deletionTimestamp: '2026-01-01T00:59:00Z' }),
      want: ['0/1', 'Terminating', '0'],
    },
    {
      name: 'on a lost node',
      object: pod({ phase: 'Running', reason: 'NodeLost' }, {}, { deletionTimestamp: '2026-01-01T00:59:00Z' }),
      want: ['0/1', 'Unknown', '0'],
    },
  ])('$name', ({ object, want }) => {
    expect(row(object).slice(1, 4)).toEqual(want);
  });

  it('counts readiness gates', () => {
    const gates = { readinessGates: [{ conditionType: 'a/b' }, { conditionType: 'c/d' }] };

    expect(row(pod({ conditions: [{ type: 'a/b', status: 'True' }] }, gates)).at(-1)).toBe('1/2');
  });
});

it('tells tables that a pod has finished', () => {
  expect(builtinRowConditions('/pods', pod({ phase: 'Running' }))).toBeUndefined();
  expect(builtinRowConditions('/pods', pod({ phase: 'Succeeded' }))).toEqual([
    { type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' },
  ]);
});

it('has as many cells as columns for every built-in kind', () => {
  const bare = { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' } };
  const spec = {
    containers: [],
    jobTemplate: { spec: {} },
    scaleTargetRef: { kind: '', name: '' },
    priorityLevelConfiguration: { name: '' },
  };
  const odd = [...columns]
    .map(([resource, list]) => {
      const cells = builtinCells(resource, list, { ...bare, spec, roleRef: {} }, NOW);
      return [resource, cells.length - list.length] as const;
    })
    .filter(([, difference]) => difference !== 0);

  // The real server sends the age of these without a column for it.
  expect(odd).toEqual([['networking.k8s.io/ipaddresses', 1]]);
});
