// Owns who may act: one process holds all leases it needs, its own and those of the controllers it stands in for.
import type { DynamicClient } from '../cluster/client.ts';
import { acquireLease, type HeldLease } from '../cluster/leases.ts';
import type { Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';

/** Leases of the Flux controllers that must not run beside this program (lockstep.md §1). */
export const foreignLeases = [
  'source-controller-leader-election',
  'kustomize-controller-leader-election',
  'helm-controller-leader-election',
] as const;

export interface LeadershipOptions {
  readonly client: DynamicClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly namespace: string;
  readonly identity: string;
  /** In the order of taking; the same everywhere, so that two processes never wait for each other. */
  readonly leases: readonly string[];
  readonly durationMs?: number | undefined;
  readonly renewDeadlineMs?: number | undefined;
  readonly retryMs?: number | undefined;
  /** @default true */
  readonly givesBack?: boolean | undefined;
  /** What is waited for, in words; undefined once leading. For the readiness endpoint. */
  readonly onState?: ((waitingFor: string | undefined) => void) | undefined;
}

export interface Leadership {
  /** Aborts when any lease is lost: act no more. */
  readonly lost: AbortSignal;
  /** Gives all leases back. */
  release(): Promise<void>;
}

/**
 * Waits until all leases are held. One that is lost while another is waited for makes it begin anew. When waiting ends
 * early, those that were taken are given back.
 */
export async function becomeLeader(options: LeadershipOptions, signal: AbortSignal): Promise<Leadership> {
  for (;;) {
    try {
      return await takeAll(options, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      options.log.info('leadership is taken anew', { error: errorMessage(error) });
    }
  }
}

async function takeAll(options: LeadershipOptions, signal: AbortSignal): Promise<Leadership> {
  const { client, clock, random, log, namespace, identity } = options;
  const { durationMs, renewDeadlineMs, retryMs, givesBack } = options;
  const held: HeldLease[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(held.map((lease) => lease.release()));
  };
  try {
    for (const name of options.leases) {
      const onWaiting = (holder: string): void => {
        const words = `lease ${namespace}/${name} is held by ${holder}`;
        log.info('waiting for leadership', { lease: name, holder });
        options.onState?.(words);
      };
      const until = AbortSignal.any([signal, ...held.map((lease) => lease.lost)]);
      held.push(
        await acquireLease(
          {
            ...{ client, clock, random, log, namespace, name, identity, onWaiting },
            ...{ durationMs, renewDeadlineMs, retryMs, givesBack },
          },
          until,
        ),
      );
    }
  } catch (error) {
    await release();
    throw error;
  }
  options.onState?.(undefined);
  log.info('leading', { identity });
  return { lost: AbortSignal.any(held.map((lease) => lease.lost)), release };
}
