// Owns the errors of talking to a registry: their codes, and the words that Flux's users know from its client.
import { CodedError } from '../../lib/errors.ts';
import type { HttpResponse } from '../http.ts';

/** Why a registry gave nothing usable. */
export type RegistryErrorCode =
  | 'RegistryUrlInvalid'
  | 'RegistryAuthOptions'
  | 'RegistryUnauthorized'
  | 'RegistryDenied'
  | 'RegistryNotFound'
  | 'RegistryRateLimited'
  | 'RegistryStatus'
  | 'RegistryMalformed'
  | 'RegistryDigestMismatch'
  | 'RegistryTooLarge';

/** Facts about the refused exchange. The URL has neither credentials nor query. */
export interface RegistryErrorData {
  readonly url?: string;
  readonly status?: number;
  /** When the registry wants to be asked again, in ms from now. */
  readonly retryAfterMs?: number;
}

/** A registry that could not be asked, or whose answer is not to be trusted. */
export class RegistryError extends CodedError<RegistryErrorCode, RegistryErrorData> {}

const MAX_ERROR_BYTES = 16 * 1024;

/** The error of an answer that is no success: `GET https://host/v2/…: MANIFEST_UNKNOWN: manifest unknown`. */
export async function statusError(method: string, url: string, response: HttpResponse): Promise<RegistryError> {
  const { status } = response;
  const detail = describeBody(await readSome(response)) ?? `unexpected status code ${status}`;
  const plain = url.replace(/\?.*$/s, '');
  return new RegistryError(codeOf(status), `${method} ${plain}: ${detail}`, { url: plain, status });
}

function codeOf(status: number): RegistryErrorCode {
  if (status === 401) return 'RegistryUnauthorized';
  if (status === 403) return 'RegistryDenied';
  if (status === 404) return 'RegistryNotFound';
  return status === 429 ? 'RegistryRateLimited' : 'RegistryStatus';
}

/** The start of a body; an unreadable one says nothing. */
async function readSome(response: HttpResponse): Promise<string> {
  let text = '';
  try {
    for await (const part of response.body) {
      text += part.toString('utf8');
      if (text.length >= MAX_ERROR_BYTES) break;
    }
  } catch {
    // The status is what counts.
  }
  response.discard();
  return text.slice(0, MAX_ERROR_BYTES);
}

/** The errors of a body in the form of the distribution specification, `CODE: message; CODE: message`. */
function describeBody(text: string): string | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  const errors = (body as { errors?: unknown } | null)?.errors;
  if (!Array.isArray(errors)) return undefined;
  const told = errors.slice(0, 10).flatMap((error: unknown) => {
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
    return typeof code === 'string' ? [typeof message === 'string' ? `${code}: ${message}` : code] : [];
  });
  return told.length === 0 ? undefined : printable(told.join('; '));
}

/** Text of strangers without control characters. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 1024);
}
