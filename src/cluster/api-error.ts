// Owns the errors of the Kubernetes API door: what the server answered, and what came between it and us.
import { CodedError } from '../lib/errors.ts';
import { isJsonObject, type JsonValue, parseJson } from '../lib/json.ts';

/** One field-level cause of a refused object. */
export interface StatusCause {
  readonly reason?: string;
  readonly message: string;
  /** Path such as `spec.replicas`; absent for whole-object causes. */
  readonly field?: string;
}

export interface ApiErrorData {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Reason of the API's Status object (`NotFound`, `Conflict`, …); '' when there was none. */
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  /** HTTP method and path without query. */
  readonly request: string;
  readonly retryAfterSeconds?: number;
  /** A 404 that names no object: the server does not serve the resource at all. */
  readonly noResource?: boolean;
}

/**
 * An answer of the API server with a status of 400 or more, or none at all.
 * `code` is `Api` + the Status reason (`ApiNotFound`, `ApiConflict`, `ApiInvalid`, `ApiForbidden`, …); `ApiError` when
 * the server gave none; `ApiUnreachable` and `ApiTimeout` when there was no answer. The message is the API's own.
 */
export class ApiError extends CodedError<string, ApiErrorData> {}

const REASON_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** Makes the error of an answer. `body` is a Status object when the server is a Kubernetes one. */
export function apiErrorOf(status: number, body: string, request: string, retryAfter?: string): ApiError {
  const parsed = parseStatus(body);
  const details = isJsonObject(parsed?.['details']) ? parsed['details'] : {};
  const reason = text(parsed?.['reason']) || REASON_OF_STATUS[status] || '';
  const message = text(parsed?.['message']) || plainMessage(status, body, request);
  const retryAfterSeconds = retryDelay(retryAfter, details['retryAfterSeconds']);
  return new ApiError(`Api${reason || 'Error'}`, message, {
    status,
    reason,
    causes: parseCauses(details['causes']),
    request,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(status === 404 && !text(details['name']) ? { noResource: true } : {}),
  });
}

/** The error of a Status object that came inside a watch stream. */
export function apiErrorOfStatus(status: JsonValue, request: string): ApiError {
  const code = isJsonObject(status) && typeof status['code'] === 'number' ? status['code'] : 500;
  return apiErrorOf(code, isJsonObject(status) ? JSON.stringify(status) : '', request);
}

function parseStatus(body: string): Record<string, JsonValue> | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const value = parseJson(body);
    return isJsonObject(value) && value['kind'] === 'Status' ? value : undefined;
  } catch {
    return undefined; // A proxy's answer: its text becomes the message.
  }
}

function parseCauses(value: JsonValue | undefined): StatusCause[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isJsonObject).map((cause) => ({
    message: text(cause['message']),
    ...(text(cause['reason']) ? { reason: text(cause['reason']) } : {}),
    ...(text(cause['field']) ? { field: text(cause['field']) } : {}),
  }));
}

function plainMessage(status: number, body: string, request: string): string {
  const words = body.trim().slice(0, 1024);
  if (status === 401) return words.startsWith('{') || words === '' ? 'Unauthorized' : words;
  return words === '' ? `the server answered ${status} to ${request}` : words;
}

function retryDelay(header: string | undefined, inBody: JsonValue | undefined): number | undefined {
  if (header !== undefined && /^\d+$/.test(header)) return Number(header);
  return typeof inBody === 'number' && inBody > 0 ? inBody : undefined;
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** True for an answer with this HTTP status. */
export function hasStatus(error: unknown, status: number): error is ApiError {
  return error instanceof ApiError && error.data.status === status;
}

/** The server would not do what it was asked to: nothing was written. Of any other failure that is not known. */
export function isClientError(error: unknown): error is ApiError {
  return error instanceof ApiError && error.data.status >= 400 && error.data.status < 500;
}

/** The server was not there, or could do nothing for anybody: another try may do as it is. */
export function isUnserved(error: unknown): error is ApiError {
  return error instanceof ApiError && !isClientError(error);
}

/** The object, or the whole resource, is not there. */
export function isNotFound(error: unknown): error is ApiError {
  return hasStatus(error, 404);
}

/** The object has another resourceVersion, uid or field owner than the request said (and not: it exists already). */
export function isConflict(error: unknown): error is ApiError {
  return hasStatus(error, 409) && error.data.reason !== 'AlreadyExists';
}

export function isAlreadyExists(error: unknown): error is ApiError {
  return hasStatus(error, 409) && error.data.reason === 'AlreadyExists';
}

/** The resourceVersion or continue token is too old: list again. */
export function isExpired(error: unknown): error is ApiError {
  return hasStatus(error, 410);
}
