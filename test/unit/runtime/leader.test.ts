import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/api/meta/object.ts';
import type { DynamicClient } from '../../../src/cluster/client.ts';
import { acquireLease, type LeaseOptions } from '../../../src/cluster/leases.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { becomeLeader, foreignLeases } from '../../../src/runtime/leader.ts';
import { createShard } from '../../../src/runtime/shard.ts';
import { createTestClient, eventually } from '../../support/client.ts';
import { FakeClock } from '../../support/clock.ts';
import { leases, TinyApi } from '../../support/tinyapi.ts';

interface Lease extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>;
}

let api: TinyApi;
let client: DynamicClient;
let clock: FakeClock;
const never = new AbortController().signal;
beforeEach(async () => {
  api = new TinyApi([leases]);
  clock = new FakeClock();
  client = createTestClient(await api.start());
});
afterEach(async () => {
  await client.rest.close();
  await api.stop();
});

const options = (identity: string, more: Partial<LeaseOptions> = {}): LeaseOptions => ({
  client,
  clock,
  random: () => 0,
  log: silentLog,
  namespace: 'flux-system',
  name: 'lockstep-leader-election',
  identity,
  ...more,
});
const spec = (name = 'lockstep-leader-election') => api.get('leases', 'flux-system', name)?.['spec'];
const foreign = (name: string, holderIdentity: string) =>
  api.put(leases, {
    metadata: { name, namespace: 'flux-system' },
    spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: '2020-01-01T00:00:00.000000Z', leaseTransitions: 4 },
  });
/** Moves time by steps of a second and lets requests through between them. */
async function pass(seconds: number): Promise<void> {
  for (let at = 0; at < seconds; at++) {
    const before = api.calls.length;
    await clock.advance(1_000);
    for (let quiet = 0, seen = before; quiet < 3; quiet++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (api.calls.length !== seen) quiet = 0;
      seen = api.calls.length;
    }
  }
}

/** Moves time on until something has happened. */
function passUntil(done: () => boolean): Promise<void> {
  return eventually(async () => {
    if (!done()) await pass(1);
    return done();
  }, 'the lease');
}

describe('acquireLease', () => {
  it('creates the lease, renews it and gives it back', async () => {
    const held = await acquireLease(options('a'), never);
    expect(spec()).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 35,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });

    await clock.advance(5_000);
    await eventually(() => JSON.stringify(spec()).includes('"renewTime":"2026-01-01T00:00:05'), 'the renewal');
    await held.release();

    expect(spec()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    expect(held.lost.aborted).toBe(false);
  });

  it('gives it back although a renewal was cut off whose answer never came', async () => {
    const held = await acquireLease(options('a'), never);
    let stored = false;
    api.fault = (request, _response, body) => {
      if (stored || request.method !== 'PUT') return false;
      stored = true;
      api.put(leases, JSON.parse(body));
      return true;
    };
    await clock.advance(5_000);
    await eventually(() => stored, 'the renewal');

    await held.release();

    expect(spec()).toMatchObject({ holderIdentity: '' });
  });

  it('waits for another holder by its own clock, however old the times in the lease are', async () => {
    foreign('lockstep-leader-election', 'other');
    const waiting: string[] = [];
    let holds = false;
    const acquired = acquireLease(options('a', { onWaiting: (holder) => waiting.push(holder) }), never).then((held) => {
      holds = true;
      return held;
    });
    await eventually(() => waiting.length > 0, 'the first look');

    await pass(14);
    expect(holds).toBe(false);
    await passUntil(() => holds);
    const held = await acquired;

    expect(waiting).toEqual(['other']);
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 5 });
    await held.release();
  });

  it('takes a lease that was given back at once', async () => {
    foreign('lockstep-leader-election', '');

    const held = await acquireLease(options('a'), never);

    expect(spec()).toMatchObject({ holderIdentity: 'a' });
    await held.release();
  });

  it('counts as lost when it cannot be renewed until the deadline, before anybody else may take it', async () => {
    const held = await acquireLease(options('a'), never);
    api.fault = () => true;

    await clock.advance(29_000);
    expect(held.lost.aborted).toBe(false);
    await eventually(() => api.calls.length >= 3, 'the renewal that hangs');
    await clock.advance(6_000);
    await eventually(() => held.lost.aborted, 'the loss');

    expect(clock.monotonic()).toBeLessThanOrEqual(35_000);
    expect(held.lost.reason).toMatchObject({ message: 'lease lockstep-leader-election was lost' });
  });

  it.each([
    ['keeps the lease while another process of the same name renews it at the same moment', 'group', false],
    ['loses the lease when whoever gets ahead has another name', 'stranger', true],
  ])('%s', async (_name, winner, isLost) => {
    const held = await acquireLease(options('group'), never);
    let renewals = 0;
    api.fault = ({ method }) => {
      if (method !== 'PUT') return false;
      const { metadata, ...lease } = api.get('leases', 'flux-system', 'lockstep-leader-election') as unknown as Lease;
      const { resourceVersion: _seen, ...named } = metadata;
      const renewTime = `2026-01-01T00:01:00.${String(renewals++).padStart(6, '0')}Z`;
      api.put(leases, { ...lease, metadata: named, spec: { ...lease.spec, holderIdentity: winner, renewTime } });
      return false;
    };

    await passUntil(() => renewals > 7 || held.lost.aborted);
    await pass(31);

    expect(held.lost.aborted).toBe(isLost);
    await held.release();
  });

  it('stops waiting when it is told to', async () => {
    foreign('lockstep-leader-election', 'other');
    const abort = new AbortController();
    const acquired = acquireLease(options('a'), abort.signal);
    await eventually(() => clock.pending > 0, 'the wait');

    abort.abort(new Error('stop'));

    await expect(acquired).rejects.toThrow('stop');
  });
});

