// A controller of a kind of the test's own, run by the machine against a whole API server: what it writes, and when it
// writes nothing.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { finalizer, requestedAtAnnotation } from '../../src/api/meta/keys.ts';
import type { KubeObject } from '../../src/api/meta/object.ts';
import { DynamicClient } from '../../src/cluster/client.ts';
import { Discovery } from '../../src/cluster/discovery.ts';
import { type EventObject, EventRecorder } from '../../src/cluster/events.ts';
import { Informers } from '../../src/cluster/informers.ts';
import { readKubeconfig } from '../../src/cluster/kubeconfig.ts';
import { RestClient } from '../../src/cluster/rest.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemClock as clock } from '../../src/runtime/clock.ts';
import { concludeReady, markReady, markReconciling } from '../../src/runtime/conditions.ts';
import type { CommonStatus, Controller, Reconcilable } from '../../src/runtime/controller.ts';
import { failureConditions, failureEvent, failureRequeue } from '../../src/runtime/failure.ts';
import { ReconcileError, stage } from '../../src/runtime/reconcile-error.ts';
import { type RunningController, startController } from '../../src/runtime/start.ts';
import { checkStatusRules } from '../../src/runtime/status.ts';
import { clusters, useCluster } from '../support/cluster.ts';
import { until } from '../support/reconciler.ts';

interface Gadget extends Reconcilable {
  readonly spec: { readonly size: number; readonly suspend?: boolean; readonly wait?: boolean };
  readonly status?: CommonStatus & { readonly size?: number };
}
/** What the gadget's world is: tests set it, passes read it. */
interface World {
  broken: boolean;
  healthy: boolean;
  passes: number;
  cleaned: string[];
}
type Outcome = { readonly size: number; readonly waiting: boolean };

function gadgetController(apiVersion: string): Controller<Gadget, Gadget['spec'], Gadget['spec'], Outcome, World> {
  return {
    name: 'gadget',
    kind: { apiVersion, kind: 'Gadget' },
    fieldManager: 'gadget-controller',
    eventSource: 'gadget-controller',
    finalizer,
    observe: (object, world) => {
      world.passes++;
      return Promise.resolve(object.spec);
    },
    decide: (spec) => spec,
    act: (spec, world) =>
      stage('GadgetFailed', () => {
        if (world.broken) throw new ReconcileError('GadgetFailed', 'it is broken');
        return { size: spec.size, waiting: spec.wait === true && !world.healthy };
      }),
    conclude: (object, result, nowMs) => {
      const stamp = { generation: object.metadata.generation ?? 0, nowMs };
      const conditions = object.status?.conditions;
      if ('error' in result) {
        const failed = { ...object.status, conditions: failureConditions(conditions, result.error, stamp) };
        const event = failureEvent(result.error);
        const requeue = failureRequeue(result.error, { waitingMs: 1_000 });
        return { status: failed, events: event ? [event] : [], requeue };
      }
      const { size, waiting } = result.outcome;
      if (waiting) {
        const begun = markReconciling(conditions, 'Progressing', 'waiting for health', stamp);
        const unknown = markReady(begun, 'Unknown', { reason: 'Progressing', message: 'waiting for health' }, stamp);
        return {
          status: { ...object.status, conditions: unknown },
          requeue: { do: 'wait', untilMs: nowMs + 60_000, memory: size },
        };
      }
      const ready = concludeReady(conditions, 'Succeeded', `size ${size}`, stamp);
      const changed = object.status?.size !== size;
      return {
        status: { ...object.status, size, conditions: ready },
        events: changed ? [{ type: 'Normal', reason: 'Resized', message: `size ${size}` }] : [],
        requeue: { do: 'interval', ms: 20 },
      };
    },
    finalize: (object, world) => {
      world.cleaned.push(object.metadata.name);
      return Promise.resolve({ done: true });
    },
  };
}

