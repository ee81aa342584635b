// Loaded into the measured process (--import): answers each message with the event-loop delay since the last one, in ms.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const histogram = monitorEventLoopDelay({ resolution: 5 });
histogram.enable();
process.on('message', () => {
  process.send?.({ p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6 });
  histogram.reset();
});
process.channel?.unref();
