// Owns strconv.Atoi for annotation values.

/** The integer that the whole text is, within what a number holds exactly; undefined otherwise. */
export function parseSafeInteger(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
