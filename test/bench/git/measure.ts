// Owns what one step of a Git client costs: wall, CPU, bytes on the wire, how long the event loop stood still, peak memory.
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** One line of the result; times in ms, peak in MiB. Undefined: not measured. */
export interface Row {
  readonly client: string;
  readonly step: string;
  readonly wall: number;
  readonly cpu: number;
  /** On the wire, both ways, headers included. */
  readonly bytes?: number;
  /** Longest time by the clock between two turns of the event loop: other processes on the machine count too. */
  readonly stall?: number;
  /** Longest turn by the CPU time of the thread: what this process itself held up. */
  readonly turn?: number;
  readonly peak?: number;
}

/** Every connection of this process, for counting bytes. */
const sockets: Socket[] = [];

/** Counts the bytes of all connections that are opened from now on. */
export function countSockets(): void {
  subscribe('net.client.socket', (message) => sockets.push((message as { socket: Socket }).socket));
}

/** Peak resident memory of a process, in MiB. What `getrusage` tells is no less than what its parent had when it forked. */
export function peakMemory(pid: number | 'self' = 'self'): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Runs a step so many times and measures it; the row has the mean of wall, CPU and bytes. */
export async function measured(client: string, step: string, run: () => unknown, times = 1): Promise<Row> {
  const moved = () => sockets.reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, 0);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const bytes = moved();
  const turns = watchTurns();
  delay.enable();
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let time = 0; time < times; time++) await run();
  const wall = performance.now() - start;
  const used = process.cpuUsage(cpu);
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  return {
    client,
    step,
    wall: wall / times,
    cpu: (used.user + used.system) / 1000 / times,
    bytes: Math.round((moved() - bytes) / times),
    stall: delay.max / 1e6,
    turn: turns.stop(),
    peak: peakMemory(),
  };
}

/** Looks once in every turn how much CPU this thread has used since the last. */
function watchTurns(): { stop(): number } {
  let longest = 0;
  let before = process.threadCpuUsage();
  const look = () => {
    const used = process.threadCpuUsage(before);
    longest = Math.max(longest, (used.user + used.system) / 1000);
    before = process.threadCpuUsage();
  };
  const timer = setInterval(look, 1);
  return {
    stop() {
      clearInterval(timer);
      look();
      return longest;
    },
  };
}
