// Owns the reading of revisions in both of Flux's forms (flux.md §9).

/** `main/<hex>` and `<hex>` in the form of today, `main@sha1:<hex>` and `sha1:<hex>`; others as they are. */
export function normalizeRevision(revision: string): string {
  if (revision.includes(':')) return revision;
  const slash = revision.lastIndexOf('/');
  const hex = revision.slice(slash + 1);
  const algorithm = /^[0-9a-f]{40}$/.test(hex) ? 'sha1' : /^[0-9a-f]{64}$/.test(hex) ? 'sha256' : undefined;
  if (algorithm === undefined) return revision;
  const name = slash < 0 ? '' : revision.slice(0, slash);
  return name === '' || name === 'HEAD' ? `${algorithm}:${hex}` : `${name}@${algorithm}:${hex}`;
}

/** True when both name the same revision, whatever their form. */
export function sameRevision(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && normalizeRevision(a) === normalizeRevision(b);
}

/** The revision as lessons of 2022 show it, `main/<hex>`; for `--legacy-revisions`. */
export function toLegacyRevision(revision: string): string {
  const match = /^(?:(.*)@)?(?:sha1|sha256):([0-9a-f]+)$/.exec(revision);
  return match === null ? revision : `${match[1] ?? 'HEAD'}/${match[2]}`;
}
