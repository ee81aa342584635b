// The client, its informers, leases and events against a whole API server: TLS, tokens, discovery, conflicts, watches.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta/object.ts';
import { DynamicClient } from '../../src/cluster/client.ts';
import { Discovery } from '../../src/cluster/discovery.ts';
import { type EventObject, EventRecorder } from '../../src/cluster/events.ts';
import { Informers } from '../../src/cluster/informers.ts';
import { readKubeconfig } from '../../src/cluster/kubeconfig.ts';
import { acquireLease } from '../../src/cluster/leases.ts';
import { RestClient } from '../../src/cluster/rest.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemClock as clock } from '../../src/runtime/clock.ts';
import { clusters, useCluster } from '../support/cluster.ts';
import { until } from '../support/reconciler.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
/** A bound on hanging, not on speed. */
const HANG_MS = 45_000;
const kind = { apiVersion: 'v1', kind: 'ConfigMap' };

for (const cluster of clusters) {
  describe(`client and machine on ${cluster.name}`, () => {
    const use = useCluster(cluster);
    let client: DynamicClient;
    let informers: Informers;
    const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
      ...kind,
      metadata: { name, namespace: use.namespace },
      data,
    });
    const ref = (name: string) => ({ ...kind, namespace: use.namespace, name });

    beforeEach(async () => {
      const access = await readKubeconfig(use.kubeconfig, { clock });
      const rest = new RestClient(access, { clock, random: Math.random, userAgent: 'lockstep/test' });
      const discovery = new Discovery(rest, { clock });
      client = new DynamicClient(rest, discovery);
      informers = new Informers({ rest, discovery, clock, random: Math.random, log: silentLog });
    });
    afterEach(async () => {
      await informers.stop();
      await client.rest.close();
    });

    it('discovers scope, verbs and subresources of kinds in every group', async () => {
      expect(await client.discovery.resolve({ apiVersion: 'apps/v1', kind: 'Deployment' })).toMatchObject({
        resource: 'deployments',
        singular: 'deployment',
        namespaced: true,
        shortNames: ['deploy'],
        subresources: expect.arrayContaining(['scale', 'status']),
      });
      expect(await client.discovery.resolve({ apiVersion: 'v1', kind: 'Namespace' })).toMatchObject({
        namespaced: false,
      });
      await expect(client.discovery.resolve({ apiVersion: 'apps/v1', kind: 'Gadget' })).rejects.toMatchObject({
        code: 'NoMatch',
      });
    });

    it('creates, replaces, patches and deletes, each only in the state it names', async () => {
      const created = await client.create<ConfigMap>(configMap('a', { x: '1' }));
      await expect(client.create(configMap('a'))).rejects.toMatchObject({ code: 'ApiAlreadyExists' });
      const updated = await client.update<ConfigMap>({ ...created, data: { x: '2' } });
      await expect(client.update<ConfigMap>({ ...created, data: { x: '3' } })).rejects.toMatchObject({
        code: 'ApiConflict',
      });
      await client.patch(ref('a'), { type: 'merge', body: { data: { y: '1' } } });
      await client.patch(ref('a'), { type: 'json', body: [{ op: 'remove', path: '/data/x' }] });

      expect((await client.get<ConfigMap>(ref('a'))).data).toEqual({ y: '1' });
      await expect(client.delete(ref('a'), { uid: 'another' })).rejects.toMatchObject({ code: 'ApiConflict' });
      expect(await client.delete(ref('a'), { uid: updated.metadata.uid })).toBe(true);
      expect(await client.find(ref('a'))).toBeUndefined();
      expect(await client.delete(ref('a'))).toBe(false);
    });

    it('applies, tells conflicts by field and takes over by force', async () => {
      await client.apply(configMap('a', { x: '1' }), { fieldManager: 'one' });

      const other = client.apply(configMap('a', { x: '2' }), { fieldManager: 'two' });

      await expect(other).rejects.toMatchObject({
        code: 'ApiConflict',
        data: { causes: [{ reason: 'FieldManagerConflict', field: '.data.x' }] },
      });
      const dry = await client.apply<ConfigMap>(configMap('a', { x: '3' }), { fieldManager: 'one', dryRun: true });
      expect(dry.data).toEqual({ x: '3' });
      const forced = await client.apply<ConfigMap>(configMap('a', { x: '2' }), { fieldManager: 'two', force: true });
      expect(forced.data).toEqual({ x: '2' });
    });

    it('tells of a refused object in the API’s words', async () => {
      const bad = { ...configMap('Not_A_Name') };

      await expect(client.create(bad)).rejects.toMatchObject({
        code: 'ApiInvalid',
        message: expect.stringContaining(
          'ConfigMap "Not_A_Name" is invalid: metadata.name: Invalid value: "Not_A_Name"',
        ),
        data: { status: 422, causes: [{ reason: 'FieldValueInvalid', field: 'metadata.name' }] },
      });
    });

    it('lists long lists by pages of one state', async () => {
      await Promise.all(Array.from({ length: 25 }, (_, at) => client.create(configMap(`m${at}`))));

      const versions = new Set<string>();
      const names: string[] = [];
      for await (const page of client.pages(kind, { namespace: use.namespace, limit: 10 })) {
        versions.add(page.resourceVersion);
        names.push(...page.items.map(({ metadata }) => metadata.name));
      }

      expect(versions.size).toBe(1);
      expect(names.filter((name) => name.startsWith('m'))).toHaveLength(25);
    });

    it('follows objects by a watch, selected by label, whole or by metadata alone', async () => {
      const selection = { namespace: use.namespace, labelSelector: 'app=demo' };
      const whole = (await informers.acquire<ConfigMap>(kind, selection)).informer;
      const bare = (await informers.acquire<ConfigMap>(kind, { ...selection, metadataOnly: true })).informer;
      await Promise.all([whole.waitForSync(), bare.waitForSync()]);
      const labelled = configMap('a', { x: '1' });

      await client.create(configMap('ignored'));
      await client.create({ ...labelled, metadata: { ...labelled.metadata, labels: { app: 'demo' } } });
      await until('the object in both', () => whole.size === 1 && bare.size === 1);

      expect(whole.get(use.namespace, 'a')).toMatchObject({ ...kind, data: { x: '1' } });
      expect(bare.get(use.namespace, 'a')).toMatchObject({ ...kind, metadata: { labels: { app: 'demo' } } });
      expect(bare.get(use.namespace, 'a')).not.toHaveProperty('data');
      await client.patch(ref('a'), { type: 'merge', body: { metadata: { labels: { app: null } } } });
      await until('the end of both', () => whole.size === 0 && bare.size === 0);
    });

    it('asks again for a kind whose CustomResourceDefinition has just come', async () => {
      const group = `g${use.namespace.slice(5)}.example.dev`;
      const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
      const crd = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `gadgets.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: { kind: 'Gadget', plural: 'gadgets' },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
        },
      };
      const gadget = { apiVersion: `${group}/v1`, kind: 'Gadget', metadata: { name: 'g', namespace: use.namespace } };
      await expect(client.create(gadget)).rejects.toMatchObject({ code: 'NoMatch' });

      await client.create<KubeObject>(crd);
      await until('the kind', async () => {
        client.discovery.invalidate();
        return client.create(gadget).then(
          () => true,
          () => false,
        );
      });
      await client.delete({ apiVersion: crd.apiVersion, kind: crd.kind, name: crd.metadata.name });
      await until('the end of the kind', async () => {
        const error = await client.get({ ...gadget, ...gadget.metadata }).catch((caught: unknown) => caught);
        client.discovery.invalidate();
        return (error as { code?: string }).code === 'NoMatch';
      });
    });

    it('acts as a ServiceAccount with its rights and no more', async () => {
      const tenant = client.as({
        user: `system:serviceaccount:${use.namespace}:nobody`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${use.namespace}`, 'system:authenticated'],
      });

      await expect(tenant.create(configMap('a'))).rejects.toMatchObject({
        code: 'ApiForbidden',
        message: expect.stringContaining(
          `User "system:serviceaccount:${use.namespace}:nobody" cannot create resource "configmaps"`,
        ),
      });
    });

    it('writes events and counts the same ones', async () => {
      const recorder = new EventRecorder({ client, clock, log: silentLog });
      const object = await client.create(configMap('a'));
      const event = { type: 'Normal', reason: 'Tested', message: 'as it should', source: 'lockstep-test' } as const;
      for (let at = 0; at < 3; at++) recorder.record(object, event);
      await recorder.stop();

      const { items } = await client.list<EventObject>(
        { apiVersion: 'v1', kind: 'Event' },
        { namespace: use.namespace },
      );
      expect(items.filter(({ reason }) => reason === 'Tested')).toMatchObject([
        { count: 3, message: 'as it should', involvedObject: { name: 'a', uid: object.metadata.uid } },
      ]);
    });

    it('hands a Lease from one holder to the next', async () => {
      const options = {
        client,
        clock,
        random: Math.random,
        log: silentLog,
        namespace: use.namespace,
        name: 'leader',
        retryMs: 20,
      };
      const waiting: string[] = [];
      const first = await acquireLease({ ...options, identity: 'one' }, AbortSignal.timeout(HANG_MS));
      const next = acquireLease(
        { ...options, identity: 'two', onWaiting: (holder) => waiting.push(holder) },
        AbortSignal.timeout(HANG_MS),
      );
      await until('the second to wait', () => waiting.length === 1);

      await first.release();
      const second = await next;

      const lease = await client.get<KubeObject & { spec: object }>({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        namespace: use.namespace,
        name: 'leader',
      });
      expect(waiting).toEqual(['one']);
      expect(lease.spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
      await second.release();
    });
  });
}
