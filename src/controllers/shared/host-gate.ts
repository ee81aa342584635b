// Owns how many waits for remote hosts are under way. They occupy no worker, so something else must bound them: each host
// has places of its own, so that one that hangs holds up no other, and a wait that takes long gives its place to the next
// one for the same host.
import type { Clock } from '../../lib/clock.ts';
import type { Pass } from '../../runtime/controller.ts';

export interface HostGateOptions {
  readonly clock: Clock;
  /** Waits that begin at once for one host. */
  readonly perHost: number;
  /** From when on a wait takes long and gives its place to another one, in ms. @default 2000 */
  readonly slowAfterMs?: number;
  /** Waits for one host, the long ones included. @default 32 */
  readonly mostPerHost?: number;
  /** Waits for all hosts, the long ones included. @default 256 */
  readonly total?: number;
}

/** A wait for a remote host. */
export interface HostWait {
  readonly host: string;
  /** Before its turn has come. */
  readonly signal: AbortSignal;
  /** Goes on with something: it is served before what only begins. @default false */
  readonly continues?: boolean;
}

interface Host {
  underWay: number;
  /** Those that do not take long yet. */
  prompt: number;
  readonly continuing: Set<() => void>;
  readonly beginning: Set<() => void>;
}

/** What a pass waits for. */
export interface RemoteWait {
  /** Address of the source: a URL, or a host. */
  readonly url: string;
  /** For all that is waited for. @default none: each request has its own */
  readonly timeoutMs?: number;
  /** Goes on with something. @default false */
  readonly continues?: boolean;
}

/**
 * Waits for a source's host: in its turn among those that wait for the same one, without a worker. The time limit begins
 * when the turn has come.
 */
export function waitRemotely<T>(
  { url, timeoutMs, continues = false }: RemoteWait,
  { hosts }: { readonly hosts: HostGate },
  pass: Pick<Pass, 'aside' | 'signal'>,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal } = pass;
  // `minio:9000` is a URL without a host.
  const host = (URL.canParse(url) && new URL(url).host) || url;
  const begin = () => run(timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
  return pass.aside(() => hosts.enter({ host, signal, continues }, begin));
}

const SLOW_AFTER_MS = 2_000;
const MOST_PER_HOST = 32;
const TOTAL = 256;

/** Lets waits for remote hosts begin, fairly among the hosts. */
export class HostGate {
  readonly #options: Required<HostGateOptions>;
  /** In the order in which they are served next. */
  readonly #hosts = new Map<string, Host>();
  #underWay = 0;

  constructor(options: HostGateOptions) {
    this.#options = { slowAfterMs: SLOW_AFTER_MS, mostPerHost: MOST_PER_HOST, total: TOTAL, ...options };
  }

  /** Runs `wait` once its host has a place. Rejects with the signal's reason when it aborts before that. */
  async enter<T>(request: HostWait, wait: () => Promise<T>): Promise<T> {
    request.signal.throwIfAborted();
    const host = this.#hosts.get(request.host) ?? {
      underWay: 0,
      prompt: 0,
      continuing: new Set(),
      beginning: new Set(),
    };
    this.#hosts.set(request.host, host);
    await this.#turn(request, host);
    let isSlow = false;
    const cancel = this.#options.clock.setTimer(this.#options.slowAfterMs, () => {
      isSlow = true;
      host.prompt -= 1;
      this.#admitNext();
    });
    try {
      return await wait();
    } finally {
      cancel();
      if (!isSlow) host.prompt -= 1;
      host.underWay -= 1;
      this.#underWay -= 1;
      this.#forgetIdle(request.host, host);
      this.#admitNext();
    }
  }

  /** Resolves with a place taken. */
  #turn({ host: name, signal, continues = false }: HostWait, host: Host): Promise<void> {
    const queue = continues ? host.continuing : host.beginning;
    return new Promise((resolve, reject) => {
      const admitted = (): void => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = (): void => {
        queue.delete(admitted);
        this.#forgetIdle(name, host);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', aborted, { once: true });
      queue.add(admitted);
      this.#admitNext();
    });
  }

  /** Each call follows one change, and one change makes room for one. */
  #admitNext(): void {
    const { perHost, mostPerHost, total } = this.#options;
    if (this.#underWay >= total) return;
    for (const [name, host] of this.#hosts) {
      const queue = host.continuing.size > 0 ? host.continuing : host.beginning;
      const [next] = queue;
      if (next === undefined || host.prompt >= perHost || host.underWay >= mostPerHost) continue;
      queue.delete(next);
      this.#hosts.delete(name);
      this.#hosts.set(name, host);
      this.#underWay += 1;
      host.underWay += 1;
      host.prompt += 1;
      next();
      return;
    }
  }

  #forgetIdle(name: string, { underWay, continuing, beginning }: Host): void {
    if (underWay + continuing.size + beginning.size === 0) this.#hosts.delete(name);
  }
}
