// Owns the scanner's tokens and comments as data.
import type { NodeStyle } from '../node.ts';

/** Token types; a frozen object, so that the engine sees constants. */
export const tok = Object.freeze({
  streamStart: 0,
  streamEnd: 1,
  versionDirective: 2,
  tagDirective: 3,
  documentStart: 4,
  documentEnd: 5,
  blockSequenceStart: 6,
  blockMappingStart: 7,
  blockEnd: 8,
  flowSequenceStart: 9,
  flowSequenceEnd: 10,
  flowMappingStart: 11,
  flowMappingEnd: 12,
  blockEntry: 13,
  flowEntry: 14,
  key: 15,
  value: 16,
  alias: 17,
  anchor: 18,
  tag: 19,
  scalar: 20,
} as const);

/** A token. Lines and columns are 0-based. */
export interface Token {
  type: number;
  pos: number;
  line: number;
  column: number;
  /** Column behind a one-character indicator; equals `column` where nothing was written (an implicit key). */
  endColumn: number;
  /** Scalar text, anchor name, tag handle. */
  value: string;
  /** Tag suffix, or prefix of a %TAG directive; `major.minor` of %YAML. */
  suffix: string;
  style: NodeStyle['scalar'];
  /** Place in the whole stream of tokens, to insert a KEY before it later. */
  number: number;
  /** This token may still turn out to be a key without `?`. */
  possibleKey: boolean;
  /** It must turn out to be one. */
  requiredKey: boolean;
  /** While this is 0 or more, nothing behind the token is given out before the key of this flow level is decided. */
  keyLevel: number;
}

export function createToken(type: number, pos: number, line: number, column: number, endColumn: number): Token {
  return {
    type,
    pos,
    line,
    column,
    endColumn,
    value: '',
    suffix: '',
    style: undefined,
    number: 0,
    possibleKey: false,
    requiredKey: false,
    keyLevel: -1,
  };
}

/** A comment with the places that decide what it is attached to. */
export interface Comment {
  /** Where the run of blanks and comments began that holds it. */
  scanPos: number;
  /** It belongs to the first token that starts here or later. */
  tokenPos: number;
  startPos: number;
  startLine: number;
  startColumn: number;
  endPos: number;
  head: string;
  line: string;
  foot: string;
}
