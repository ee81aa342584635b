// Owns the shapes between request handling and the HTTP connection.
import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../core.ts';
import type { RequestInfo } from './request.ts';
import type { WatchSink } from './watch.ts';

/** One HTTP request, its body read. */
export interface ApiRequest {
  readonly method: string;
  readonly info: RequestInfo;
  readonly headers: IncomingHttpHeaders;
  readonly caller: Caller;
  /** Body as text; '' when there is none. */
  readonly body: string;
  /** Body as it came. */
  readonly bytes: Uint8Array;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly warnings?: readonly string[];
}

/** An answer that goes on: the function starts it and returns what ends it. */
export interface Stream {
  readonly warnings?: readonly string[];
  readonly stream: (sink: WatchSink) => () => void;
}

export type Reply = Answer | Stream;

/** 200 with a JSON text. */
export function json(body: string, status = 200): Answer {
  return { status, body };
}
