import { describe, expect, it } from 'vitest';
import { createControllerMetrics } from '../../../src/runtime/controller-metrics.ts';
import { MetricRegistry } from '../../../src/runtime/metrics.ts';
import { countAnswers, showLeadership } from '../../../src/runtime/process-metrics.ts';
import { registerResourceMetrics } from '../../../src/runtime/resource-metrics.ts';

describe('MetricRegistry', () => {
  it('writes the Prometheus text format', () => {
    const registry = new MetricRegistry();
    registry.family('b_total', 'How many.', 'counter').add({ path: 'a"b\\c\nd' }, 2);
    registry.family('a', 'Line\none.', 'gauge').set({}, 1.5);
    const time = registry.family('c_seconds', 'How long.', 'histogram', [0.1, 1]);
    for (const value of [0.05, 0.1, 0.5, 3]) time.observe({ kind: 'X' }, value);
    registry.family('unused', 'Never set.', 'gauge');

    expect(registry.render()).toBe(`# HELP a Line\\none.
# TYPE a gauge
a 1.5
# HELP b_total How many.
# TYPE b_total counter
b_total{path="a\\"b\\\\c\\nd"} 2
# HELP c_seconds How long.
# TYPE c_seconds histogram
c_seconds_bucket{kind="X",le="0.1"} 2
c_seconds_bucket{kind="X",le="1"} 3
c_seconds_bucket{kind="X",le="+Inf"} 4
c_seconds_sum{kind="X"} 3.65
c_seconds_count{kind="X"} 4
`);
  });

  it('finds a series whatever the order of its labels', () => {
    const family = new MetricRegistry().family('x', '', 'counter');
    family.add({ a: '1', b: '2' });
    family.add({ b: '2', a: '1' });

    expect(family.get({ a: '1', b: '2' })).toBe(2);
  });
});

describe('controller metrics', () => {
  it('have Flux’s buckets, and go with the object', () => {
    const registry = new MetricRegistry();
    const metrics = createControllerMetrics(registry);
    const object = { namespace: 'apps', name: 'demo' };
    metrics.reconciled('Kustomization', object, 1_500);

    const text = registry.render();
    const bounds = [...text.matchAll(/le="([^"]+)"/g)].map((match) => Number(match[1]).toPrecision(3));
    expect(bounds).toEqual(
      ['0.0100', '0.0384', '0.147', '0.565', '2.17', '8.31', '31.9', '122', '469', '1.80e+3', 'Infinity'].map((text) =>
        text === 'Infinity' ? 'NaN' : text,
      ),
    );
    expect(text).toContain(
      'gotk_reconcile_duration_seconds_count{kind="Kustomization",name="demo",namespace="apps"} 1',
    );

    metrics.forget('Kustomization', object);
    expect(registry.render()).toBe('');
  });

  it('count passes by result', () => {
    const registry = new MetricRegistry();
    const metrics = createControllerMetrics(registry);
    metrics.started('gitrepository', 2);
    metrics.passed('gitrepository', 'error', 10);

    const text = registry.render();

    expect(text).toContain('controller_runtime_reconcile_total{controller="gitrepository",result="error"} 1\n');
    expect(text).toContain('controller_runtime_reconcile_total{controller="gitrepository",result="success"} 0\n');
    expect(text).toContain('controller_runtime_reconcile_errors_total{controller="gitrepository"} 1\n');
    expect(text).toContain('controller_runtime_max_concurrent_reconciles{controller="gitrepository"} 2\n');
  });
});

describe('resource metrics', () => {
  it('describe the objects that there are at the time of reading', () => {
    const registry = new MetricRegistry();
    const ready = { type: 'Ready', status: 'True', reason: 'x', message: '', lastTransitionTime: '' } as const;
    let objects = [
      {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata: { name: 'demo', namespace: 'apps' },
        spec: { suspend: true },
        status: { conditions: [ready], lastAppliedRevision: 'main@sha1:1' },
      },
    ];
    const kind = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
    registerResourceMetrics(registry, [{ kind, list: () => objects }]);

    const text = registry.render();
    objects = [];

    expect(text).toContain(
      'gotk_resource_info{customresource_group="kustomize.toolkit.fluxcd.io",customresource_version="v1",customresource_kind="Kustomization",exported_namespace="apps",name="demo",ready="True",suspended="true",revision="main@sha1:1"} 1',
    );
    expect(text).toContain('gotk_suspend_status{kind="Kustomization",name="demo",namespace="apps"} 1');
    expect(text).toContain(
      'gotk_reconcile_condition{kind="Kustomization",name="demo",namespace="apps",status="False",type="Ready"} 0',
    );
    expect(registry.render()).toBe('');
  });
});

describe('process metrics', () => {
  it('count answers by status, and show leadership', () => {
    const registry = new MetricRegistry();
    const count = countAnswers(registry);
    const show = showLeadership(registry);

    for (const status of [200, 200, 409]) count({ method: 'PATCH', status, host: '127.0.0.1:6443' });
    show('source-controller-leader-election', true);

    expect(registry.render()).toContain(
      'rest_client_requests_total{code="200",host="127.0.0.1:6443",method="PATCH"} 2\n',
    );
    expect(registry.render()).toContain('leader_election_master_status{name="source-controller-leader-election"} 1\n');
  });
});
