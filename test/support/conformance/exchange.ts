// Owns the steps of a conformance case: from a line such as `APPLY cm/a by one force` to a request, and on to the
// answer as it is. What differs from run to run is normalise.ts; files and expectations are suite.ts.
import type { Answer, Api, Method } from '../api.ts';
import { normaliseBody, notePrefix, type Run } from './normalise.ts';

/** A short name for a collection, and the type that bodies sent to it get when they name none. */
export interface Kind {
  /** `/api/v1/namespaces/${ns}/configmaps`. */
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
}

/** One request. */
export interface Step {
  /** `METHOD PATH [by MANAGER] [force] [dry] [as USER]`; see METHODS and test/conformance/README.md. */
  readonly do: string;
  /** An object is sent as JSON, a text as it is. `${name}` in either is a saved value. */
  readonly body?: object | string;
  /** A body of bytes, in base64. */
  readonly bytes?: string;
  /** Content type in place of the method's. */
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Values of the answer for later steps, each by its path: `{rv: metadata.resourceVersion}`. */
  readonly save?: Readonly<Record<string, string>>;
  /** Asks again until the answer has this status code, or these values (`absent` for none) at these paths. */
  readonly until?: number | Readonly<Record<string, unknown>>;
  /** Of a WATCH: how many events to read. */
  readonly events?: number;
  /** Records only these paths of the body, where the rest is of no interest to the case. */
  readonly show?: readonly string[];
}

/** What is recorded of an answer. */
export interface Recorded {
  readonly status: number;
  readonly warnings?: readonly string[];
  readonly body?: unknown;
  readonly events?: readonly unknown[];
}

interface Exchange {
  readonly api: Api;
  readonly kinds: Readonly<Record<string, Kind>>;
  /** Values that `${name}` stands for. */
  readonly names: Map<string, string>;
  readonly run: Run;
}

const WARNING = /\d{3} \S+ "(\\.|[^"\\])*"/g;
const PATCH = 'PATCH';
const METHODS: Readonly<Record<string, { readonly method: Method; readonly type?: string }>> = {
  GET: { method: 'GET' },
  POST: { method: 'POST' },
  PUT: { method: 'PUT' },
  DELETE: { method: 'DELETE' },
  MERGE: { method: PATCH, type: 'application/merge-patch+json' },
  JSON: { method: PATCH, type: 'application/json-patch+json' },
  STRATEGIC: { method: PATCH, type: 'application/strategic-merge-patch+json' },
  APPLY: { method: PATCH, type: 'application/apply-patch+yaml' },
  WATCH: { method: 'GET' },
};
/** Their bodies are objects of the kind, so they get its type. */
const TYPED = new Set(['POST', 'PUT', 'APPLY']);
/** Who writes where a step names no manager. */
const USER_AGENT = 'conformance/1';
/** A bound on hanging, as other suites have it: beside them the end of a namespace takes its time. */
const DEADLINE_MS = 45_000;
const POLL_MS = 20;
/** How long each step is held back: whatever a controller does meanwhile must not show in an answer. */
const STEP_MS = Number(process.env['LOCKSTEP_STEP_MS'] ?? 0);

interface Request {
  readonly verb: string;
  readonly method: Method;
  readonly path: string;
  readonly options: NonNullable<Parameters<Api['call']>[2]>;
}

/** Sends a step's request, as often as it asks for, and returns what is to be recorded. Throws when it is never met. */
export async function runStep(exchange: Exchange, step: Step): Promise<Recorded> {
  if (STEP_MS > 0) await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  const request = toRequest(exchange, step);
  notePrefix(exchange.run, step.body);
  if (request.verb === 'WATCH') return await watch(exchange, step, request);
  const answer = await callUntil(exchange, step, request);
  for (const [name, path] of Object.entries(step.save ?? {})) {
    exchange.names.set(name, String(valueAt(answer.body, path)));
  }
  const body = normaliseBody(exchange.run, answer.body);
  return { ...headOf(exchange.run, answer), body: step.show === undefined ? body : pick(body, step.show) };
}

function headOf(run: Run, { status, headers }: Pick<Answer, 'status' | 'headers'>): Recorded {
  // HTTP/2 joins headers of one name, HTTP/1 does not.
  const warnings = [headers['warning'] ?? []].flat().join(', ').match(WARNING);
  return warnings === null ? { status } : { status, warnings: normaliseBody(run, warnings) as string[] };
}

