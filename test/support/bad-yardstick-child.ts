// Owns a fixed piece of work in a process of its own: what it costs tells how fast a core of this machine is now.
import { reportOutcome } from './bad-input-report.ts';

const ROUNDS = 400;

let parts: readonly string[] = Array.from({ length: 2_000 }, (_, index) => `name-${index}: value`);
for (let round = 0; round < ROUNDS; round += 1) {
  parts = (JSON.parse(JSON.stringify(parts)) as string[]).toSorted().map((part) => part.replace(/\d+/, String(round)));
}

reportOutcome(parts.length);
