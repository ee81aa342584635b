// Owns the Leases of the replicas that share the keys: their form, and the newest that is known of each. What they mean is
// membership.ts.
import type { KubeObject } from '../../api/meta/object.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import type { InformerLease, Informers } from '../../cluster/informers.ts';
import { isNewer } from '../newest.ts';

/** A Lease, as far as it is used here. */
export interface GroupLease extends KubeObject {
  readonly spec?: {
    /** Of a replica that may act: its name. Empty for one that may not any more. */
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
  };
}

/** Marks the Leases of the group: `member` or `slots`. */
export const groupLabel = 'lockstep.dev/shards';
/** Which replica holds which slot, on the Lease of the slots. */
export const slotsAnnotation = 'lockstep.dev/slots';

const KIND = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;

/** The Leases of the group. Writes need the newest resourceVersion; they throw ApiError. */
export interface GroupLeases {
  /** The newest that is known, of watch and own writes. */
  list(): readonly GroupLease[];
  /** Tells of changes. */
  onChange(run: () => void): void;
  /** Reads one from the server; undefined when it is gone. */
  read(name: string): Promise<GroupLease | undefined>;
  create(lease: GroupLease, timeoutMs: number): Promise<GroupLease>;
  update(lease: GroupLease, timeoutMs: number): Promise<GroupLease>;
  /** Deletes it if it is still what it was. */
  remove(lease: GroupLease): Promise<void>;
}

export interface GroupLeasesOptions {
  readonly client: DynamicClient;
  readonly informers: Informers;
  readonly namespace: string;
}

/** Follows the Leases of a namespace's group. Resolves when the first list is in. */
export async function followGroupLeases(
  { client, informers, namespace }: GroupLeasesOptions,
  signal: AbortSignal,
): Promise<GroupLeases & { release(): void }> {
  const request = { namespace, labelSelector: groupLabel };
  const followed: InformerLease<GroupLease> = await informers.acquire<GroupLease>(KIND, request, signal);
  const known = new Map<string, GroupLease>();
  const listeners: (() => void)[] = [];
  const put = (lease: GroupLease): GroupLease => {
    const before = known.get(lease.metadata.name);
    const replaced = before !== undefined && before.metadata.uid !== lease.metadata.uid;
    if (before === undefined || replaced || isNewer(lease, before)) known.set(lease.metadata.name, lease);
    return lease;
  };
  const tell = (): void => {
    for (const run of listeners) run();
  };
  const seen = (lease: GroupLease): void => {
    put(lease);
    tell();
  };
  const removeHandler = followed.informer.addHandler({
    add: seen,
    update: seen,
    delete: ({ metadata: { name, uid } }) => {
      if (known.get(name)?.metadata.uid === uid) known.delete(name);
      tell();
    },
  });
  await followed.informer.waitForSync({ signal });
  const reference = (name: string) => ({ ...KIND, namespace, name });
  return {
    list: () => [...known.values()],
    onChange: (run) => void listeners.push(run),
    read: async (name) => {
      const found = await client.find<GroupLease>(reference(name));
      if (found === undefined) known.delete(name);
      return found && put(found);
    },
    create: async ({ metadata, ...rest }, timeoutMs) =>
      put(await client.create<GroupLease>({ ...rest, ...KIND, metadata: { ...metadata, namespace } }, { timeoutMs })),
    update: async (lease, timeoutMs) => put(await client.update<GroupLease>(lease, { timeoutMs })),
    remove: async ({ metadata: { name, uid, resourceVersion } }) => {
      await client.delete(reference(name), { uid, resourceVersion });
      known.delete(name);
    },
    release: () => {
      removeHandler();
      followed.release();
    },
  };
}
