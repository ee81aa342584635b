// Owns the errors of talking to an object storage, in the words of its own answers.
import { CodedError } from '../../lib/errors.ts';
import { printable, readStart } from '../body.ts';
import type { HttpResponse } from '../http.ts';
import { textOf } from './xml.ts';

/** Why an object storage gave nothing usable. */
export type S3ErrorCode =
  | 'S3EndpointInvalid'
  | 'S3NotFound'
  | 'S3Denied'
  | 'S3Busy'
  | 'S3WrongRegion'
  | 'S3Changed'
  | 'S3Status'
  | 'S3Malformed'
  | 'S3TooLarge';

/** Facts of the refusal. */
export interface S3ErrorData {
  readonly status?: number;
  /** Where the bucket is, when the storage says so. */
  readonly region?: string;
  /** The storage's own code, `NoSuchKey`. */
  readonly reason?: string;
}

/** A refused or unusable exchange. */
export class S3Error extends CodedError<S3ErrorCode, S3ErrorData> {}

const MAX_ERROR_BYTES = 64 * 1024;

/** The error of an answer that is no success: the storage's own message, or its status. */
export async function statusError(answer: HttpResponse): Promise<S3Error> {
  const { status } = answer;
  const xml = await readStart(answer, MAX_ERROR_BYTES);
  const reason = textOf(xml, 'Code');
  const region = textOf(xml, 'Region') ?? answer.headers['x-amz-bucket-region'];
  const told = textOf(xml, 'Message') ?? reason ?? describe(status);
  const data = { status, ...(reason === undefined ? {} : { reason }), ...(region === undefined ? {} : { region }) };
  return new S3Error(codeOf(status, reason, region), printable(told).replace(/\.$/, ''), data);
}

function codeOf(status: number, reason: string | undefined, region: string | undefined): S3ErrorCode {
  if (region !== undefined && [301, 307, 400].includes(status)) return 'S3WrongRegion';
  if (status === 404) return 'S3NotFound';
  if (status === 412) return 'S3Changed';
  if (status === 401 || status === 403) return 'S3Denied';
  return status === 429 || status === 503 || reason === 'SlowDown' ? 'S3Busy' : 'S3Status';
}

function describe(status: number): string {
  if (status === 403) return 'Access Denied';
  return status === 404 ? 'Not Found' : `unexpected status code ${status}`;
}
