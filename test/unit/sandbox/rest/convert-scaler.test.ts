import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { scalerToV1, scalerToV2 } from '../../../../src/sandbox/rest/convert-scaler.ts';

const cpu = (averageUtilization: number): object => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

function scaler(spec: object, status: object = { currentMetrics: null }): KubeObject {
  return { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'a' }, spec, status };
}

describe('an autoscaler', () => {
  it('comes back from autoscaling/v1 as it was', () => {
    const metrics = [
      { type: 'Pods', pods: { metric: { name: 'p' }, target: { type: 'AverageValue', averageValue: '5' } } },
      {
        type: 'Object',
        object: {
          describedObject: { kind: 'Service', name: 's' },
          metric: { name: 'o' },
          target: { type: 'Value', value: '1' },
        },
      },
      {
        type: 'External',
        external: { metric: { name: 'e', selector: {} }, target: { type: 'AverageValue', averageValue: '7' } },
      },
      cpu(60),
    ];
    const behavior = { scaleUp: { selectPolicy: 'Max', policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }] } };
    const currentMetrics = [{ type: 'Resource', resource: { name: 'cpu', current: { averageValue: '1' } } }];
    const conditions = [{ type: 'ScalingActive', status: 'True' }];
    const stored = scaler({ maxReplicas: 3, metrics, behavior }, { conditions, currentMetrics });

    const back = scalerToV2(scalerToV1(stored));

    expect(back.metadata).toEqual({ name: 'a' });
    expect(back['spec']).toEqual(stored['spec']);
    expect(back['status']).toMatchObject({ conditions, currentMetrics });
  });

  it('shows its CPU as a percentage, and of v1 has 80 % where nothing is said', () => {
    expect(scalerToV1(scaler({ maxReplicas: 3, metrics: [cpu(60)] }))['spec']).toEqual({
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 60,
    });
    expect(scalerToV2(scaler({ maxReplicas: 3 }, {}))['spec']).toEqual({ maxReplicas: 3, metrics: [cpu(80)] });
  });

  it('keeps the annotations of others, and survives broken ones of its own', () => {
    const annotations = { 'x.dev/y': 'z', 'autoscaling.alpha.kubernetes.io/metrics': '{' };
    const object = { ...scaler({ maxReplicas: 3 }, {}), metadata: { name: 'a', annotations } };

    expect(scalerToV2(object).metadata.annotations).toEqual({ 'x.dev/y': 'z' });
  });
});
