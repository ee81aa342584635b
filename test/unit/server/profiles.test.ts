// Profiles over HTTP: only when asked for, only from this machine, one at a time; what they hold opens as V8's own.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/lib/clock.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { startHttpServer } from '../../../src/server/http-server.ts';
import { type ProfilesOptions, profileRoutes } from '../../../src/server/profiles.ts';

/** Sleeps are over at once; what they were is kept. */
function eagerClock(slept: number[] = []): Clock {
  return { ...systemClock, sleep: async (ms) => void slept.push(ms) };
}

async function get(
  path: string,
  options: Partial<ProfilesOptions> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const routes = [profileRoutes({ clock: eagerClock(), isOn: true, ...options })];
  const server = await startHttpServer({ port: 0, routes });
  try {
    const answer = await fetch(`${server.url}${path}`);
    return { status: answer.status, text: await answer.text() };
  } finally {
    await server.close();
  }
}

/** What a caller from elsewhere is answered. */
async function statusFor(remoteAddress: string): Promise<number> {
  let status = 0;
  const response = { writeHead: (code: number) => (status = code), end: () => {} } as unknown as ServerResponse;
  const request = { url: '/debug/pprof/', socket: { remoteAddress } } as unknown as IncomingMessage;
  await profileRoutes({ clock: systemClock, isOn: true })(request, response, '/debug/pprof/');
  return status;
}

describe('profiles', () => {
  it('name the flag that turns them on', async () => {
    const answer = await get('/debug/pprof/profile', { isOn: false });

    expect(answer).toEqual({ status: 404, text: 'profiles are off: start lockstep run with --profiling\n' });
  });

  it('of CPU time last as long as is asked for', async () => {
    const slept: number[] = [];

    const answer = await get('/debug/pprof/profile?seconds=2', { clock: eagerClock(slept) });

    expect(answer.status).toBe(200);
    expect(Object.keys(JSON.parse(answer.text))).toEqual(
      expect.arrayContaining(['nodes', 'samples', 'startTime', 'endTime']),
    );
    expect(slept).toEqual([2_000]);
  });

  it('of allocations tell where, not what', async () => {
    const answer = await get('/debug/pprof/allocs');

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toHaveProperty('head.callFrame');
  });

  it.each([
    ['/debug/pprof', 200, /profile\?seconds=/],
    ['/debug/pprof/', 200, /allocs/],
    ['/debug/pprof/heap', 404, /hold Secrets/],
    ['/debug/pprof/goroutine', 404, /lists what there is/],
    ['/debug/pprof/profile?seconds=0', 400, /between 1 and 300/],
    ['/debug/pprof/profile?seconds=many', 400, /between 1 and 300/],
    ['/debug/other', 404, /not found/],
  ])('%s answers %i', async (path, status, text) => {
    const answer = await get(path);

    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(text);
  });

  it.each([
    ['127.0.0.1', 200],
    ['::1', 200],
    ['::ffff:127.0.0.1', 200],
    ['10.0.0.7', 403],
    ['::ffff:10.0.0.7', 403],
    ['', 403],
  ])('asked for from %s answer %i', async (address, status) => {
    expect(await statusFor(address)).toBe(status);
  });

  it('are taken one at a time', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const asleep = Promise.withResolvers<void>();
    const clock: Clock = {
      ...systemClock,
      sleep: () => {
        asleep.resolve();
        return promise;
      },
    };
    const server = await startHttpServer({ port: 0, routes: [profileRoutes({ clock, isOn: true })] });
    try {
      const first = fetch(`${server.url}/debug/pprof/allocs`);
      await asleep.promise;

      const second = await fetch(`${server.url}/debug/pprof/allocs`);
      resolve();

      expect(second.status).toBe(409);
      expect((await first).status).toBe(200);
    } finally {
      await server.close();
    }
  });
});
