// Owns which servers a reconciler listens with: its own two, and those that a flag of Flux's asks for beside them.
import { type Route, type RunningServer, startHttpServer } from '../server/http-server.ts';
import type { ListenAddress, ReconcilerSettings } from './settings.ts';

export interface ServerOptions extends Pick<ReconcilerSettings, 'metricsAddress' | 'healthAddress' | 'storageAddress'> {
  readonly internalPort: number;
  readonly httpPort: number;
  readonly listen?: string | undefined;
  readonly advertisedAddress?: string | undefined;
}

/** What is served, by subject. */
export interface ServedRoutes {
  readonly probes: Route;
  readonly metrics: Route;
  readonly profiles: Route;
  readonly artifacts: Route;
}

export interface RunningServers {
  /** Artifacts, metrics, profiles and probes. */
  readonly internal: RunningServer;
  /** The web page and probes. */
  readonly page: RunningServer;
  close(): Promise<void>;
}

/** Starts all of them. When one cannot listen, the others are closed again. */
export async function startServers(options: ServerOptions, routes: ServedRoutes): Promise<RunningServers> {
  const { listen = '127.0.0.1', advertisedAddress } = options;
  const { probes, metrics, profiles, artifacts } = routes;
  const running: RunningServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(running.splice(0).map((server) => server.close()));
  };
  const start = async (address: ListenAddress, served: readonly Route[], hosts: readonly string[] = []) => {
    const server = await startHttpServer({ ...address, routes: served, hosts });
    running.push(server);
    return server;
  };
  try {
    const advertised = advertisedAddress === undefined ? [] : [advertisedAddress.replace(/:\d+$/, '')];
    const served = [probes, metrics, profiles, artifacts];
    const internal = await start({ listen, port: options.internalPort }, served, advertised);
    const page = await start({ listen, port: options.httpPort }, [probes]);
    if (options.metricsAddress !== undefined) await start(options.metricsAddress, [metrics, profiles]);
    if (options.healthAddress !== undefined) await start(options.healthAddress, [probes]);
    if (options.storageAddress !== undefined) await start(options.storageAddress, [artifacts], advertised);
    return { internal, page, close };
  } catch (error) {
    await close();
    throw error;
  }
}
