// Owns the texts that table cells are made of: ages, selectors, shortened lists. Pure; knows no kind.
import { parseTime } from '../../lib/time.ts';
import { isRecord, type KubeObject } from '../object.ts';

export type Cell = string | number | boolean | null;

/** The cells of one object, in the order of its kind's columns. `now` is in milliseconds since 1970. */
export type CellsOf = (object: KubeObject, now: number) => Cell[];

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A span as kubectl shows it: coarser the longer it is. Up to two seconds into the past count as none. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(ms / MINUTE);
  if (minutes < 10) return twoUnits(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(ms / HOUR);
  if (hours < 8) return twoUnits(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return twoUnits(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  if (days < 2920) return twoUnits(Math.trunc(days / 365), 'y', days % 365, 'd');
  return `${Math.trunc(days / 365)}y`;
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** How long ago a time was; `<unknown>` when there is none. */
export function since(time: string | null | undefined, now: number): string {
  const at = parseTime(time ?? undefined);
  return at === undefined ? '<unknown>' : humanDuration(now - at);
}

export function age(object: KubeObject, now: number): string {
  return since(object.metadata.creationTimestamp, now);
}

/** `a=1,b=2`, sorted by key. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const text = sortedPairs(labels).map(([key, value]) => `${key}=${value}`);
  return text.length > 0 ? text.join(',') : '<none>';
}

function sortedPairs(labels: Readonly<Record<string, string>> | undefined): [string, string][] {
  return Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

/** A label selector as kubectl writes one on its command line; '' when it selects everything or is absent. */
export function selectorText(selector: LabelSelector | undefined): string {
  const parts: (readonly [key: string, text: string])[] = [
    ...sortedPairs(selector?.matchLabels).map(([key, value]) => [key, `${key}=${value}`] as const),
    ...(selector?.matchExpressions ?? []).map((expression) => [expression.key, requirement(expression)] as const),
  ];
  return parts
    .sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
    .map(([, text]) => text)
    .join(',');
}

function requirement({ key, operator, values = [] }: { key: string; operator: string; values?: readonly string[] }) {
  const list = [...values].sort().join(',');
  switch (operator) {
    case 'In':
      return `${key} in (${list})`;
    case 'NotIn':
      return `${key} notin (${list})`;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return key;
  }
}

/** Like `selectorText`, but `<none>` where that is empty. */
export function formatSelector(selector: LabelSelector | undefined): string {
  return selectorText(selector) || '<none>';
}

/** The first `max` entries, and how many more there are. */
export function shortList(list: readonly string[], max: number, empty: string, separator = ','): string {
  if (list.length === 0) return empty;
  const shown = list.slice(0, max).join(separator);
  return list.length > max ? `${shown} + ${list.length - max} more...` : shown;
}

interface Named {
  readonly name: string;
  readonly image: string;
}

/** Names and images of containers: two cells. */
export function containerCells(containers: readonly Named[] | undefined): [string, string] {
  const list = containers ?? [];
  return [list.map(({ name }) => name).join(','), list.map(({ image }) => image).join(',')];
}

/** How many keys a map has. */
export function size(map: unknown): number {
  return isRecord(map) ? Object.keys(map).length : 0;
}
