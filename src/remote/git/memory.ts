// Owns what is remembered about Git servers between requests, so that a poll needs no discovery. Nothing of it is
// needed for correctness: it is asked again when lost or wrong.
import type { ServerFeatures } from '../../engines/git/protocol/refs.ts';

/** What a server said about itself, and where it really lives. */
export interface KnownServer {
  readonly features: ServerFeatures;
  /** Base URL after redirects, without credentials. */
  readonly baseUrl: string;
}

/** A bounded table of servers by repository URL. Shared by all transports of a process. */
export interface ServerMemory {
  get(url: string): KnownServer | undefined;
  set(url: string, server: KnownServer): void;
  forget(url: string): void;
}

/** An empty memory. @param capacity repositories that are remembered */
export function createServerMemory(capacity = 10_000): ServerMemory {
  const servers = new Map<string, KnownServer>();
  return {
    get: (url) => servers.get(url),
    set(url, server) {
      servers.delete(url);
      servers.set(url, server);
      if (servers.size <= capacity) return;
      for (const oldest of servers.keys()) {
        servers.delete(oldest);
        return;
      }
    },
    forget: (url) => void servers.delete(url),
  };
}
