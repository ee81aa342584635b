// Who may still take an object over, and how long that is waited for (lockstep.md §6).
import { describe, expect, it } from 'vitest';
import type { Kustomization } from '../../../../src/api/kustomize/kustomization.ts';
import { Conflicts } from '../../../../src/controllers/kustomization/conflicts.ts';
import { Moves, objectIdsOf, sourceKeyOf, undecided } from '../../../../src/controllers/kustomization/moves.ts';
import { FakeClock } from '../../../support/clock.ts';

const entry = { id: 'ns_cm__ConfigMap', v: 'v1' };

function kustomization(name: string, change: object = {}, status: object = {}): Kustomization {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'ns' },
    spec: { interval: '1m', prune: true, sourceRef: { kind: 'GitRepository', name: 'src' }, ...change },
    status,
  };
}

describe('undecided', () => {
  it.each([
    ['one that never ran', kustomization('a'), true],
    ['one at an older revision', kustomization('a', {}, { lastAttemptedRevision: 'main@sha1:1' }), true],
    ['one that has tried the revision', kustomization('a', {}, { lastAttemptedRevision: 'main@sha1:2' }), false],
    ['a suspended one', kustomization('a', { suspend: true }), false],
    ['a stalled one', kustomization('a', {}, { conditions: [{ type: 'Stalled', status: 'True' }] }), false],
    [
      'one that is about to go',
      { ...kustomization('a'), metadata: { name: 'a', namespace: 'ns', deletionTimestamp: 't' } },
      false,
    ],
  ])('is %s: %s', (_name, object, want) => {
    expect(undecided([object], 'main@sha1:2')).toHaveLength(want ? 1 : 0);
  });
});

describe('Moves', () => {
  function createMoves() {
    const clock = new FakeClock();
    const woken: string[] = [];
    const moves = new Moves({ clock, enqueue: (key, trigger) => woken.push(`${key} ${trigger}`) });
    const source = sourceKeyOf(kustomization('a')) as string;
    moves.set('ns/a', { source, entries: [entry], deadlineMs: clock.monotonic() + 30_000 });
    return { clock, woken, moves };
  }

  it('wakes those that wait when another of the source changes, not for itself or other sources', () => {
    const { woken, moves } = createMoves();

    moves.seen(kustomization('a'));
    moves.seen(kustomization('b', { sourceRef: { kind: 'GitRepository', name: 'elsewhere' } }));
    moves.seen(kustomization('c', { sourceRef: { kind: 'GitRepository', name: 'src', namespace: 'ns' } }));

    expect(woken).toEqual(['ns/a move']);
  });

  it('looks at once and then with all that change within a moment', async () => {
    const { clock, woken, moves } = createMoves();

    for (let index = 0; index < 100; index += 1) moves.seen(kustomization(`b-${index}`));
    expect(woken).toEqual(['ns/a move']);
    await clock.advance(500);
    expect(woken).toEqual(['ns/a move', 'ns/a move']);

    await clock.advance(500);
    moves.seen(kustomization('c'));
    expect(woken).toHaveLength(3);
    moves.seen(kustomization('d'));
    moves.set('ns/a', undefined);
    await clock.advance(60_000);
    expect(woken).toHaveLength(3);
  });

  it('wakes them at the deadline, once, and not after they were done', async () => {
    const { clock, woken, moves } = createMoves();
    await clock.advance(29_000);
    expect(woken).toEqual([]);
    await clock.advance(2_000);
    expect(woken).toEqual(['ns/a moves are over']);

    const { clock: other, woken: none, moves: done } = createMoves();
    done.set('ns/a', undefined);
    await other.advance(60_000);
    expect(none).toEqual([]);
    expect(done.of('ns/a')).toBeUndefined();
    expect([moves.isLeaving('ns/a', entry.id), done.isLeaving('ns/a', entry.id)]).toEqual([true, false]);
  });
});

describe('Conflicts', () => {
  it('wakes who wants an object once its owner does not have it any more', () => {
    const woken: string[] = [];
    const conflicts = new Conflicts((key, trigger) => woken.push(`${key} ${trigger}`));
    const [id] = objectIdsOf([entry]) as [string];
    conflicts.set('ns/b', [{ id, owner: 'ns/a' }]);
    expect(woken.splice(0)).toEqual(['ns/a conflict']);

    conflicts.seen(kustomization('a', {}, { inventory: { entries: [entry] } }), true);
    expect(woken).toEqual([]);
    conflicts.seen(kustomization('a', {}, { inventory: { entries: [] } }), true);
    conflicts.seen(kustomization('a', {}, { inventory: { entries: [entry] } }), false);
    conflicts.release('ns/a', [id]);
    conflicts.release('ns/a', ['ConfigMap/ns/other']);

    expect(woken).toEqual(['ns/b handed over', 'ns/b handed over', 'ns/b handed over']);
  });
});