describe('becomeLeader', () => {
  it('holds its own lease and those of the controllers it stands in for', async () => {
    foreign('kustomize-controller-leader-election', 'flux-pod');
    const states: (string | undefined)[] = [];
    const leading = becomeLeader(
      {
        client,
        clock,
        random: () => 0,
        log: silentLog,
        namespace: 'flux-system',
        identity: 'a',
        leases: ['lockstep-leader-election', ...foreignLeases],
        onState: (state) => states.push(state),
      },
      never,
    );
    await eventually(() => states.length > 0, 'the wait');
    expect(states).toEqual(['lease flux-system/kustomize-controller-leader-election is held by flux-pod']);

    await passUntil(() => states.at(-1) === undefined);
    const leader = await leading;

    expect(states.at(-1)).toBeUndefined();
    for (const name of ['lockstep-leader-election', ...foreignLeases])
      expect(spec(name)).toMatchObject({ holderIdentity: 'a' });
    await leader.release();
    for (const name of foreignLeases) expect(spec(name)).toMatchObject({ holderIdentity: '' });
    expect(leader.lost.aborted).toBe(false);
  });

  it('gives back what it took when it stops waiting', async () => {
    foreign('b', 'other');
    const abort = new AbortController();
    const names = { namespace: 'flux-system', identity: 'me', leases: ['a', 'b'] };
    const leading = becomeLeader({ client, clock, random: () => 0, log: silentLog, ...names }, abort.signal);
    await eventually(() => api.calls.length === 3 && clock.pending === 2, 'the wait for b');

    abort.abort(new Error('stop'));

    await expect(leading).rejects.toThrow('stop');
    expect(spec('a')).toMatchObject({ holderIdentity: '' });
  });
});

describe('createShard', () => {
  it('names leases by the hash of the selector', () => {
    expect(createShard(undefined).leaseName('source-controller')).toBe('source-controller-leader-election');
    expect(createShard('').labelSelector).toBeUndefined();
    expect(createShard('sharding.fluxcd.io/key=shard1').leaseName('source-controller')).toMatch(
      /^source-controller-leader-election-[0-9a-f]{8}$/,
    );
  });
});
