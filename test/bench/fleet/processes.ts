// Owns what the kernel says of processes: CPU seconds, resident memory, bytes read and written.
import { readFileSync } from 'node:fs';

/** Ticks a second of /proc/<pid>/stat on Linux (USER_HZ, proc(5)). */
const TICKS = 100;
const MIB = 1024 * 1024;

/** User and system CPU seconds of a process so far. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces: fields are counted behind it, utime and stime are the 12th and 13th there.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident memory of a process in MiB: now, and the highest so far. */
export function residentMiB(pid: number): { readonly now: number; readonly peak: number } {
  const field = fieldsOf(`/proc/${pid}/status`);
  return { now: field('VmRSS') / 1024, peak: field('VmHWM') / 1024 };
}

/** MiB that a process has read and written so far by system calls, of sockets and files alike. */
export function transferredMiB(pid: number): { readonly read: number; readonly written: number } {
  const field = fieldsOf(`/proc/${pid}/io`);
  return { read: field('rchar') / MIB, written: field('wchar') / MIB };
}

function fieldsOf(file: string): (name: string) => number {
  const text = readFileSync(file, 'utf8');
  return (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