function toRequest({ kinds, names }: Exchange, step: Step): Request {
  const [verb = '', target = '', ...words] = fill(step.do, names).split(' ');
  const method = METHODS[verb];
  if (method === undefined) throw new Error(`${step.do}: no such method`);
  const query: string[] = verb === 'WATCH' ? ['watch=1'] : [];
  const headers: Record<string, string> = { 'user-agent': USER_AGENT };
  for (const [name, value] of Object.entries(step.headers ?? {})) headers[name] = fill(value, names);
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === 'by') query.push(`fieldManager=${words.shift()}`);
    else if (word === 'as') headers['impersonate-user'] = words.shift() ?? '';
    else if (word === 'force') query.push('force=true');
    else if (word === 'dry') query.push('dryRun=All');
    else throw new Error(`${step.do}: what is ${word}?`);
  }
  const alias = /^\w+/.exec(target)?.[0] ?? '';
  const kind = kinds[alias];
  if (kind === undefined && !target.startsWith('/')) throw new Error(`${step.do}: no kind ${alias}`);
  const path = kind === undefined ? target : fill(kind.path, names) + target.slice(alias.length);
  // Below an object is a subresource, which may be of another kind.
  const typed = TYPED.has(verb) && target.split('/').length <= 2;
  const sent = step.body === undefined ? undefined : bodyOf(step.body, kind, typed);
  const contentType = step.type ?? method.type;
  return {
    verb,
    method: method.method,
    path: withQuery(path, query),
    options: {
      ...(sent === undefined ? {} : { body: fill(sent, names) }),
      ...(step.bytes === undefined ? {} : { body: Buffer.from(step.bytes, 'base64') }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(step.accept === undefined ? {} : { accept: step.accept }),
      headers,
    },
  };
}

function withQuery(path: string, query: readonly string[]): string {
  return query.length === 0 ? path : `${path}${path.includes('?') ? '&' : '?'}${query.join('&')}`;
}

function bodyOf(body: object | string, kind: Kind | undefined, typed: boolean): string {
  if (typeof body === 'string') return body;
  if (kind === undefined || !typed || 'kind' in body || 'apiVersion' in body) return JSON.stringify(body);
  return JSON.stringify({ apiVersion: kind.apiVersion, kind: kind.kind, ...body });
}

/** The text with `${name}` replaced by what the name stands for. */
function fill(text: string, names: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = names.get(name);
    if (value === undefined) throw new Error(`${text}: nothing was saved as ${name}`);
    return value;
  });
}

async function callUntil({ api }: Exchange, step: Step, request: Request): Promise<Answer> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const answer = await api.call(request.method, request.path, request.options);
    if (step.until === undefined || meets(answer, step.until)) return answer;
    if (performance.now() > deadline) {
      throw new Error(`${step.do}: not yet ${JSON.stringify(step.until)}: ${JSON.stringify(answer.body)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function meets(answer: Answer, until: NonNullable<Step['until']>): boolean {
  if (typeof until === 'number') return answer.status === until;
  return Object.entries(until).every(([path, want]) => {
    const found = valueAt(answer.body, path);
    return want === 'absent' ? found === undefined : JSON.stringify(found) === JSON.stringify(want);
  });
}

/** Reads as many events as the step asks for; the server ending the watch before that is an answer, too. */
async function watch({ api, run }: Exchange, step: Step, request: Request): Promise<Recorded> {
  const end = AbortSignal.timeout(DEADLINE_MS);
  const answer = await api.lines(request.path, { ...request.options, signal: end });
  const events: unknown[] = [];
  for await (const event of answer.documents) {
    const normal = normaliseBody(run, event);
    events.push(step.show === undefined ? normal : pick(normal, step.show));
    if (events.length === step.events) break;
  }
  return { ...headOf(run, answer), events };
}

/** The value at a path such as `status.conditions[0].reason` or `metadata.labels["x.dev/y"]`. */
function valueAt(value: unknown, path: string): unknown {
  let found: unknown = value;
  for (const [, quoted, plain] of path.matchAll(/\["([^"]+)"\]|([^.[\]]+)/g)) {
    found = (found as Record<string, unknown> | null | undefined)?.[quoted ?? plain ?? ''];
  }
  return found;
}

function pick(body: unknown, paths: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(paths.map((path) => [path, valueAt(body, path) ?? null]));
}
