// Owns the parameters of lists and watches: reading them from the query in the API server's order and words, its rules
// for what goes together, and the selectors.

import { toVersion } from './convert.ts';
import { badRequest, type FieldFault, forbiddenFault, invalid, unsupportedFault } from './errors.ts';
import { fieldMatcher } from './field-selectors.ts';
import type { ListRequest } from './list.ts';
import { flag } from './request.ts';
import { labelMatcher, type Matcher } from './selectors.ts';

export interface ListOptions {
  /** Undefined when everything is wanted. */
  readonly matcher: Matcher | undefined;
  /** 0 for no limit. */
  readonly limit: number;
  /** '' for the first page. */
  readonly continueToken: string;
  /** As it was given; '' for the newest. */
  readonly revision: string;
  readonly revisionMatch: '' | 'Exact' | 'NotOlderThan';
  /** Of a watch: whether it begins with what is there. */
  readonly initialEvents: boolean;
  readonly bookmarks: boolean;
  /** 0 for no end. */
  readonly timeoutSeconds: number;
}

const KIND = { group: 'meta.k8s.io', kind: 'ListOptions' };
const EXACT = 'Exact';
const NOT_OLDER = 'NotOlderThan';

/** Reads the parameters. Throws ApiError 400 for what cannot be read and 422 for what does not go together. */
export function readListOptions(request: ListRequest, verb: 'list' | 'watch'): ListOptions {
  const { query } = request;
  const timeoutSeconds = integerParameter(query, 'timeoutSeconds');
  const limit = Math.max(0, integerParameter(query, 'limit'));
  const labels = labelMatcher(query.get('labelSelector') ?? '');
  const fields = fieldMatcherOf(request);
  const given = query.get('resourceVersionMatch') ?? '';
  const revision = query.get('resourceVersion') ?? '';
  const asked = query.has('sendInitialEvents') ? flag(query, 'sendInitialEvents') : undefined;
  const fromNow = revision === '' || revision === '0';
  const options = {
    matcher: both(labels, fields),
    limit,
    continueToken: query.get('continue') ?? '',
    revision,
    revisionMatch: given as ListOptions['revisionMatch'],
    initialEvents: asked ?? (fromNow && given !== NOT_OLDER),
    bookmarks: flag(query, 'allowWatchBookmarks'),
    timeoutSeconds,
  };
  const faults = verb === 'watch' ? watchFaults(options, asked) : listFaults(options, asked);
  if (faults.length > 0) throw invalid(KIND, '', faults);
  return options;
}

function listFaults(options: ListOptions, initialEvents: boolean | undefined): FieldFault[] {
  const { revision, continueToken } = options;
  const match: string = options.revisionMatch;
  const faults: FieldFault[] = [];
  const refuse = (why: string): void => void faults.push(forbiddenFault('resourceVersionMatch', why));
  if (match !== '') {
    if (revision === '') refuse('resourceVersionMatch is forbidden unless resourceVersion is provided');
    if (continueToken !== '') refuse('resourceVersionMatch is forbidden when continue is provided');
    if (match !== EXACT && match !== NOT_OLDER)
      faults.push(unsupportedFault('resourceVersionMatch', match, [EXACT, NOT_OLDER, '']));
    if (match === EXACT && revision === '0')
      refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
  if (initialEvents !== undefined)
    faults.push(forbiddenFault('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  return faults;
}

function watchFaults({ revisionMatch, continueToken }: ListOptions, initialEvents: boolean | undefined): FieldFault[] {
  const faults: FieldFault[] = [];
  const refuse = (why: string): void => void faults.push(forbiddenFault('resourceVersionMatch', why));
  if (initialEvents !== undefined && revisionMatch !== NOT_OLDER)
    refuse(`sendInitialEvents requires setting resourceVersionMatch to ${NOT_OLDER}`);
  if (revisionMatch === '') return faults;
  if (initialEvents === undefined)
    refuse('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  if (revisionMatch !== NOT_OLDER) faults.push(unsupportedFault('resourceVersionMatch', revisionMatch, [NOT_OLDER]));
  if (continueToken !== '') refuse('resourceVersionMatch is forbidden when continue is provided');
  return faults;
}

/** The matcher of fields; a path that names one object selects it. */
function fieldMatcherOf(request: ListRequest): Matcher | undefined {
  const { query, resource, version, name } = request;
  const selector = fieldMatcher(query.get('fieldSelector') ?? '', resource, version.custom?.selectableFields);
  const named: Matcher | undefined = name === '' ? undefined : ({ metadata }) => metadata.name === name;
  if (selector === undefined || resource.group !== 'events.k8s.io') return both(named, selector);
  return both(named, (object) => selector(toVersion(resource, version, object)));
}

function both(one: Matcher | undefined, other: Matcher | undefined): Matcher | undefined {
  return one && other ? (object) => one(object) && other(object) : (one ?? other);
}

const MAX_INTEGER = 2n ** 63n;

/** An integer of the query; 0 when absent. Throws ApiError 400 in Go's words. */
export function integerParameter(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (text === null) return 0;
  const fail = (why: string): Error => badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^[+-]?\d+$/.test(text)) throw fail('invalid syntax');
  const value = BigInt(text.replace(/^\+/, ''));
  if (value >= MAX_INTEGER || value < -MAX_INTEGER) throw fail('value out of range');
  return Number(value);
}
