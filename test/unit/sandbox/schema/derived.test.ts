import { describe, expect, it } from 'vitest';
import { createApi } from '../../../../src/sandbox/api.ts';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import type { ResourceId } from '../../../../src/sandbox/store.ts';

const DAEMON_SETS: ResourceId = { group: 'apps', resource: 'daemonsets' };
const KEY = 'deprecated.daemonset.template.generation';

function daemonSet(image: string): KubeObject {
  const labels = { app: 'agent' };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'default' },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image }] } },
    },
  };
}

describe('the template generation of a DaemonSet', () => {
  it('counts changes of the template, whoever leaves it out', () => {
    const { store } = createApi();

    const created = store.create(DAEMON_SETS, daemonSet('agent:1'));
    const labelled = store.update(DAEMON_SETS, { ...created, metadata: { ...created.metadata, labels: { a: 'b' } } });
    const changed = store.update(DAEMON_SETS, daemonSet('agent:2'));

    expect([created, labelled, changed].map(({ metadata }) => metadata.annotations)).toEqual([
      { [KEY]: '1' },
      { [KEY]: '1' },
      { [KEY]: '2' },
    ]);
  });
});
