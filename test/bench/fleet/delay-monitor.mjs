// Loaded into the measured process (--import): measures the event-loop delay from the message `start` to the message
// `stop`, which it answers, in ms. Between them it wakes the process many times a second, so idle phases go without.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const histogram = monitorEventLoopDelay({ resolution: 10 });
process.on('message', (message) => {
  if (message === 'start') {
    histogram.reset();
    histogram.enable();
    return;
  }
  histogram.disable();
  process.send?.({ p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6 });
});
process.channel?.unref();
