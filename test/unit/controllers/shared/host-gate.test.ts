// Waits for remote hosts: bounded for each host and in all, fair among hosts, and none holds up another host.
import { describe, expect, it } from 'vitest';
import { HostGate, type HostGateOptions, waitRemotely } from '../../../../src/controllers/shared/host-gate.ts';
import { FakeClock } from '../../../support/clock.ts';

const never = new AbortController().signal;

/** A gate, and the waits that are under way in the order in which they began. */
function createGate(options: Partial<HostGateOptions> = {}) {
  const clock = new FakeClock();
  const gate = new HostGate({ clock, perHost: 2, slowAfterMs: 1_000, ...options });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const enter = (name: string, signal = never, continues = false): Promise<void> => {
    const entered = gate.enter({ host: name.split('/', 1)[0]!, signal, continues }, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    });
    entered.catch(() => {});
    return entered;
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)!();
    await settle();
  };
  return { clock, begun, enter, end };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe('waiting for a source', () => {
  it.each([
    ['https://a.example/x.git', 'https://b.example/x.git'],
    ['ssh://git@a.example:22/x', 'ssh://git@b.example:22/x'],
    ['oci://a.example/app', 'oci://b.example/app'],
    ['a.example:9000', 'b.example:9000'],
    ['10.0.0.1:9000', '10.0.0.2:9000'],
  ])('tells the host of %s from that of %s', async (one, other) => {
    const hosts = new HostGate({ clock: new FakeClock(), perHost: 1 });
    const pass = { signal: never, aside: <T>(wait: () => Promise<T>) => wait() };
    const hanging = waitRemotely({ url: one }, { hosts }, pass, () => new Promise<never>(() => {}));
    hanging.catch(() => {});

    await expect(waitRemotely({ url: other }, { hosts }, pass, async () => 'answered')).resolves.toBe('answered');
  });
});

describe('HostGate', () => {
  it('lets so many begin for one host, and the next when one ends', async () => {
    const { begun, enter, end } = createGate();
    for (const name of ['a/1', 'a/2', 'a/3', 'a/4']) void enter(name);
    await settle();
    expect(begun).toEqual(['a/1', 'a/2']);

    await end('a/2');

    expect(begun).toEqual(['a/1', 'a/2', 'a/3']);
  });

  it('keeps no host waiting for another one', async () => {
    const { begun, enter } = createGate();
    for (const name of ['a/1', 'a/2', 'a/3', 'b/1']) void enter(name);
    await settle();

    expect(begun).toEqual(['a/1', 'a/2', 'b/1']);
  });

  it('gives the place of what takes long to the next one of the host', async () => {
    const { clock, begun, enter, end } = createGate();
    for (const name of ['a/1', 'a/2', 'a/3', 'a/4', 'a/5']) void enter(name);
    await settle();

    await clock.advance(1_000);
    await settle();
    expect(begun).toEqual(['a/1', 'a/2', 'a/3', 'a/4']);

    // A long one had no place any more.
    await end('a/1');
    expect(begun).toHaveLength(4);
  });

  it('bounds what takes long, for each host', async () => {
    const { clock, begun, enter, end } = createGate({ mostPerHost: 3 });
    for (const name of ['a/1', 'a/2', 'a/3', 'a/4', 'b/1']) void enter(name);

    await clock.advance(1_000);
    await settle();
    expect(begun).toEqual(['a/1', 'a/2', 'b/1', 'a/3']);

    await end('a/1');
    expect(begun).toEqual(['a/1', 'a/2', 'b/1', 'a/3', 'a/4']);
  });

  it('bounds all hosts together, and serves them in turn', async () => {
    const { begun, enter, end } = createGate({ total: 2 });
    for (const name of ['a/1', 'a/2', 'a/3', 'b/1', 'a/4']) void enter(name);
    await settle();
    expect(begun).toEqual(['a/1', 'a/2']);

    await end('a/1');
    await end('a/2');

    expect(begun).toEqual(['a/1', 'a/2', 'a/3', 'b/1']);
  });

  it('serves what goes on before what begins', async () => {
    const { begun, enter, end } = createGate({ perHost: 1 });
    void enter('a/1');
    void enter('a/2');
    void enter('a/1 further', never, true);
    await settle();

    await end('a/1');
    await end('a/1 further');

    expect(begun).toEqual(['a/1', 'a/1 further', 'a/2']);
  });

  it('drops what is aborted before it began, and nothing of what began', async () => {
    const { begun, enter, end } = createGate({ perHost: 1 });
    const abort = new AbortController();
    void enter('a/1');
    const second = enter('a/2', abort.signal);
    void enter('a/3');
    await settle();

    abort.abort(new Error('superseded'));

    await expect(second).rejects.toThrow('superseded');
    await end('a/1');
    expect(begun).toEqual(['a/1', 'a/3']);
    await expect(enter('a/4', abort.signal)).rejects.toThrow('superseded');
  });

  it('frees the place of what fails', async () => {
    const { clock } = createGate();
    const gate = new HostGate({ clock, perHost: 1 });

    await expect(gate.enter({ host: 'a', signal: never }, () => Promise.reject(new Error('refused')))).rejects.toThrow(
      'refused',
    );

    await expect(gate.enter({ host: 'a', signal: never }, async () => 'next')).resolves.toBe('next');
  });
});
