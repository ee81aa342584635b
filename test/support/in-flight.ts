// Owns which requests of a reconciler are under way in this process: what has been sent and not been answered yet is work
// that goes on, however long a busy server takes.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** What undici tells of a request; headers are names and values in turns. */
interface Told {
  readonly request: { readonly path: string; readonly headers: readonly string[] };
}

export interface InFlight {
  /** Paths of the requests that are under way, watches aside. */
  paths(): readonly string[];
  stop(): void;
}

/** Follows the requests of clients with a user agent, until stopped. */
export function followRequests(userAgent: string): InFlight {
  const open = new Map<Told['request'], string>();
  const begin = (message: unknown): void => {
    const { request } = message as Told;
    const agent = request.headers[request.headers.indexOf('user-agent') + 1];
    if (agent === userAgent && !request.path.includes('watch=true')) open.set(request, request.path);
  };
  const end = (message: unknown): void => void open.delete((message as Told).request);
  subscribe('undici:request:create', begin);
  subscribe('undici:request:trailers', end);
  subscribe('undici:request:error', end);
  return {
    paths: () => [...open.values()],
    stop: () => {
      unsubscribe('undici:request:create', begin);
      unsubscribe('undici:request:trailers', end);
      unsubscribe('undici:request:error', end);
    },
  };
}
