// Owns the probes: alive, and ready or why not.
import { type Route, send } from './http-server.ts';

/** `/healthz` answers while the process lives; `/readyz` when `problems` is empty. */
export function probeRoutes(problems: () => readonly string[]): Route {
  return (_request, response, path) => {
    if (path === '/healthz') {
      send(response, 200, 'ok');
      return true;
    }
    if (path !== '/readyz') return false;
    const found = problems();
    send(response, found.length === 0 ? 200 : 503, found.length === 0 ? 'ok' : `${found.join('\n')}\n`);
    return true;
  };
}

/** `/metrics` in the text form of Prometheus. */
export function metricsRoute(render: () => string): Route {
  return (_request, response, path) => {
    if (path !== '/metrics') return false;
    send(response, 200, render(), 'text/plain; version=0.0.4; charset=utf-8');
    return true;
  };
}
