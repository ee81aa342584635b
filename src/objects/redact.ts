// Owns keeping secret values out of texts for people: status, events, logs, diffs (lockstep.md §9). URLs and their
// credentials are the business of those who speak HTTP.

/** What stands where a secret value stood. */
export const MASK = '*****';

/** Hides secret values in a text for people. */
export type Mask = (text: string) => string;

/** Hides nothing. */
export const noMask: Mask = (text) => text;

/**
 * Makes the function that replaces every occurrence of the values by `*****`, also where they stand base64-encoded or
 * escaped as in JSON. Empty values are left out. Long values go first, so that a value within another one leaves
 * nothing behind. A value of one to three characters is hidden only where it stands alone: it is no secret, and half
 * of every message would go with it.
 */
export function createMask(values: Iterable<string>): Mask {
  const forms = new Set<string>();
  for (const value of values) for (const form of formsOf(value)) if (!MASK.includes(form)) forms.add(form);
  if (forms.size === 0) return noMask;
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((masked, form) => hide(masked, form), text);
}

/** The same for one text. */
export function maskSecrets(text: string, values: Iterable<string>): string {
  return createMask(values)(text);
}

function hide(text: string, form: string): string {
  if (isTelling(form)) return text.replaceAll(form, MASK);
  const isPart = (character: string | undefined) => character !== undefined && /\w/.test(character);
  let hidden = '';
  let from = 0;
  for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + form.length)) {
    if (isPart(text[at - 1]) || isPart(text[at + form.length])) continue;
    hidden += text.slice(from, at) + MASK;
    from = at + form.length;
  }
  return hidden + text.slice(from);
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
