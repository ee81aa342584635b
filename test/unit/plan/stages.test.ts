import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../../src/objects/manifest.ts';
import { planStages } from '../../../src/plan/stages.ts';

const object = (kind: string, apiVersion = 'v1', name = 'x'): Manifest => ({ apiVersion, kind, metadata: { name } });

describe('planStages', () => {
  it('puts definitions first, classes second and waits for both', () => {
    const objects = [
      object('Deployment', 'apps/v1'),
      object('StorageClass', 'storage.k8s.io/v1'),
      object('Namespace'),
      object('CustomResourceDefinition', 'apiextensions.k8s.io/v1'),
    ];

    const stages = planStages(objects).map(({ name, wait, objects: members }) => ({
      name,
      wait,
      kinds: members.map(({ kind }) => kind),
    }));

    expect(stages).toEqual([
      { name: 'definitions', wait: true, kinds: ['CustomResourceDefinition', 'Namespace'] },
      { name: 'classes', wait: true, kinds: ['StorageClass'] },
      { name: 'rest', wait: false, kinds: ['Deployment'] },
    ]);
  });

  it('gives named kinds a stage of their own before the rest', () => {
    const stages = planStages([object('Job', 'batch/v1'), object('ConfigMap')], ['batch/Job']);

    expect(stages.map(({ name }) => name)).toEqual(['custom', 'rest']);
  });

  it('orders the rest by kind, then group, namespace and name; webhooks last', () => {
    const objects = [
      object('ValidatingWebhookConfiguration', 'admissionregistration.k8s.io/v1'),
      object('Widget', 'example.com/v1'),
      object('Deployment', 'apps/v1', 'b'),
      object('Deployment', 'apps/v1', 'a'),
      object('Service'),
      object('ServiceAccount'),
    ];

    const names = planStages(objects)[0]?.objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);

    expect(names).toEqual([
      'ServiceAccount/x',
      'Service/x',
      'Deployment/a',
      'Deployment/b',
      'Widget/x',
      'ValidatingWebhookConfiguration/x',
    ]);
  });
});
