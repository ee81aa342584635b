// Owns the text forms of a moment that Kubernetes uses. Reading a clock is not done here.

/** metav1.Time: RFC 3339 in UTC with whole seconds, cut and not rounded (`2026-11-21T08:00:00Z`). */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** metav1.MicroTime: the same with six digits behind the second. */
export function formatMicroTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}

/** Milliseconds of an RFC 3339 time; undefined when it is absent or not one. */
export function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
