// Owns finding keys that stand twice in one object of a JSON text, which parsing forgets. Pure.

/**
 * Paths of repeated keys, `spec.ports[0].name`, in the order of the text, each named once. Of a text that is no JSON
 * the answer means nothing: reading it says what is wrong.
 */
export function duplicateKeys(text: string): string[] {
  const found: string[] = [];
  /** Keys of the objects that are open, and where in each we are; for lists the index. */
  const open: { readonly keys: Set<string> | undefined; step: string | number }[] = [];
  for (let at = 0; at < text.length; at++) {
    const inside = open.at(-1);
    switch (text[at]) {
      case '{':
        open.push({ keys: new Set(), step: '' });
        break;
      case '[':
        open.push({ keys: undefined, step: 0 });
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ',':
        if (typeof inside?.step === 'number') inside.step++;
        break;
      case '"': {
        const end = endOfString(text, at);
        if (inside?.keys !== undefined && isKey(text, end)) {
          const key = keyOf(text.slice(at, end));
          inside.step = key;
          if (inside.keys.has(key)) found.push(pathOf(open.map(({ step }) => step)));
          inside.keys.add(key);
        }
        at = end - 1;
      }
    }
  }
  return [...new Set(found)];
}

/** Where the text goes on behind the string that begins here. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function keyOf(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted;
  }
}

function isKey(text: string, end: number): boolean {
  let at = end;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') at++;
  return text[at] === ':';
}

function pathOf(steps: readonly (string | number)[]): string {
  let path = '';
  for (const step of steps) path += typeof step === 'number' ? `[${step}]` : path === '' ? step : `.${step}`;
  return path;
}
