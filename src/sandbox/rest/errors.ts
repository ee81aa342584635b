// Owns the faults that the API answers with: Status bodies in Kubernetes' words. Which fault applies is the caller's.
import { CodedError } from '../../lib/errors.ts';

/** One detail of a fault: for validation the field, for apply the conflicting one. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** A fault with its HTTP status and the `reason` of the Status body; `code` is the reason. */
export class ApiError extends CodedError<string, StatusDetails> {
  readonly status: number;
  /** The Status has `details` even when they are empty. */
  readonly showsDetails: boolean;

  constructor(status: number, reason: string, message: string, details: StatusDetails | 'empty' = {}) {
    super(reason, message, details === 'empty' ? {} : details);
    this.status = status;
    this.showsDetails = details === 'empty' || Object.keys(details).length > 0;
  }
}

/** The Status object that clients get for a fault. */
export function statusOf(error: ApiError): Record<string, unknown> {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: error.message,
    ...(error.code === '' ? {} : { reason: error.code }),
    ...(error.showsDetails ? { details: error.data } : {}),
    code: error.status,
  };
}

/** A resource as messages name it. */
export interface Named {
  readonly group: string;
  readonly resource: string;
}

/** `deployments.apps`, `pods`. */
export function qualified({ group, resource }: Named): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function details(named: Named, name: string): { name?: string; group?: string; kind: string } {
  return { ...(name ? { name } : {}), ...(named.group ? { group: named.group } : {}), kind: named.resource };
}

export function notFound(named: Named, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(named)} ${JSON.stringify(name)} not found`, details(named, name));
}

/** A path below no known group: the only fault without a Status body. */
export class NoSuchPath extends ApiError {
  constructor() {
    super(404, 'NotFound', 'the server could not find the requested resource', 'empty');
  }
}

/** A path that the server does not serve, below a group that it knows. */
export function noSuchResource(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', 'empty');
}

/** `deleting`: the object that is there still waits for its finalizers. */
export function alreadyExists(named: Named, name: string, deleting: boolean): ApiError {
  const why = deleting ? 'object is being deleted: ' : '';
  const message = `${why}${qualified(named)} ${JSON.stringify(name)} already exists`;
  return new ApiError(409, 'AlreadyExists', message, details(named, name));
}

export function conflict(named: Named, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(named)} ${JSON.stringify(name)}: ${why}`;
  return new ApiError(409, 'Conflict', message, details(named, name));
}

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

/** Bytes of a body that messages show. */
const SUMMARY = 30;

/** A body that does not say what it is: its beginning is shown, as hexadecimal digits where it is no JSON object. */
export function unrecognized(kind: string, why: string, body: string | Uint8Array): ApiError {
  const bytes = Buffer.from(body);
  const end = bytes.length > SUMMARY ? ' ...' : '';
  const start = bytes.subarray(0, SUMMARY);
  const shown = bytes[0] === 0x7b ? start.toString('utf8') : start.toString('hex');
  const summary = bytes.length === 0 ? '<empty>' : `${shown}${end}`;
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary})`);
}

export function forbidden(named: Named, name: string, why: string): ApiError {
  const subject = name === '' ? qualified(named) : `${qualified(named)} ${JSON.stringify(name)}`;
  return new ApiError(403, 'Forbidden', `${subject} is forbidden: ${why}`, details(named, name));
}

export function methodNotAllowed(): ApiError {
  return new ApiError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    'empty',
  );
}

export function expired(): ApiError {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.';
  return new ApiError(410, 'Expired', message);
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new ApiError(415, 'UnsupportedMediaType', message);
}

/** The router found no media type to answer in. */
export function notRouted(produced: readonly string[]): ApiError {
  const message = `406: Not Acceptable\n\nAvailable representations: ${produced.join(', ')}`;
  return new ApiError(406, 'NotAcceptable', message, 'empty');
}

/** A type as Go prints it: `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`. */
export function formatType({ apiVersion = '', kind = '' }: { readonly apiVersion?: string; readonly kind?: string }) {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}

/** The encoder has no form that the client accepts. */
export function notAcceptable(offered: readonly string[]): ApiError {
  return new ApiError(406, 'NotAcceptable', `only the following media types are accepted: ${offered.join(', ')}`);
}

/** Metadata was asked for in the form of a list where there is an object, or the other way round. */
export function wrongForm(
  { group, kind, custom }: { readonly group: string; readonly kind: string; readonly custom: boolean },
  found: 'object' | 'list',
): ApiError {
  if (custom) return new ApiError(500, '', found === 'list' ? 'content is a list' : 'content is not a list');
  const name = found === 'list' ? `${kind}List` : kind;
  const [asked, but] =
    found === 'list'
      ? ['PartialObjectMetadata', 'the requested object is a list']
      : ['PartialObjectMetadataList', 'the requested object is not a list'];
  const type = `*${group === '' ? 'core' : group.split('.')[0]}.${name}`;
  return new ApiError(406, 'NotAcceptable', `you requested ${asked}, but ${but} (${type})`);
}

/** One fault of an object against its kind's rules. `type` is the API's cause, `FieldValueRequired` and so on. */
export interface FieldFault {
  readonly type: string;
  readonly field: string;
  /** Message with the value: `Invalid value: 0: must be greater than zero`. */
  readonly message: string;
}

/** 422 with one cause per fault, worded as `Kind.group "name" is invalid: …`. */
export function invalid(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  faults: readonly FieldFault[],
): ApiError {
  const lines = [...new Set(faults.map(({ field, message }) => `${field}: ${message}`))];
  const text = lines.length === 1 ? lines[0]! : `[${lines.join(', ')}]`;
  const subject = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  return new ApiError(422, 'Invalid', `${subject} ${JSON.stringify(name)} is invalid: ${text}`, {
    ...(name ? { name } : {}),
    ...(kind.group ? { group: kind.group } : {}),
    ...(kind.kind ? { kind: kind.kind } : {}),
    causes: faults.map(({ type, field, message }) => ({ reason: type, message, field })),
  });
}

export function requiredFault(field: string, detail = ''): FieldFault {
  return { type: 'FieldValueRequired', field, message: detail ? `Required value: ${detail}` : 'Required value' };
}

/** The value as Go prints it in messages: strings quoted, scalars bare, the rest as JSON. */
export function invalidFault(field: string, value: unknown, detail: string): FieldFault {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${formatValue(value)}: ${detail}` };
}

export function unsupportedFault(field: string, value: unknown, supported: readonly string[]): FieldFault {
  const list = supported.map((item) => JSON.stringify(item)).join(', ');
  return {
    type: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${formatValue(value)}: supported values: ${list}`,
  };
}

export function forbiddenFault(field: string, detail: string): FieldFault {
  return { type: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` };
}

export function duplicateFault(field: string, value: unknown): FieldFault {
  return { type: 'FieldValueDuplicate', field, message: `Duplicate value: ${formatValue(value)}` };
}

export function formatValue(value: unknown): string {
  if (value === undefined) return 'null';
  if (typeof value === 'bigint') return value.toString();
  // Go writes control characters by their byte.
  if (typeof value === 'string') return JSON.stringify(value).replace(/(?<!\\)\\u00(?=[01][0-9a-f])/g, '\\x');
  return JSON.stringify(value);
}
