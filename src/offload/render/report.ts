// Owns what is told of each render, and the words for one that its thread did not survive.
import { formatDurationMs } from '../../lib/duration.ts';
import { TaskError } from '../pool.ts';

/** Where a render ran, and how it ended. */
export interface RenderReport {
  readonly engine: 'kustomize' | 'helm';
  readonly place: 'loop' | 'worker';
  /** `cut`: by its deadline, by its memory, or by a crash. */
  readonly outcome: 'done' | 'failed' | 'cut';
}

/** Gets every report. */
export type Report = (render: RenderReport) => void;

/** Runs a render and tells how it ended. */
export async function reported<Answer>(
  report: Report,
  what: Pick<RenderReport, 'engine' | 'place'>,
  run: () => Promise<Answer>,
): Promise<Answer> {
  try {
    const answer = await run();
    report({ ...what, outcome: 'done' });
    return answer;
  } catch (error) {
    report({ ...what, outcome: error instanceof Error && error.cause instanceof TaskError ? 'cut' : 'failed' });
    throw error;
  }
}

/** What happened to a render that its thread did not survive, and what to do. */
export function describeCut({ code, message }: TaskError, timeoutMs: number, heapMb: number): string {
  switch (code) {
    case 'TaskTimeout':
      return `not finished after ${formatDurationMs(timeoutMs)}: raise spec.timeout or split it up`;
    case 'TaskOutOfMemory':
      return `it needs more than the ${heapMb} MiB of memory that a render may have: split it up`;
    case 'TaskCrashed':
      return message;
    default:
      return code satisfies never;
  }
}
