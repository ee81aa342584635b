// Owns the canary: a secret value that may show in its Secret and nowhere else.
import { expect } from 'vitest';

/** In a Secret that is deployed, and nowhere else. */
export const CANARY = 'canary-4b1d-never-seen';

const FORMS = [CANARY, Buffer.from(CANARY).toString('base64')];

/** Fails when one of the texts, each under the name of where it was found, shows the value in any form. */
export function expectNoCanary(texts: Readonly<Record<string, string | undefined>>): void {
  for (const [where, text] of Object.entries(texts))
    for (const form of FORMS) expect(text?.includes(form) ?? false, `${where} shows the Secret's value`).toBe(false);
}
