import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../../src/sandbox/api.ts';
import type { KubeObject } from '../../../src/sandbox/object.ts';
import type { ResourceId, StoreEvent } from '../../../src/sandbox/store.ts';

const CONFIG_MAPS: ResourceId = { group: '', resource: 'configmaps' };
const NAMESPACES: ResourceId = { group: '', resource: 'namespaces' };
const SERVICES: ResourceId = { group: '', resource: 'services' };
const DEPLOYMENTS: ResourceId = { group: 'apps', resource: 'deployments' };
const CRDS: ResourceId = { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' };
const WIDGETS: ResourceId = { group: 'example.com', resource: 'widgets' };

function configMap(name: string, fields: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, ...fields };
}

function widgetDefinition(): KubeObject {
  const schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { size: { type: 'integer', default: 1 } } } },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
}

function widget(name: string, fields: object = {}): KubeObject {
  return { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name, namespace: 'default' }, ...fields };
}

describe('the API without sockets', () => {
  let api: Api;
  beforeEach(async () => {
    api = createApi({ now: () => new Date('2026-01-01T00:00:00Z') });
    await settle();
  });
  afterEach(() => api.close());

  /** Lets the API's own controllers finish: they work in microtasks. */
  async function settle(): Promise<void> {
    for (let i = 0; i < 5; i++) await setImmediate();
  }

  async function serveWidgets(): Promise<void> {
    api.store.create(CRDS, widgetDefinition());
    await settle();
  }

  describe('writing', () => {
    it('gives a new object its identity and keeps what the client cannot set', () => {
      const made = api.store.create(CONFIG_MAPS, configMap('a', { data: { k: 'v' } }));

      expect(made.metadata).toMatchObject({
        name: 'a',
        namespace: 'default',
        creationTimestamp: '2026-01-01T00:00:00Z',
      });
      expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      const updated = api.store.update(CONFIG_MAPS, {
        ...made,
        metadata: { ...made.metadata, creationTimestamp: '1999-01-01T00:00:00Z' },
        data: {},
      });
      expect(updated.metadata.creationTimestamp).toBe('2026-01-01T00:00:00Z');
      expect(updated.metadata.uid).toBe(made.metadata.uid);
    });

    it('writes nothing for an update that changes nothing', () => {
      const made = api.store.create(CONFIG_MAPS, configMap('a', { data: { k: 'v' } }));

      expect(api.store.update(CONFIG_MAPS, made).metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    });

    it('refuses an update of an older state', () => {
      const made = api.store.create(CONFIG_MAPS, configMap('a'));
      api.store.update(CONFIG_MAPS, { ...made, data: { k: 'v' } });

      expect(() => api.store.update(CONFIG_MAPS, { ...made, data: { k: 'w' } })).toThrow(
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      );
    });

    it('makes a name from generateName', () => {
      const made = api.store.create(
        CONFIG_MAPS,
        configMap('', { metadata: { name: '', generateName: 'x-', namespace: 'default' } }),
      );

      expect(made.metadata.name).toMatch(/^x-[a-z0-9]{5}$/);
    });

    it('counts generations of the spec alone, and keeps status for its own endpoint', () => {
      const spec = {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } },
      };
      const made = api.store.create(DEPLOYMENTS, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'd', namespace: 'default' },
        spec,
        status: { replicas: 9 },
      });
      expect(made['status']).toEqual({});

      const labelled = api.store.update(DEPLOYMENTS, { ...made, metadata: { ...made.metadata, labels: { x: 'y' } } });
      expect(labelled.metadata.generation).toBe(1);
      const reported = api.store.update(
        DEPLOYMENTS,
        { ...labelled, spec: { ...spec, replicas: 7 }, status: { replicas: 2 } },
        { subresource: 'status' },
      );
      expect(reported).toMatchObject({ metadata: { generation: 1 }, spec: { replicas: 1 }, status: { replicas: 2 } });
      const scaled = api.store.update(DEPLOYMENTS, {
        ...reported,
        spec: { ...(reported['spec'] as object), replicas: 3 },
      });
      expect(scaled.metadata.generation).toBe(2);
    });

    it('refuses a change of an immutable field', () => {
      const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
      const spec = { selector: { matchLabels: { a: 'b' } }, template };
      const made = api.store.create(DEPLOYMENTS, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'd', namespace: 'default' },
        spec,
      });
      const changed = {
        selector: { matchLabels: { a: 'b', c: 'd' } },
        template: { ...template, metadata: { labels: { a: 'b', c: 'd' } } },
      };

      expect(() => api.store.update(DEPLOYMENTS, { ...made, spec: changed })).toThrow(
        'Deployment.apps "d" is invalid: spec.selector: Invalid value: {"matchLabels":{"a":"b","c":"d"}}: field is immutable',
      );
    });

    it('allocates a service its address once', () => {
      const made = api.store.create(SERVICES, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 's', namespace: 'default' },
        spec: { ports: [{ port: 80 }] },
      });
      const { clusterIP, clusterIPs } = made['spec'] as { clusterIP: string; clusterIPs: string[] };
      expect(clusterIP).toMatch(/^10\.96\./);
      expect(clusterIPs).toEqual([clusterIP]);

      const updated = api.store.update(SERVICES, { ...made, spec: { ports: [{ port: 81 }] } });

      expect(updated['spec']).toMatchObject({ clusterIP, ports: [{ port: 81, targetPort: 81, protocol: 'TCP' }] });
    });
  });

  describe('watching in the process', () => {
    it('tells of changes after the write, in order, never inside it', async () => {
      const events: StoreEvent[] = [];
      const stop = api.store.watch(CONFIG_MAPS, (event) => events.push(event), { initial: false });

      const made = api.store.create(CONFIG_MAPS, configMap('a'));
      api.store.update(CONFIG_MAPS, { ...made, data: { k: 'v' } });
      api.store.delete(CONFIG_MAPS, 'default', 'a');
      expect(events).toEqual([]);
      await settle();

      expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
        'ADDED a',
        'MODIFIED a',
        'DELETED a',
      ]);
      stop();
      api.store.create(CONFIG_MAPS, configMap('b'));
      await settle();
      expect(events).toHaveLength(3);
    });
  });

  describe('deleting', () => {
    it('waits for finalizers', () => {
      const made = api.store.create(
        CONFIG_MAPS,
        configMap('a', { metadata: { name: 'a', namespace: 'default', finalizers: ['e.com/x'] } }),
      );

      const marked = api.store.delete(CONFIG_MAPS, 'default', 'a');
      expect(marked.metadata.deletionTimestamp).toBe('2026-01-01T00:00:00Z');
      expect(() =>
        api.store.update(CONFIG_MAPS, {
          ...marked,
          metadata: { ...marked.metadata, finalizers: ['e.com/x', 'e.com/y'] },
        }),
      ).toThrow('no new finalizers can be added if the object is being deleted');
      api.store.update(CONFIG_MAPS, { ...marked, metadata: { ...marked.metadata, finalizers: [] } });

      expect(api.store.get(CONFIG_MAPS, 'default', made.metadata.name)).toBeUndefined();
    });

    it('takes dependents of a deleted owner, and keeps those with another owner', async () => {
      const first = api.store.create(CONFIG_MAPS, configMap('first'));
      const second = api.store.create(CONFIG_MAPS, configMap('second'));
      const owned = (name: string, ...owners: KubeObject[]): KubeObject =>
        configMap(name, {
          metadata: {
            name,
            namespace: 'default',
            ownerReferences: owners.map(({ metadata }) => ({
              apiVersion: 'v1',
              kind: 'ConfigMap',
              name: metadata.name,
              uid: metadata.uid,
            })),
          },
        });
      api.store.create(CONFIG_MAPS, owned('only', first));
      api.store.create(CONFIG_MAPS, owned('both', first, second));
      await settle();

      api.store.delete(CONFIG_MAPS, 'default', 'first');
      await settle();

      expect(api.store.get(CONFIG_MAPS, 'default', 'only')).toBeUndefined();
      expect(api.store.get(CONFIG_MAPS, 'default', 'both')?.metadata.ownerReferences).toHaveLength(1);
    });

    it('collects an object whose owner never existed', async () => {
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'ghost', uid: '1' }];
      api.store.create(CONFIG_MAPS, configMap('a', { metadata: { name: 'a', namespace: 'default', ownerReferences } }));
      await settle();

      expect(api.store.get(CONFIG_MAPS, 'default', 'a')).toBeUndefined();
    });

    it('leaves alone what is owned by a kind that is not served', async () => {
      const ownerReferences = [{ apiVersion: 'who.knows/v1', kind: 'Thing', name: 'x', uid: '1' }];
      api.store.create(CONFIG_MAPS, configMap('a', { metadata: { name: 'a', namespace: 'default', ownerReferences } }));
      await settle();

      expect(api.store.get(CONFIG_MAPS, 'default', 'a')?.metadata.ownerReferences).toEqual(ownerReferences);
    });

    it('lets go of what the rules of today would refuse', async () => {
      const { metadata } = api.store.create(CONFIG_MAPS, configMap('odd'));
      const labels = { 'no label': 'at all' };
      api.core.storage.put('/configmaps', 'default/odd', { ...configMap('odd'), metadata: { ...metadata, labels } });

      api.store.delete(CONFIG_MAPS, 'default', 'odd', { propagationPolicy: 'Foreground' });
      await settle();

      expect(api.store.get(CONFIG_MAPS, 'default', 'odd')).toBeUndefined();
    });

    it('goes in the foreground after its blocking dependents', async () => {
      const owner = api.store.create(CONFIG_MAPS, configMap('owner'));
      const ownerReferences = [
        { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid, blockOwnerDeletion: true },
      ];
      const child = api.store.create(
        CONFIG_MAPS,
        configMap('child', {
          metadata: { name: 'child', namespace: 'default', finalizers: ['e.com/x'], ownerReferences },
        }),
      );
      await settle();

      api.store.delete(CONFIG_MAPS, 'default', 'owner', { propagationPolicy: 'Foreground' });
      await settle();
      expect(api.store.get(CONFIG_MAPS, 'default', 'owner')?.metadata.finalizers).toEqual(['foregroundDeletion']);
      const going = api.store.get(CONFIG_MAPS, 'default', child.metadata.name)!;
      expect(going.metadata.deletionTimestamp).toBe('2026-01-01T00:00:00Z');
      api.store.update(CONFIG_MAPS, {
        ...going,
        metadata: {
          ...going.metadata,
          finalizers: going.metadata.finalizers?.filter((name) => name === 'foregroundDeletion') ?? [],
        },
      });
      await settle();

      expect(api.store.get(CONFIG_MAPS, 'default', 'owner')).toBeUndefined();
    });
  });

  describe('namespaces', () => {
    it('are there from the start, each with its account and certificate', () => {
      expect(api.store.list(NAMESPACES).map(({ metadata }) => metadata.name)).toEqual([
        'default',
        'kube-node-lease',
        'kube-public',
        'kube-system',
      ]);
      const namesOf = (resource: string) =>
        api.store.list({ group: '', resource }, { namespace: 'default' }).map(({ metadata }) => metadata.name);
      expect(namesOf('serviceaccounts')).toEqual(['default']);
      expect(namesOf('configmaps')).toEqual(['kube-root-ca.crt']);
    });

    it('are emptied before they go, and take nothing new meanwhile', async () => {
      api.store.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } });
      await settle();
      const held = api.store.create(
        CONFIG_MAPS,
        configMap('held', { metadata: { name: 'held', namespace: 'n', finalizers: ['e.com/x'] } }),
      );

      api.store.delete(NAMESPACES, '', 'n');
      await settle();
      expect(api.store.get(NAMESPACES, '', 'n')?.['status']).toMatchObject({ phase: 'Terminating' });
      expect(() =>
        api.store.create(CONFIG_MAPS, configMap('late', { metadata: { name: 'late', namespace: 'n' } })),
      ).toThrow('unable to create new content in namespace n because it is being terminated');
      const going = api.store.get(CONFIG_MAPS, 'n', held.metadata.name)!;
      api.store.update(CONFIG_MAPS, { ...going, metadata: { ...going.metadata, finalizers: [] } });
      await settle();

      expect(api.store.get(NAMESPACES, '', 'n')).toBeUndefined();
      expect(api.store.list({ group: '', resource: 'serviceaccounts' }, { namespace: 'n' })).toEqual([]);
    });
  });

  describe('custom resources', () => {
    it('are served once their definition is established, with defaults and pruning', async () => {
      expect(() => api.store.create(WIDGETS, widget('w'))).toThrow('the server could not find the requested resource');
      await serveWidgets();

      const conditions = (
        api.store.get(CRDS, '', 'widgets.example.com')!['status'] as { conditions: { type: string; status: string }[] }
      ).conditions;
      expect(conditions.map(({ type, status }) => `${type}=${status}`)).toEqual([
        'NamesAccepted=True',
        'Established=True',
      ]);
      expect(api.store.create(WIDGETS, widget('w', { spec: {} }))['spec']).toEqual({ size: 1 });
      expect(() => api.store.create(WIDGETS, widget('x', { spec: { foo: 1 } }))).toThrow(
        'strict decoding error: unknown field "spec.foo"',
      );
    });

    it('go with their definition', async () => {
      await serveWidgets();
      api.store.create(WIDGETS, widget('w'));

      api.store.delete(CRDS, '', 'widgets.example.com');
      await settle();

      expect(api.store.get(CRDS, '', 'widgets.example.com')).toBeUndefined();
      expect(api.core.registry.find('example.com', 'widgets')).toBeUndefined();
      expect(api.core.storage.count('example.com/widgets')).toBe(0);
    });

    it('need a definition that is named after its plural and group', () => {
      const wrong = widgetDefinition();

      expect(() => api.store.create(CRDS, { ...wrong, metadata: { name: 'x.y' } })).toThrow(
        'metadata.name: Invalid value: "x.y": must be spec.names.plural+"."+spec.group',
      );
    });
  });

  it('shows core events in events.k8s.io under the names of that version', () => {
    api.store.create(
      { group: '', resource: 'events' },
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'e', namespace: 'default' },
        involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
        message: 'text',
        reason: 'R',
        type: 'Normal',
      },
    );
    const resource = api.core.registry.find('events.k8s.io', 'events')!;

    expect(resource.collection).toBe('/events');
    expect(api.store.get({ group: 'events.k8s.io', resource: 'events' }, 'default', 'e')?.['message']).toBe('text');
  });
});
