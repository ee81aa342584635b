// Owns an object storage for tests, written from the specification of S3's API: listing in pages, objects with ETags,
// and signatures (AWS Signature Version 4) that are checked by its own reading of the specification.
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A running storage with one bucket, `manifests`. */
export interface S3Server {
  /** `127.0.0.1:port` */
  readonly endpoint: string;
  /** Key → content. Change it at will. */
  readonly objects: Map<string, string | Uint8Array>;
  /** `GET /path` of each request, in order. */
  readonly requests: string[];
  /** What to answer next time instead; taken from the front. */
  readonly faults: ((response: ServerResponse) => void)[];
  stop(): Promise<void>;
}

/** How the storage behaves. */
export interface S3ServerOptions {
  /** @default anybody may read */
  readonly key?: { readonly accessKey: string; readonly secretKey: string };
  /** @default 'us-east-1' */
  readonly region?: string;
  /** @default 1000 */
  readonly pageSize?: number;
}

const BUCKET = '/manifests';

/** Starts a storage on loopback. */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const objects: S3Server['objects'] = new Map();
  const requests: string[] = [];
  const faults: S3Server['faults'] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://storage');
    requests.push(`${request.method} ${url.pathname}`);
    const fault = faults.shift();
    if (fault !== undefined) return fault(response);
    const refused = refusal(request, url, options);
    if (refused !== undefined) return answer(response, ...refused);
    if (url.pathname === BUCKET) return bucket(url, response, { objects, pageSize: options.pageSize ?? 1000 });
    if (!url.pathname.startsWith(`${BUCKET}/`))
      return answer(response, 404, error('NoSuchBucket', 'The specified bucket does not exist'));
    const content = objects.get(decodeURIComponent(url.pathname.slice(BUCKET.length + 1)));
    if (content === undefined) return answer(response, 404, error('NoSuchKey', 'The specified key does not exist.'));
    response.writeHead(200, { etag: `"${etagOf(content)}"` }).end(content);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    requests,
    faults,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function bucket(
  url: URL,
  response: ServerResponse,
  { objects, pageSize }: { readonly objects: S3Server['objects']; readonly pageSize: number },
): void {
  const prefix = url.searchParams.get('prefix') ?? '';
  const after = Buffer.from(url.searchParams.get('continuation-token') ?? '', 'base64').toString();
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
  const page = keys.slice(0, pageSize);
  const encode = (key: string) => encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');
  const contents = page.map((key) => {
    const content = objects.get(key)!;
    return `<Contents><Key>${encode(key)}</Key><ETag>&quot;${etagOf(content)}&quot;</ETag><Size>${content.length}</Size></Contents>`;
  });
  const truncated = page.length < keys.length;
  const token = Buffer.from(page.at(-1) ?? '').toString('base64');
  const next = truncated ? `<NextContinuationToken>${token}</NextContinuationToken>` : '';
  const xml = `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${truncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`;
  answer(response, 200, xml);
}

/** Why a request is refused: status and body. */
function refusal(request: IncomingMessage, url: URL, options: S3ServerOptions): [number, string] | undefined {
  if (options.key === undefined) return undefined;
  const { authorization = '' } = request.headers;
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (match === null) return [403, error('AccessDenied', 'Access Denied.')];
  const [, accessKey, day, region, names, signature] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const wanted = options.region ?? 'us-east-1';
  if (region !== wanted) {
    const message = `The authorization header is malformed; the region is wrong; expecting '${wanted}'`;
    return [
      400,
      `<Error><Code>AuthorizationHeaderMalformed</Code><Message>${message}</Message><Region>${wanted}</Region></Error>`,
    ];
  }
  if (accessKey !== options.key.accessKey)
    return [403, error('InvalidAccessKeyId', 'The Access Key Id you provided does not exist in our records.')];
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const payload = createHash('sha256').update('').digest('hex');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`)
    .toSorted()
    .join('&');
  const canonical = [request.method, url.pathname, query, headers.join(''), names, payload].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = [
    'AWS4-HMAC-SHA256',
    request.headers['x-amz-date'],
    scope,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  let key: Buffer = Buffer.from(`AWS4${options.key.secretKey}`);
  for (const part of [day, region, 's3', 'aws4_request', text]) key = createHmac('sha256', key).update(part).digest();
  if (key.toString('hex') === signature) return undefined;
  return [
    403,
    error('SignatureDoesNotMatch', 'The request signature we calculated does not match the signature you provided.'),
  ];
}

function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function etagOf(content: string | Uint8Array): string {
  return createHash('md5').update(content).digest('hex');
}

function error(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}

function answer(response: ServerResponse, status: number, xml: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(xml);
}
