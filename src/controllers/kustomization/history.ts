// Owns status.history: at most five entries by digest and outcome, newest first (flux.md §4.13).
import type { HistoryEntry } from '../../api/kustomize/kustomization.ts';
import { formatTime } from '../../lib/time.ts';

const LENGTH = 5;

export interface HistoryRecord {
  readonly revision: string;
  readonly originRevision: string | undefined;
  readonly digest: string;
  readonly outcome: string;
  readonly took: string;
  readonly nowMs: number;
  /** False for a pass that found everything in place: then a known entry stays as it is. */
  readonly didWork: boolean;
}

/** The history with a pass added: a known digest and outcome is counted up and moves to the front. */
export function recordHistory(
  history: readonly HistoryEntry[] | undefined,
  record: HistoryRecord,
): readonly HistoryEntry[] {
  const entries = history ?? [];
  const known = entries.find(
    (entry) => entry.digest === record.digest && entry.lastReconciledStatus === record.outcome,
  );
  if (known !== undefined && known === entries[0] && !record.didWork) return entries;
  const time = formatTime(record.nowMs);
  const next: HistoryEntry = {
    digest: record.digest,
    firstReconciled: known?.firstReconciled ?? time,
    lastReconciled: time,
    lastReconciledDuration: record.took,
    lastReconciledStatus: record.outcome,
    totalReconciliations: (known?.totalReconciliations ?? 0) + 1,
    metadata: revisionMetadata(known?.metadata, record.revision, record.originRevision),
  };
  return [next, ...entries.filter((entry) => entry !== known)].slice(0, LENGTH);
}

/** The history after a revision that changed nothing: the newest entry now names it. */
export function moveHistory(
  history: readonly HistoryEntry[] | undefined,
  revision: string,
  originRevision: string | undefined,
): readonly HistoryEntry[] {
  const [newest, ...rest] = history ?? [];
  if (newest === undefined) return [];
  return [{ ...newest, metadata: revisionMetadata(newest.metadata, revision, originRevision) }, ...rest];
}

function revisionMetadata(
  old: Readonly<Record<string, string>> | undefined,
  revision: string,
  originRevision: string | undefined,
): Readonly<Record<string, string>> {
  const { originRevision: _old, ...rest } = old ?? {};
  return { ...rest, revision, ...(originRevision === undefined ? {} : { originRevision }) };
}
