// Owns keeping secret values out of texts for people: status, events, logs, diffs (lockstep.md §9). URLs and their
// credentials are the business of those who speak HTTP.

/** What stands where a secret value stood. */
export const MASK = '*****';

/**
 * Replaces every occurrence of the values by `*****`, also where they stand base64-encoded or escaped as in JSON.
 * Empty values are left out. Long values go first, so that a value within another one leaves nothing behind.
 */
export function maskSecrets(text: string, values: Iterable<string>): string {
  const forms = new Set<string>();
  for (const value of values) for (const form of formsOf(value)) forms.add(form);
  let masked = text;
  for (const form of [...forms].sort((a, b) => b.length - a.length)) {
    if (!MASK.includes(form)) masked = masked.replaceAll(form, MASK);
  }
  return masked;
}

/** The ways in which a value shows up in messages of API servers and parsers. */
function formsOf(value: string): string[] {
  if (value === '') return [];
  const lines = value.includes('\n') ? [value.replaceAll('\n', ''), ...value.split('\n').filter(isTelling)] : [];
  const forms = [value, JSON.stringify(value).slice(1, -1), ...lines];
  if (isTelling(value)) forms.push(Buffer.from(value).toString('base64'));
  return forms;
}

/** Shorter pieces say nothing, and masking them would take a message apart. */
function isTelling(piece: string): boolean {
  return piece.length >= 4;
}
