// News that arrives while a pass is under way, or for something that the pass does not look at: none of it is lost.
import { describe, expect, it } from 'vitest';
import type { Kustomization } from '../../../../src/api/kustomize/kustomization.ts';
import { kustomizationController } from '../../../../src/controllers/kustomization/index.ts';
import { endsHold, type KustomizationMemory, liftHolds } from '../../../../src/controllers/kustomization/ports.ts';
import type { Hold } from '../../../../src/controllers/kustomization/types.ts';
import { noMask } from '../../../../src/objects/redact.ts';
import type { Lookup } from '../../../../src/runtime/controller.ts';
import { noLaterThan } from '../../../../src/runtime/requeue.ts';

const hold: Hold = { revision: 'main@sha1:a', generation: 1, inputs: '', step: 'apply', untilMs: 1, missesKind: false };
const known = (change: Partial<KustomizationMemory> = {}): KustomizationMemory => ({
  applied: undefined,
  guard: new Map(),
  mask: noMask,
  hold: undefined,
  attempt: undefined,
  compared: undefined,
  ...change,
});

describe('a change of definitions', () => {
  it('wakes a pass that is under way, whose failure is not held then', () => {
    const running = known({ attempt: { definitions: 'same' } });

    expect(liftHolds(new Map([['ns/app', running]]), true)).toEqual(['ns/app']);
    expect(liftHolds(new Map([['ns/app', running]]), false)).toEqual(['ns/app']);

    expect(running.attempt?.definitions).toBe('new');
    expect(endsHold(hold, 'new')).toBe(true);
  });

  it.each([
    ['a hold for a missing kind', { ...hold, missesKind: true }, false, ['ns/app']],
    ['any hold of an apply when it is new', hold, true, ['ns/app']],
    ['no other hold when it is not', hold, false, []],
    ['no hold of a build', { ...hold, step: 'build' as const }, true, []],
  ])('ends %s', (_name, given, isNew, woken) => {
    const memory = known({ hold: given });

    expect(liftHolds(new Map([['ns/app', memory]]), isNew)).toEqual(woken);

    expect(memory.hold === undefined).toBe(woken.length > 0);
  });

  it('leaves a failure held that nothing happened to', () => {
    expect(endsHold({ ...hold, missesKind: true }, 'same')).toBe(false);
  });
});

describe('a revision of a source', () => {
  it('wakes also those whose status says that they have tried it: another one may be under way since', () => {
    const app = {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'app', namespace: 'ns' },
      status: { lastAttemptedRevision: 'main@sha1:a' },
    } as Kustomization;
    const lookup: Lookup<Kustomization> = { byIndex: () => [app], get: () => app, list: () => [app] };
    const source = (revision: string) => ({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'src', namespace: 'ns' },
      status: { artifact: { revision } },
    });
    const watch = kustomizationController.watches?.find(({ trigger }) => trigger === 'source revision');

    const keys = watch?.keys({ type: 'update', object: source('main@sha1:a'), old: source('main@sha1:b') }, lookup);

    expect([...(keys ?? [])]).toEqual(['ns/app']);
  });
});

describe('drift of which a fight is slowed down', () => {
  it.each([
    [{ do: 'interval', ms: 300_000 } as const, { do: 'after', ms: 7_000 }],
    [{ do: 'after', ms: 5_000 } as const, { do: 'after', ms: 5_000 }],
    [{ do: 'none' } as const, { do: 'after', ms: 7_000 }],
    [{ do: 'wait', untilMs: 60_000, memory: 1 } as const, { do: 'wait', untilMs: 17_000, memory: 1 }],
    [{ do: 'wait', untilMs: 12_000, memory: 1 } as const, { do: 'wait', untilMs: 12_000, memory: 1 }],
    [{ do: 'now' } as const, { do: 'now' }],
    [{ do: 'backoff' } as const, { do: 'backoff' }],
  ])('brings the key back in its time after %j', (requeue, wanted) => {
    expect(noLaterThan(7_000, requeue, 10_000)).toEqual(wanted);
  });
});
