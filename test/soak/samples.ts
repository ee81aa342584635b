// Owns what is measured of a soaked process between two rounds, and the verdict on all of it.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What the process itself says (probe.mjs). */
export interface Held {
  /** Heap and external memory after garbage collection. */
  readonly bytes: number;
  /** What keeps the event loop alive, by kind. */
  readonly resources: Readonly<Record<string, number>>;
}

/** One measurement at rest. */
export interface Sample {
  readonly atMs: number;
  readonly heldBytes: number;
  readonly residentBytes: number;
  /** What must be as few at the end as it was after the warm-up: descriptors by kind, threads, watches, handles. */
  readonly counts: Readonly<Record<string, number>>;
  readonly disk: Disk;
}

/** What a folder holds. */
export interface Disk {
  readonly bytes: number;
  readonly files: number;
}

/** Looks at a process from outside. @param stateDir its folder */
export function measure(pid: number, stateDir: string, held: Held, watches: number): Omit<Sample, 'atMs'> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  const counts: Record<string, number> = { threads: field('Threads'), watches };
  const add = (name: string, by: number) => {
    counts[name] = (counts[name] ?? 0) + by;
  };
  for (const kind of descriptorsOf(pid)) add(`descriptors: ${kind}`, 1);
  for (const [kind, count] of Object.entries(held.resources)) add(`handles: ${kind}`, count);
  const disk = sizeOf(stateDir);
  return { heldBytes: held.bytes, residentBytes: field('VmRSS') * 1024, counts, disk };
}

/** `socket`, `pipe`, `anon_inode`, or `file`, one for each open descriptor. */
function descriptorsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return /^(socket|pipe|anon_inode):/.exec(readlinkSync(join(folder, name)))?.[1] ?? 'file';
    } catch {
      // It was closed meanwhile.
      return [];
    }
  });
}

/** Files below a folder, and their bytes. */
export function sizeOf(folder: string): Disk {
  let bytes = 0;
  let files = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const found = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    if (found === undefined) continue;
    bytes += found.size;
    files += 1;
  }
  return { bytes, files };
}

/**
 * Growth over the time of the samples, as a part of their median: the median of the slopes between all pairs (Theil and
 * Sen). A few samples that are far off, by a pass that was under way or a collection that came late, do not move it, as
 * they would move a comparison of the last sample with the first.
 */
export function growthOf(points: readonly { readonly atMs: number; readonly value: number }[]): number {
  const slopes = points.flatMap((from, at) =>
    points.slice(at + 1).map((to) => (to.value - from.value) / (to.atMs - from.atMs)),
  );
  const span = points.at(-1)!.atMs - points[0]!.atMs;
  return (medianOf(slopes) * span) / medianOf(points.map(({ value }) => value));
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** What a verdict is made of. */
export interface Measurements {
  /** At rest, while memory and caches fill. */
  readonly warmUp: readonly Sample[];
  /** The most that was on the disk by the end of the warm-up. */
  readonly fullest: Disk;
  /** At rest, after that. */
  readonly steady: readonly Sample[];
  /** At rest, after everything. */
  readonly last: Sample;
}

/** Of memory after collection, and of disk. */
const MOST_GROWTH = 0.05;
/**
 * Of resident memory, which holds the worker threads too. Pages that the allocator keeps come and go by more than a
 * leak's first minutes, so that this bound is there for what the heap of the main thread does not show.
 */
const MOST_RESIDENT_GROWTH = 0.25;
/** Connections that are kept alive for a while: one of them may have been opened by the last look. */
const SPARE: Readonly<Record<string, number>> = { 'descriptors: socket': 2, 'handles: TCPSocketWrap': 2 };
/** Kinds of handles that only say what is going on at the moment. */
const FLEETING = /Timeout|Immediate|Req|TickObject/;

/** How the measures grew: name, growth as a part of the whole, the bound. */
export function growths({ steady }: Measurements): readonly { name: string; growth: number; bound: number }[] {
  const of = (pick: (sample: Sample) => number) =>
    growthOf(steady.map((one) => ({ atMs: one.atMs, value: pick(one) })));
  return [
    { name: 'memory after collection', growth: of(({ heldBytes }) => heldBytes), bound: MOST_GROWTH },
    { name: 'resident memory', growth: of(({ residentBytes }) => residentBytes), bound: MOST_RESIDENT_GROWTH },
  ];
}

/** What is more at the end than it was in the warm-up: at rest, and for the disk at any time. */
export function leftOver({ warmUp, fullest, last }: Omit<Measurements, 'steady'>): readonly string[] {
  const counts = Object.entries(last.counts)
    .filter(([name]) => !FLEETING.test(name))
    .map(([name, count]) => ({ name, count, most: Math.max(0, ...warmUp.map((one) => one.counts[name] ?? 0)) }))
    .filter(({ name, count, most }) => count > most + (SPARE[name] ?? 0))
    .map(({ name, count, most }) => `${name}: ${count}, and ${most} after the warm-up`);
  const { files, bytes } = last.disk;
  const disk =
    files > fullest.files || bytes > fullest.bytes * (1 + MOST_GROWTH)
      ? [`disk: ${files} files of ${bytes} bytes, and ${fullest.files} of ${fullest.bytes} in the warm-up`]
      : [];
  return [...counts, ...disk];
}
