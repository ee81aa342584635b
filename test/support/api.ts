// Owns plain HTTP to a Kubernetes API for tests: the address and credentials of a kubeconfig, JSON in and out. No
// watching, no typed kinds, nothing of src: what is tested must not be what looks.
import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { Agent } from 'undici';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The parsed JSON, or the text where it is none. */
  readonly body: unknown;
}

export interface CallOptions {
  /** Bytes and texts are sent as they are, other objects as JSON. */
  readonly body?: object | string;
  /** @default 'application/json'; 'application/merge-patch+json' for PATCH */
  readonly contentType?: string;
  /** @default 'application/json' */
  readonly accept?: string;
  /** Used in place of the kubeconfig's own. */
  readonly token?: string;
  /** Sent beside those that follow from the other options. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that comes line by line. */
export interface Lines extends Omit<Answer, 'body'> {
  readonly documents: AsyncIterable<unknown>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Api {
  readonly url: string;
  /** Sends one request. An answer of any status is an answer; only a failing connection throws. */
  call(method: Method, path: string, options?: CallOptions): Promise<Answer>;
  /** A GET whose answer has one JSON document in each line, as watches have. Ends it when the caller stops reading. */
  lines(path: string, options?: CallOptions & { readonly signal?: AbortSignal }): Promise<Lines>;
  close(): Promise<void>;
}

interface Kubeconfig {
  'current-context': string;
  contexts: { name: string; context: { cluster: string; user: string } }[];
  clusters: { name: string; cluster: Record<string, string | boolean | undefined> }[];
  users: { name: string; user: Record<string, unknown> }[];
}

/** Opens the current context of a kubeconfig file: a token or a client certificate, inline or in files. */
export async function openApi(kubeconfig: string): Promise<Api> {
  const config = load(await readFile(kubeconfig, 'utf8')) as Kubeconfig;
  const context = config.contexts.find(({ name }) => name === config['current-context'])?.context;
  const cluster = config.clusters.find(({ name }) => name === context?.cluster)?.cluster;
  const user = config.users.find(({ name }) => name === context?.user)?.user;
  if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig} has no usable current context`);
  const data = async (from: Record<string, unknown>, field: string) => {
    const inline = from[`${field}-data`];
    if (typeof inline === 'string') return Buffer.from(inline, 'base64').toString();
    const file = from[field];
    return typeof file === 'string' ? await readFile(file, 'utf8') : undefined;
  };
  const [ca, cert, key] = await Promise.all([
    data(cluster, 'certificate-authority'),
    data(user, 'client-certificate'),
    data(user, 'client-key'),
  ]);
  const token = user['token'];
  if (typeof token !== 'string' && cert === undefined) {
    throw new Error(`${kubeconfig}: tests need a token or a client certificate, not an exec or auth provider plugin`);
  }
  return connect(String(cluster['server']), { ca, cert, key, token: typeof token === 'string' ? token : undefined });
}

interface Credentials {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
}

/** Opens an API server by its address. */
export function connect(url: string, { ca, cert, key, token }: Credentials): Api {
  const tls = Object.fromEntries(Object.entries({ ca, cert, key }).filter(([, value]) => value !== undefined));
  const dispatcher = new Agent({ connect: tls });
  const send = (method: Method, path: string, options: CallOptions & { readonly signal?: AbortSignal }) => {
    const { body, accept = 'application/json' } = options;
    const bearer = options.token ?? token;
    const plain = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    // Not by URL, which would tidy the path: `..` must arrive as it is.
    return dispatcher.request({
      origin: url,
      path,
      method,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      headers: {
        accept,
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': options.contentType ?? plain }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: textOf(body) }),
    });
  };
  return {
    url,
    async call(method, path, options = {}) {
      const { statusCode, headers, body } = await send(method, path, options);
      return { status: statusCode, headers, body: parse(await body.text()) };
    },
    async lines(path, options = {}) {
      const { statusCode, headers, body } = await send('GET', path, options);
      return { status: statusCode, headers, documents: documentsOf(body) };
    },
    close: () => dispatcher.close(),
  };
}

function textOf(body: object | string): string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
}

async function* documentsOf(body: AsyncIterable<Buffer>): AsyncIterable<unknown> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield parse(line);
  }
  if (rest !== '') yield parse(rest);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
