// Owns the events that the emitter is fed with.
import type { NodeStyle } from '../node.ts';

/** What the emitter is fed with. */
export interface EmitEvent {
  type: 'scalar' | 'alias' | 'sequenceStart' | 'mappingStart' | 'sequenceEnd' | 'mappingEnd' | 'documentEnd';
  anchor: string;
  /** Long tag to be written; '' for none. */
  tag: string;
  value: string;
  style: NodeStyle['scalar'];
  flow: boolean;
  /** The collection that starts has no content. */
  empty: boolean;
  head: string;
  line: string;
  foot: string;
  tail: string;
}

/** An event with every field empty, to be filled again and again. */
export function createEvent(): EmitEvent {
  return {
    type: 'scalar',
    anchor: '',
    tag: '',
    value: '',
    style: undefined,
    flow: false,
    empty: false,
    head: '',
    line: '',
    foot: '',
    tail: '',
  };
}
