// Owns which styles can carry a text.
import { isBreak, isPrintable } from './chars.ts';

/** What the text of a scalar allows. */
export interface Analysis {
  multiline: boolean;
  flowPlain: boolean;
  blockPlain: boolean;
  single: boolean;
  block: boolean;
}
/** A text that may be written in any style. */
export const simpleText: Analysis = { multiline: false, flowPlain: true, blockPlain: true, single: true, block: true };
const EMPTY: Analysis = { multiline: false, flowPlain: false, blockPlain: true, single: true, block: false };

const PLAIN_TEXT = /^[\w/$.(+=<^~][\w/$.()+=<>^~;@%&*!|"'`\\-]*$/;

/** Looks at a text: which styles can carry it. */
export function analyze(value: string, isV2: boolean): Analysis {
  if (value === '') return EMPTY;
  if (PLAIN_TEXT.test(value) && !value.startsWith('...')) return simpleText;
  return analyzeSlowly(value, isV2);
}

const NEVER_FIRST = '#,[]{}&*!|>\'"%@`';

function analyzeSlowly(value: string, isV2: boolean): Analysis {
  const indicator = value.startsWith('---') || value.startsWith('...');
  let blockIndicators = indicator;
  let flowIndicators = indicator;
  let lineBreaks = false;
  let special = false;
  let tabs = false;
  let breakSpace = false;
  let spaceBreak = false;
  let previous: 'space' | 'break' | 'other' = 'other';
  let afterBlank = true;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    const next = value.charCodeAt(i + 1);
    const beforeBlank = i + 1 >= value.length || next === 32 || next === 9;
    if (i === 0 ? NEVER_FIRST.includes(value[0]!) : c === 35 && afterBlank) {
      blockIndicators = true;
      flowIndicators = true;
    } else if (c === 58 || (i === 0 && c === 63)) {
      flowIndicators = true;
      blockIndicators ||= beforeBlank;
    } else if (i === 0 && c === 45) {
      flowIndicators ||= beforeBlank;
      blockIndicators ||= beforeBlank;
    } else if (i > 0 && ',?[]{}'.includes(value[i]!)) {
      flowIndicators = true;
    }
    const isBreakChar = isBreak(c);
    if (c === 9 && !isV2) tabs = true;
    else if (!isPrintable(c)) special = true;
    if (c === 32) {
      if (previous === 'break') breakSpace = true;
      previous = 'space';
    } else if (isBreakChar) {
      lineBreaks = true;
      if (previous === 'space') spaceBreak = true;
      previous = 'break';
    } else {
      previous = 'other';
    }
    afterBlank = c === 32 || c === 9 || c === 0 || isBreakChar;
  }
  const edge = (c: number): boolean => c === 32 || isBreak(c);
  const last = value.charCodeAt(value.length - 1);
  const edged = edge(value.charCodeAt(0)) || edge(last);
  const unquotable = breakSpace || spaceBreak || tabs || special;
  const noPlain = edged || unquotable || lineBreaks;
  return {
    multiline: lineBreaks,
    flowPlain: !noPlain && !flowIndicators,
    blockPlain: !noPlain && !blockIndicators,
    single: !unquotable,
    block: last !== 32 && !spaceBreak && !special,
  };
}