for (const cluster of clusters) {
  describe(`machine on ${cluster.name}`, () => {
    const use = useCluster(cluster);
    let client: DynamicClient;
    let informers: Informers;
    let recorder: EventRecorder;
    let running: RunningController<Gadget>;
    let apiVersion: string;
    let world: World;
    let requests: string[];

    beforeEach(async () => {
      requests = [];
      world = { broken: false, healthy: false, passes: 0, cleaned: [] };
      const onRequest = ({ method, path }: { method: string; path: string }) => requests.push(`${method} ${path}`);
      const access = await readKubeconfig(use.kubeconfig, { clock });
      const rest = new RestClient(access, { clock, random: Math.random, userAgent: 'lockstep/test', onRequest });
      const discovery = new Discovery(rest, { clock });
      client = new DynamicClient(rest, discovery);
      informers = new Informers({ rest, discovery, clock, random: Math.random, log: silentLog });
      recorder = new EventRecorder({ client, clock, log: silentLog });
      const group = `m${use.namespace.slice(5)}.example.dev`;
      apiVersion = `${group}/v1`;
      await client.create<KubeObject>(definition(group));
      await until('the kind', async () => {
        discovery.invalidate();
        return client.list(kind()).then(Boolean, () => false);
      });
      const machine = { client, informers, events: recorder, clock, random: Math.random, log: silentLog };
      running = startController(gadgetController(apiVersion), world, { ...machine, backoff: { minMs: 10 } });
      await running.ready;
    });
    afterEach(async () => {
      await running.stop();
      await recorder.stop();
      await informers.stop();
      const finalizers = { type: 'merge', body: { metadata: { finalizers: null } } } as const;
      for (const { metadata } of (await client.list(kind())).items)
        await client.patch(ref(metadata.name), finalizers).catch(() => {});
      await client.delete({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        name: `gadgets.${apiVersion.slice(0, -3)}`,
      });
      await client.rest.close();
    });

    const kind = () => ({ apiVersion, kind: 'Gadget' });
    const ref = (name = 'g') => ({ ...kind(), namespace: use.namespace, name });
    const gadget = (spec: Gadget['spec']) => ({ ...kind(), metadata: { name: 'g', namespace: use.namespace }, spec });
    const apply = (spec: Gadget['spec']) =>
      client.apply(gadget(spec) as KubeObject, { fieldManager: 'kubectl', force: true });
    const request = (value: string) => {
      const body = { metadata: { annotations: { [requestedAtAnnotation]: value } } };
      return client.patch(ref(), { type: 'merge', body });
    };
    const get = () => client.get<Gadget>(ref());
    const isReady = async (size: number) => {
      const { status, metadata } = await get();
      return status?.size === size && status.observedGeneration === metadata.generation;
    };
    const ready = (size: number) => until(`size ${size}`, () => isReady(size));
    /** The pass that made what was seen has ended, and what it said is written. */
    const settled = async () => {
      await until('the end of the pass', () => running.idle());
      await recorder.flush();
    };
    const writes = () => requests.filter((request) => !request.startsWith('GET'));

    it('adds the finalizer, writes the status once and says it once', async () => {
      requests.length = 0;
      await apply({ size: 3 });
      await ready(3);
      await settled();

      const object = await get();
      const { items } = await client.list<EventObject>(
        { apiVersion: 'v1', kind: 'Event' },
        { namespace: use.namespace },
      );
      expect(object.metadata.finalizers).toEqual([finalizer]);
      expect(checkStatusRules(object, 'finished')).toEqual([]);
      expect(items.map(({ reason, message }) => [reason, message])).toEqual([['Resized', 'size 3']]);
      expect(writes().map((write) => write.replace(/\?.*/, '').split('/').at(-1))).toEqual([
        'g', // the test's own
        'g',
        'status',
        'events',
      ]);
      expect(object.metadata.managedFields?.filter(({ subresource }) => subresource === 'status')).toMatchObject([
        { manager: 'gadget-controller', operation: 'Update' },
      ]);
    });

    it('sends no request while nothing changes', async () => {
      await apply({ size: 3 });
      await ready(3);
      await settled();
      const before = { passes: world.passes, requests: requests.length };

      await until('ten ticks', () => world.passes >= before.passes + 10);

      expect(requests.slice(before.requests)).toEqual([]);
    });

    it('answers a request with exactly one write', async () => {
      await apply({ size: 3 });
      await ready(3);
      await settled();
      requests.length = 0;

      await request('now');
      await until('the request', async () => (await get()).status?.lastHandledReconcileAt === 'now');
      await settled();

      expect(writes().map((write) => write.replace(/\?.*/, '').split('/').at(-1))).toEqual(['g', 'status']);
    });

    it('says what failed, tries again, and comes back', async () => {
      world.broken = true;
      await apply({ size: 3 });
      await until('tries', () => world.passes > 3);
      const failed = await get();
      expect(checkStatusRules(failed, 'finished')).toEqual([]);
      expect(failed.status?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`)).toEqual([
        'Reconciling=True ProgressingWithRetry',
        'Ready=False GadgetFailed',
      ]);

      world.broken = false;
      await ready(3);

      expect(checkStatusRules(await get(), 'finished')).toEqual([]);
    });

    it('waits without running, and goes on when it is woken', async () => {
      await apply({ size: 3, wait: true });
      await until('the wait', async () => (await get()).status?.conditions?.length === 2);
      expect(checkStatusRules(await get(), 'running')).toEqual([]);
      await until('the end of the pass', () => running.idle());

      world.healthy = true;
      running.enqueue(`${use.namespace}/g`, { trigger: 'healthy' });
      await ready(3);

      expect(checkStatusRules(await get(), 'finished')).toEqual([]);
    });

    it('cleans up before a deleted object goes', async () => {
      await apply({ size: 3 });
      await ready(3);

      await client.delete(ref());
      await until('the end', async () => (await client.find(ref())) === undefined);

      expect(world.cleaned).toEqual(['g']);
    });

    it('leaves a suspended object alone, but lets it go', async () => {
      await apply({ size: 3 });
      await ready(3);
      await apply({ size: 4, suspend: true });
      await until(
        'the pause',
        () => running.objects.get(`${use.namespace}/g`)?.spec.suspend === true && running.idle(),
      );
      const { passes } = world;

      await client.patch(ref(), {
        type: 'merge',
        body: { metadata: { annotations: { [requestedAtAnnotation]: 'now' } } },
      });
      await client.delete(ref());
      await until('the end', async () => (await client.find(ref())) === undefined);

      expect(world.passes).toBe(passes);
    });
  });
}

function definition(group: string): KubeObject & Record<string, unknown> {
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const schema = { type: 'object', properties: { spec: open, status: open } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `gadgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Gadget', plural: 'gadgets', singular: 'gadget', listKind: 'GadgetList' },
      versions: [
        { name: 'v1', served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema: schema } },
      ],
    },
  };
}
