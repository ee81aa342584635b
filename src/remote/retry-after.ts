// Owns how long a server asks not to be asked again.

/** A server puts nobody off for longer than this, in ms: what it says may be a slip, or meant to harm. */
const MAX_MS = 3_600_000;

/** `Retry-After` in ms from now: seconds or a date (RFC 9110 §10.2.3); undefined when it says nothing. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\s*\d{1,9}\s*$/.test(header) ? Number(header) * 1000 : undefined;
  const ms = seconds ?? Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_MS);
}
