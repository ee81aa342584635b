// Owns `/debug/pprof/`: where the process spends its time and what allocates, as profiles of V8. Off unless asked for, and
// for this machine alone: whoever can reach metrics must not be able to slow the process down. A heap snapshot is not to
// be had: it holds every Secret that was read.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Session } from 'node:inspector/promises';
import type { Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import { type Route, send } from './http-server.ts';

const PREFIX = '/debug/pprof';
/** Go's default of a CPU profile. */
const DEFAULT_SECONDS = 30;
const MAX_SECONDS = 300;

const INDEX = `profiles of the main thread, for this machine alone:
  ${PREFIX}/profile?seconds=${DEFAULT_SECONDS}   CPU time; save it as lockstep.cpuprofile
  ${PREFIX}/allocs?seconds=${DEFAULT_SECONDS}    what was allocated meanwhile and is still held; save it as lockstep.heapprofile
Open them in the developer tools of Chrome or in VS Code: they are V8's, not Go's.
`;
const OFF = 'profiles are off: start lockstep run with --profiling\n';
const LOCAL_ONLY = `profiles are for this machine alone: kubectl port-forward, then ask 127.0.0.1\n`;
const UNKNOWN = `there is no such profile: ${PREFIX}/ lists what there is, and heap snapshots are not taken as they hold Secrets\n`;

/** Starts a kind of profile in a session; answers how to end it. */
type Profile = (session: Session) => Promise<() => Promise<object>>;

const profiles = new Map<string, Profile>([
  [
    'profile',
    async (session) => {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      return async () => (await session.post('Profiler.stop')).profile;
    },
  ],
  [
    'allocs',
    async (session) => {
      await session.post('HeapProfiler.startSampling');
      return async () => (await session.post('HeapProfiler.stopSampling')).profile;
    },
  ],
]);

export interface ProfilesOptions {
  readonly clock: Clock;
  /** `--profiling` */
  readonly isOn: boolean;
}

/** `/debug/pprof/…`; one profile at a time. */
export function profileRoutes({ clock, isOn }: ProfilesOptions): Route {
  let isBusy = false;
  return async (request, response, path) => {
    if (path !== PREFIX && !path.startsWith(`${PREFIX}/`)) return false;
    const name = path.slice(PREFIX.length + 1);
    const profile = profiles.get(name);
    const seconds = secondsOf(request);
    if (!isOn) send(response, 404, OFF);
    else if (!isLocal(request.socket.remoteAddress)) send(response, 403, LOCAL_ONLY);
    else if (name === '') send(response, 200, INDEX);
    else if (profile === undefined) send(response, 404, UNKNOWN);
    else if (seconds === undefined) send(response, 400, `seconds must be between 1 and ${MAX_SECONDS}\n`);
    else if (isBusy) send(response, 409, 'another profile is being taken\n');
    else {
      isBusy = true;
      await take(profile, seconds, response, clock).finally(() => {
        isBusy = false;
      });
    }
    return true;
  };
}

/** Takes a profile for so long, or until nobody waits for it any more. */
async function take(profile: Profile, seconds: number, response: ServerResponse, clock: Clock): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const session = new Session();
  session.connect();
  try {
    const end = await profile(session);
    await clock.sleep(seconds * 1000, gone.signal).catch(() => {});
    const taken = await end();
    if (!gone.signal.aborted) send(response, 200, JSON.stringify(taken), 'application/json');
  } catch (error) {
    send(response, 500, `${errorMessage(error)}\n`);
  } finally {
    session.disconnect();
  }
}

function secondsOf({ url = '' }: IncomingMessage): number | undefined {
  const text = new URL(url, 'http://localhost').searchParams.get('seconds');
  const seconds = text === null ? DEFAULT_SECONDS : Number(text);
  return Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_SECONDS ? seconds : undefined;
}

function isLocal(address = ''): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
