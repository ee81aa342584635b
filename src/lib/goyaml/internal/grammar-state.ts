// Owns the names of the grammar's states: what may come next in a text.

/** States of the grammar. */
export const state = Object.freeze({
  implicitDocumentStart: 0,
  documentStart: 1,
  documentContent: 2,
  documentEnd: 3,
  blockNode: 4,
  blockSequenceFirst: 5,
  blockSequence: 6,
  indentlessSequence: 7,
  blockMappingFirst: 8,
  blockMappingKey: 9,
  blockMappingValue: 10,
  flowSequenceFirst: 11,
  flowSequence: 12,
  flowPairKey: 13,
  flowPairValue: 14,
  flowPairEnd: 15,
  flowMappingFirst: 16,
  flowMappingKey: 17,
  flowMappingValue: 18,
  flowMappingEmpty: 19,
  end: 20,
} as const);

/** The tag handles that every document has. */
export const DEFAULT_TAGS: readonly (readonly [string, string])[] = [
  ['!', '!'],
  ['!!', 'tag:yaml.org,2002:'],
];
