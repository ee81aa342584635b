// Loaded into the soaked process (--import, with --expose-gc): answers each message with what is held after garbage
// collection, and with what keeps the event loop alive, by kind.
import { setImmediate as turn } from 'node:timers/promises';

process.on('message', async () => {
  // What finalizers let go of is collected by the second one.
  for (let times = 0; times < 2; times += 1) {
    globalThis.gc();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  process.send?.({ bytes: heapUsed + external, resources });
});
process.channel?.unref();
