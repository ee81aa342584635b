// Owns the errors of talking to a registry: their codes, and the words that Flux's users know from its client.
import { CodedError } from '../../lib/errors.ts';
import { printable, readStart } from '../body.ts';
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
const MAX_MESSAGE = 1024;

/** The error of an answer that is no success: `GET https://host/v2/…: MANIFEST_UNKNOWN: manifest unknown`. */
export async function statusError(method: string, url: string, response: HttpResponse): Promise<RegistryError> {
  const { status } = response;
  const detail = describeBody(await readStart(response, MAX_ERROR_BYTES)) ?? `unexpected status code ${status}`;
  const plain = url.replace(/\?.*$/s, '');
  return new RegistryError(codeOf(status), `${method} ${plain}: ${detail}`, { url: plain, status });
}

function codeOf(status: number): RegistryErrorCode {
  if (status === 401) return 'RegistryUnauthorized';
  if (status === 403) return 'RegistryDenied';
  if (status === 404) return 'RegistryNotFound';
  return status === 429 ? 'RegistryRateLimited' : 'RegistryStatus';
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
  return told.length === 0 ? undefined : printable(told.join('; ')).slice(0, MAX_MESSAGE);
}
