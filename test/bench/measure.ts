// Owns what the benches of rendering share: CPU time of this process and of binaries, and the table that is printed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Time by the wall (median and longest) and CPU time of one run, in ms. */
export interface Cost {
  readonly wallMs: number;
  readonly maxMs: number;
  readonly cpuMs: number;
}

/** The cost of running something in this process, which is warm by then. */
export function measureHere(rounds: number, run: () => unknown): Cost {
  for (let round = 0; round < Math.min(rounds, 30); round++) run();
  const walls: number[] = [];
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    run();
    walls.push(performance.now() - start);
  }
  const used = process.cpuUsage(before);
  walls.sort((a, b) => a - b);
  return {
    wallMs: walls[walls.length >> 1]!,
    maxMs: walls.at(-1)!,
    cpuMs: (used.user + used.system) / 1000 / rounds,
  };
}

/** The cost of a binary, and what it printed. Throws what it said when it fails. */
export function measureBinary(
  binary: string,
  args: readonly string[],
  rounds: number,
): Cost & { readonly text: string } {
  const walls: number[] = [];
  let text = '';
  const before = childCpuMs();
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const run = spawnSync(binary, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    walls.push(performance.now() - start);
    if (run.status !== 0) throw new Error(run.stderr);
    text = run.stdout;
  }
  const cpuMs = (childCpuMs() - before) / rounds;
  walls.sort((a, b) => a - b);
  return { wallMs: walls[walls.length >> 1]!, maxMs: walls.at(-1)!, cpuMs, text };
}

/** CPU time of the ended children of this process, from the kernel's accounts (in its ticks of 10 ms). */
function childCpuMs(): number {
  if (!existsSync('/proc/self/stat')) return Number.NaN;
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** A figure with what was asked of it, `2.10 (≤ 3)`; `!` where it is missed. */
export function beside(
  value: number,
  asked: { readonly most: number } | { readonly least: number } | undefined,
): string {
  const text = value.toFixed(value < 10 ? 2 : 0);
  if (asked === undefined) return text;
  const isMet = 'most' in asked ? value <= asked.most : value >= asked.least;
  return `${text} (${'most' in asked ? `≤ ${asked.most}` : `≥ ${asked.least}`})${isMet ? '' : ' !'}`;
}

/** Prints rows of equal length, the first of them heads. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    console.log(row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]! + 2))).join(''));
  }
}
