import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { checkChange } from '../../../../src/sandbox/schema/change-rules.ts';

function object(spec: object, status: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Any', metadata: { name: 'a' }, spec, status };
}

/** Fields that the change from one spec to another is refused for. */
function refused(kind: string, before: object, after: object, status: object = {}): string[] {
  return checkChange(kind, object(after, status), object(before, status)).map(({ field }) => field);
}

describe('a Pod', () => {
  const containers = [{ name: 'c', image: 'i', env: [] }];

  it.each([
    ['its images', { containers }, { containers: [{ name: 'c', image: 'j', env: [] }] }, []],
    ['a container more', { containers }, { containers: [...containers, { name: 'd' }] }, ['spec.containers']],
    ['another part of a container', { containers }, { containers: [{ name: 'c', image: 'i' }] }, ['spec']],
    ['a first deadline', {}, { activeDeadlineSeconds: 5 }, []],
    ['a nearer deadline', { activeDeadlineSeconds: 5 }, { activeDeadlineSeconds: 4 }, []],
    ['a later deadline', { activeDeadlineSeconds: 5 }, { activeDeadlineSeconds: 6 }, ['spec.activeDeadlineSeconds']],
    ['no deadline any more', { activeDeadlineSeconds: 5 }, {}, ['spec.activeDeadlineSeconds']],
    ['one toleration more', { tolerations: [{ key: 'a' }] }, { tolerations: [{ key: 'b' }, { key: 'a' }] }, []],
    [
      'the time of a toleration',
      { tolerations: [{ key: 'a', tolerationSeconds: 1 }] },
      { tolerations: [{ key: 'a', tolerationSeconds: 2 }] },
      [],
    ],
    ['a toleration less', { tolerations: [{ key: 'a' }] }, { tolerations: [] }, ['spec.tolerations']],
    ['a gate less', { schedulingGates: [{ name: 'a' }, { name: 'b' }] }, { schedulingGates: [{ name: 'b' }] }, []],
    ['a gate more', {}, { schedulingGates: [{ name: 'a' }] }, ['spec.schedulingGates[0].name']],
    ['where it runs', { nodeSelector: {} }, { nodeSelector: { a: 'b' } }, ['spec']],
    [
      'where it runs while it is held',
      { schedulingGates: [{ name: 'a' }] },
      { schedulingGates: [{ name: 'a' }], nodeSelector: { a: 'b' } },
      [],
    ],
    ['a negative time to stop', { terminationGracePeriodSeconds: -1 }, { terminationGracePeriodSeconds: 1 }, []],
    ['a time to stop', { terminationGracePeriodSeconds: 5 }, { terminationGracePeriodSeconds: 1 }, ['spec']],
  ])('with %s', (_, before, after, fields) => {
    expect(refused('/Pod', before, after)).toEqual(fields);
  });
});

describe('a claim', () => {
  const size = (storage: string) => ({ resources: { requests: { storage } } });
  const bound = { phase: 'Bound', capacity: { storage: '1Gi' } };

  it.each([
    ['gets its volume', {}, { volumeName: 'v' }, {}, []],
    ['gets a class', {}, { storageClassName: 'c' }, {}, []],
    ['gets another class', { storageClassName: '' }, { storageClassName: 'c' }, {}, ['spec']],
    ['gets another volume', { volumeName: 'v' }, { volumeName: 'w' }, {}, ['spec']],
    ['grows before it is bound', size('1Gi'), size('2Gi'), {}, ['spec']],
    ['grows', size('1Gi'), size('2Gi'), bound, []],
    ['takes back what it never got', size('3Gi'), size('2Gi'), bound, []],
    ['shrinks', size('2Gi'), size('1024Mi'), bound, ['spec.resources.requests.storage']],
  ])('%s', (_, before, after, status, fields) => {
    expect(refused('/PersistentVolumeClaim', before, after, status)).toEqual(fields);
  });
});

describe('a Job', () => {
  const template = (pod: object) => ({ template: { spec: { containers: [{ name: 'c', image: 'i' }], ...pod } } });

  it.each([
    ['more completions', { completions: 1 }, { completions: 2 }, {}, ['spec.completions']],
    [
      'more completions of indexes, with as many at a time',
      { completionMode: 'Indexed', completions: 1 },
      { completionMode: 'Indexed', completions: 2, parallelism: 2 },
      {},
      [],
    ],
    [
      'more completions of indexes alone',
      { completionMode: 'Indexed', completions: 1 },
      { completionMode: 'Indexed', completions: 2, parallelism: 1 },
      {},
      ['spec.completions'],
    ],
    ['another template', template({}), template({ hostNetwork: true }), {}, ['spec.template']],
    [
      'another template while suspended',
      { suspend: true, ...template({}) },
      { suspend: true, ...template({ hostNetwork: true }) },
      {},
      ['spec.template.spec'],
    ],
    [
      'another place before it starts',
      { suspend: true, ...template({}) },
      { suspend: true, ...template({ nodeSelector: { a: 'b' } }) },
      {},
      [],
    ],
    [
      'another place after it has started',
      { suspend: true, ...template({}) },
      { suspend: true, ...template({ nodeSelector: { a: 'b' } }) },
      { startTime: '2001-01-01T00:00:00Z' },
      ['spec.template.spec'],
    ],
  ])('with %s', (_, before, after, status, fields) => {
    expect(refused('batch/Job', before, after, status)).toEqual(fields);
  });
});

it('other kinds are not looked at', () => {
  expect(refused('/ConfigMap', { a: 1 }, { a: 2 })).toEqual([]);
  expect(refused('constructor', { a: 1 }, { a: 2 })).toEqual([]);
});
