// Owns what feature gates change of what a pass tells: the event of each success, and the change set in the log
// (flux.md §6.2). What they change of what it does is where that is decided.
import type { Change } from '../../apply/apply.ts';
import { formatObjectId, referenceOf } from '../../objects/manifest.ts';
import type { EventDraft, Result } from '../../runtime/controller.ts';
import type { FeatureGates } from '../shared/feature-gates.ts';
import { isWrite } from './changes.ts';
import { commitStatusKey, type conclude } from './conclude.ts';
import type { Outcome } from './types.ts';

type Told = Pick<FeatureGates, 'DisableCommitStatusEvent' | 'GroupChangeLog'>;

/** The conclusion as the gates have it told. */
export function tellBy(gates: Told, original: typeof conclude): typeof conclude {
  return (object, result, nowMs, pass) => {
    const { events = [], log = {}, ...conclusion } = original(object, result, nowMs, pass);
    const isSilenced = ({ metadata }: EventDraft): boolean =>
      gates.DisableCommitStatusEvent && metadata?.[commitStatusKey] !== undefined;
    const written = changesOf(result).filter(isWrite);
    const output = gates.GroupChangeLog ? byAction(written) : byObject(written);
    return {
      ...conclusion,
      events: events.filter((event) => !isSilenced(event)),
      log: written.length === 0 ? log : { ...log, output },
    };
  };
}

function changesOf(result: Result<Outcome>): readonly Change[] {
  if ('error' in result) return [];
  const { outcome } = result;
  return outcome.type === 'applied' || outcome.type === 'corrected' ? outcome.changes : [];
}

/** `{"ConfigMap/ns/a": "created"}`. */
function byObject(changes: readonly Change[]): Readonly<Record<string, string>> {
  return Object.fromEntries(changes.map(({ action, desired }) => [formatObjectId(referenceOf(desired)), action]));
}

/** `{"created": ["ConfigMap/ns/a"]}`. */
function byAction(changes: readonly Change[]): Readonly<Record<string, readonly string[]>> {
  const groups = Map.groupBy(changes, ({ action }) => action);
  const idOf = ({ desired }: Change): string => formatObjectId(referenceOf(desired));
  return Object.fromEntries([...groups].map(([action, list]) => [action, list.map(idOf)]));
}
