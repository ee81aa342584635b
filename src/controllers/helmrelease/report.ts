// Owns what is said of a release while it is worked on: a draft of the status and the events, in Flux's words
// (helm.md §21.5). Which action runs is run.ts.
import {
  type HelmRelease,
  type HelmReleaseStatus,
  helmReleaseKind,
  helmReleaseReasons as reasons,
  type Snapshot,
} from '../../api/helm/helmrelease.ts';
import type { ConditionStatus } from '../../api/meta/condition.ts';
import { inheritedEventMetadata } from '../../api/meta/event-metadata.ts';
import type { Clock } from '../../lib/clock.ts';
import { type Mask, noMask } from '../../objects/redact.ts';
import {
  type ConditionStamp,
  deleteCondition,
  getCondition,
  markReconciling,
  markStalled,
  setCondition,
} from '../../runtime/conditions.ts';
import type { EventDraft } from '../../runtime/controller.ts';

export const released = 'Released';
export const testSuccess = 'TestSuccess';
export const remediated = 'Remediated';
export const drifted = 'Drifted';

/** The draft of a status, changed step by step; passes write what it has come to. */
export class Report {
  status: HelmReleaseStatus;
  readonly #object: HelmRelease;
  readonly #clock: Clock;
  /** Hides the values of Secrets. */
  readonly mask: Mask;
  #events: EventDraft[] = [];

  constructor(object: HelmRelease, clock: Clock, mask: Mask = noMask) {
    this.mask = mask;
    this.#object = object;
    this.#clock = clock;
    this.status = object.status ?? {};
  }

  /** Changes fields of the status. */
  set(fields: Partial<HelmReleaseStatus>): void {
    this.status = { ...this.status, ...fields };
  }

  mark(type: string, status: ConditionStatus, reason: string, text: string): void {
    const message = this.mask(text);
    this.set({ conditions: setCondition(this.status.conditions, { type, status, reason, message }, this.#stamp()) });
  }

  unmark(...types: string[]): void {
    this.set({ conditions: deleteCondition(this.status.conditions, ...types) });
  }

  reconciling(reason: string, message: string): void {
    this.set({ conditions: markReconciling(this.status.conditions, reason, this.mask(message), this.#stamp()) });
  }

  stalled(reason: string, message: string): void {
    this.set({ conditions: markStalled(this.status.conditions, reason, message, this.#stamp()) });
  }

  message(type: string): string {
    return getCondition(this.status.conditions, type)?.message ?? '';
  }

  has(type: string): boolean {
    return getCondition(this.status.conditions, type) !== undefined;
  }

  isTrue(type: string): boolean {
    return getCondition(this.status.conditions, type)?.status === 'True';
  }

  emit(type: EventDraft['type'], reason: string, text: string, about: EventSubject): void {
    const message = this.mask(text);
    this.#events.push({ type, reason, message, metadata: eventMetadata(this.#object, about) });
  }

  /** Events since the last call. */
  takeEvents(): EventDraft[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Ready as Flux sums it up: the newest of Remediated, TestSuccess and Released; what was remediated is not ready. */
  summarize(): void {
    const { spec } = this.#object;
    if (spec?.test?.enable !== true) this.unmark(testSuccess);
    const counts = spec?.test?.enable === true && spec.test.ignoreFailures !== true;
    const order = counts ? [remediated, testSuccess, released] : [remediated, released];
    const present = order.flatMap((type) => getCondition(this.status.conditions, type) ?? []);
    const newest = present.reduce<(typeof present)[number] | undefined>((best, condition) => {
      if (best === undefined) return condition;
      return (condition.observedGeneration ?? 0) > (best.observedGeneration ?? 0) ? condition : best;
    }, undefined);
    if (newest === undefined) return;
    const status = newest.type === remediated ? 'False' : newest.status;
    if (status === 'True') this.unmark('Stalled');
    this.mark('Ready', status, newest.reason, newest.message);
  }

  #stamp(): ConditionStamp {
    return { generation: this.#object.metadata.generation ?? 0, nowMs: this.#clock.now() };
  }
}

/** What an event is about. */
export interface EventSubject {
  readonly chartVersion: string;
  readonly configDigest: string;
  readonly appVersion?: string | undefined;
  readonly ociDigest?: string | undefined;
}

function eventMetadata(object: HelmRelease, about: EventSubject): Readonly<Record<string, string>> {
  const facts = {
    revision: about.chartVersion,
    token: about.configDigest,
    'app-version': about.appVersion ?? '',
    'oci-digest': about.ociDigest ?? '',
  };
  const told = Object.entries(facts).filter(([, value]) => value !== '');
  const own = told.map(([key, value]) => [`${helmReleaseKind.group}/${key}`, value] as const);
  return { ...inheritedEventMetadata(object.metadata), ...Object.fromEntries(own) };
}

/** `NS/NAME.vN` */
export function fullName(snapshot: Pick<Snapshot, 'namespace' | 'name' | 'version'>): string {
  return `${snapshot.namespace}/${snapshot.name}.v${snapshot.version}`;
}

/** `CHART@VERSION` */
export function chartLabel(snapshot: Pick<Snapshot, 'chartName' | 'chartVersion'>): string {
  return `${snapshot.chartName}@${snapshot.chartVersion}`;
}

/** `release NS/NAME.vN with chart CHART@VERSION` */
export function describe(snapshot: Snapshot): string {
  return `release ${fullName(snapshot)} with chart ${chartLabel(snapshot)}`;
}

/** Reasons of an action's end. */
export const endReasons = {
  install: { good: reasons.installSucceeded, bad: reasons.installFailed },
  upgrade: { good: reasons.upgradeSucceeded, bad: reasons.upgradeFailed },
} as const;
