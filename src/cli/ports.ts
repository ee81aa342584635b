// Owns the question whether a port of this machine is free.
import { createServer } from 'node:net';

/** True when a server could listen on the port of the address right now. */
export function isPortFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, address, () => probe.close(() => resolve(true)));
  });
}
