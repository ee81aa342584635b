import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Kustomization } from '../../../../src/api/kustomize/kustomization.ts';
import { createMemoryTree } from '../../../../src/lib/memory-tree.ts';
import { buildTree } from '../../../../src/offload/render/kustomization.ts';

const object: Kustomization = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'flux' },
  spec: { interval: '1m', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' } },
};
const tree = createMemoryTree({ 'cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm\n' });
const input = { object, inputs: new Map(), settings: { strict: false, ageSecret: undefined }, fetched: undefined };

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a build on the event loop', () => {
  it('is timed by itself, however many are begun together', async () => {
    const looks: string[] = [];
    vi.spyOn(process, 'threadCpuUsage').mockImplementation((before) => {
      looks.push(before === undefined ? 'begin' : 'end');
      return { user: 1000, system: 0 };
    });

    const answers = await Promise.all([1, 2, 3].map(() => buildTree(tree, input, () => expect.unreachable())));

    expect(looks).toEqual(['begin', 'end', 'begin', 'end', 'begin', 'end']);
    expect(answers.map(({ state, cost }) => [state, cost.ms])).toEqual([1, 2, 3].map(() => ['built', 1]));
  });
});
