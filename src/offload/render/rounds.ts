// Owns the rounds of a render that lacks something: it is fetched, and the render runs again.

/** As many as a chain of remote bases, or of lookups that depend on each other, may need. */
export const MAX_ROUNDS = 10;

/** An answer, or what is missing for one. */
type Round<Answer, Missing> = { readonly answer: Answer } | { readonly missing: Missing };

/** Runs until nothing is missing; undefined when something still is after `MAX_ROUNDS`. */
export async function inRounds<Answer, Missing>(
  run: () => Promise<Round<Answer, Missing>>,
  fetch: (missing: Missing) => Promise<void>,
): Promise<Answer | undefined> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const result = await run();
    if ('answer' in result) return result.answer;
    await fetch(result.missing);
  }
  return undefined;
}
