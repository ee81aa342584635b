// A client for tests: the real one, on the machine's clock, against a given server.
import { DynamicClient } from '../../src/cluster/client.ts';
import { Discovery } from '../../src/cluster/discovery.ts';
import { RestClient, type RestOptions } from '../../src/cluster/rest.ts';
import { systemClock } from '../../src/runtime/clock.ts';

/** A client without credentials. Close its `rest` after the test. */
export function createTestClient(server: string, options: Partial<RestOptions> = {}): DynamicClient {
  const clock = options.clock ?? systemClock;
  const rest = new RestClient({ server, tls: {} }, { clock, userAgent: 'lockstep/test', random: () => 0, ...options });
  return new DynamicClient(rest, new Discovery(rest, { clock }));
}

/** Long: it costs only a test that fails, and a busy machine is slow. Below the timeout of unit tests. */
const DEADLINE_MS = 15_000;

/** Resolves as soon as `done` holds; rejects after a deadline that only a broken test reaches. */
export async function eventually(done: () => boolean | Promise<boolean>, what = 'the expected state'): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
