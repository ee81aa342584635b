// Owns JSON as Kubernetes needs it: integers beyond 2^53 survive as bigint. No YAML here (lib/goyaml).

/** A JSON value. Integers that a double cannot hold exactly are bigint; all other numbers are number. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject;
/** A JSON object; keys such as `__proto__` are ordinary own properties. */
export interface JsonObject {
  [key: string]: JsonValue;
}

const LONG_NUMBER = /(?<![\d.eE"+])-?\d{16,}(?![\d.eE])/;

interface ReviverContext {
  readonly source?: string;
}

/**
 * Parses JSON text without losing 64-bit integers.
 * Throws the engine's SyntaxError on malformed text.
 */
export function parseJson(text: string): JsonValue {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text) as JsonValue;
  // The reviver costs several times a plain parse, so only texts with a long run of digits pay for it.
  const revive = (_key: string, value: unknown, context?: ReviverContext): unknown => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const source = context?.source;
    return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown) as JsonValue;
}

const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/**
 * Writes a value as JSON text; bigint becomes a plain integer.
 * @param indent spaces per level; none means one line.
 */
export function stringifyJson(value: unknown, indent?: number): string {
  const text = writeJson(value, indent);
  if (text === undefined) throw new TypeError('value has no JSON form');
  return text;
}

function writeJson(value: unknown, indent: number | undefined): string | undefined {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch {
    // A bigint, or what has no JSON form this way either. Asking for each value costs several times a plain write.
    const asRaw = (_key: string, item: unknown): unknown => (typeof item === 'bigint' ? rawJson(String(item)) : item);
    return JSON.stringify(value, asRaw, indent);
  }
}

/** True for a plain JSON object: neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
