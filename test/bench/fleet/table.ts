// Owns what the fleet benchmark tells: rows, and each beside what it must reach. It measures nothing.
import type { EventLoopDelay } from './reconcilers.ts';

/** One measured scenario. Seconds, MiB, milliseconds. */
export interface Row {
  readonly reconciler: string;
  readonly scenario: string;
  readonly wall: number;
  /** Wall time against that of the bare client, for scenarios that apply everything. */
  readonly ofFloor?: number;
  /** By process. */
  readonly cpu: Readonly<Record<string, number>>;
  /** CPU seconds of the control plane, by process. */
  readonly plane: Readonly<Record<string, number>>;
  /** Begin and end on the monotonic clock, in µs, as CPU profiles count. */
  readonly span: readonly [number, number];
  /** Requests to the API server by method. */
  readonly requests: Readonly<Record<string, number>>;
  readonly bytes?: { readonly read: number; readonly written: number };
  readonly memory?: { readonly now: number; readonly peak: number };
  readonly delay?: EventLoopDelay;
}

export interface Fleet {
  readonly apps: number;
  readonly objects: number;
}

/** A figure, and the most that it may be. */
export interface Check {
  readonly reconciler: string;
  readonly what: string;
  readonly most: number;
  readonly measured: number;
}

/** Scenarios in which every object is written. */
const WRITES_ALL: ReadonlySet<string> = new Set(['cold', 'push-all']);

export function isWholeApply(scenario: string): boolean {
  return WRITES_ALL.has(scenario);
}

/** One line of the table. */
export function formatRow(row: Row): string {
  const cpu = Object.entries(row.cpu).map(([name, seconds]) => `${name} ${seconds.toFixed(2)}`);
  const requests = Object.entries(row.requests).map(([method, count]) => `${method} ${count}`);
  const cells = [
    row.reconciler.padEnd(12),
    row.scenario.padEnd(16),
    `${row.wall.toFixed(2)} s`.padStart(9),
    row.ofFloor === undefined ? '' : `${row.ofFloor.toFixed(2)} × floor`,
    `${cpu.join(', ')} CPU-s (${((100 * totalCpu(row)) / row.wall).toFixed(1)} % of a core)`,
    `control plane ${sumOf(row.plane).toFixed(1)}`,
    requests.join(' ') || 'no requests',
    row.bytes === undefined ? '' : `read ${row.bytes.read.toFixed(1)}, wrote ${row.bytes.written.toFixed(1)} MiB`,
    row.memory === undefined ? '' : `${row.memory.now.toFixed(0)} MiB, peak ${row.memory.peak.toFixed(0)}`,
    row.delay === undefined ? '' : `delay p99 ${row.delay.p99.toFixed(0)}, max ${row.delay.max.toFixed(0)} ms`,
  ];
  return cells.filter((cell) => cell !== '').join(' | ');
}

export function formatCheck({ reconciler, what, most, measured }: Check): string {
  const verdict = measured <= most ? 'reached' : `missed, ${(measured / most).toFixed(2)} ×`;
  const number = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));
  return `${reconciler.padEnd(12)} | ${what.padEnd(32)} | ${number(measured).padStart(9)} | at most ${number(most).padStart(7)} | ${verdict}`;
}

/** What the project asks of itself, for rows of one reconciler. CPU is asked of 100 applications, and grows with them. */
export function checksOf(rows: readonly Row[], floor: number, { apps, objects }: Fleet): Check[] {
  const share = Math.max(1, apps / 100);
  const slack = apps >= 1000 ? 10 : 3;
  const checks: Check[] = [];
  for (const row of rows) {
    const { reconciler, scenario } = row;
    const check = (what: string, most: number, measured: number) =>
      checks.push({ reconciler, what: `${scenario}: ${what}`, most, measured });
    const cpu = totalCpu(row);
    if (isWholeApply(scenario)) {
      check('wall, s', 1.5 * floor + slack, row.wall);
      check('CPU-s', 4 * share, cpu);
    }
    if (scenario === 'noop-tick') {
      check('requests', 0, totalRequests(row));
      check('CPU-s', 0.1 * share, cpu);
    }
    if (scenario === 'noop-request') {
      // A dry-run of each object, and one status write of each application.
      check('PATCH', apps * (objects + 1), row.requests['PATCH'] ?? 0);
      check('CPU-s', 2 * share, cpu);
    }
    if (scenario === 'push-one') check('wall, s', 0.3, row.wall);
    if (scenario === 'drift-burst') check('wall, s', 3 * share, row.wall);
    if (scenario === 'idle') check('% of a core', 2, (100 * cpu) / row.wall);
  }
  const peak = Math.max(...rows.map(({ memory }) => memory?.peak ?? 0));
  const reconciler = rows[0]?.reconciler ?? '';
  checks.push({ reconciler, what: 'memory: peak, MiB', most: apps >= 1000 ? 500 : 200, measured: peak });
  return checks;
}

function totalCpu(row: Row): number {
  return sumOf(row.cpu);
}

function totalRequests(row: Row): number {
  return sumOf(row.requests);
}

function sumOf(figures: Readonly<Record<string, number>>): number {
  return Object.values(figures).reduce((all, figure) => all + figure, 0);
}
