// Owns lists of JSON objects on their way between threads: cut into pieces, so that reading them never holds the event
// loop for long. A message that carries two thousand objects as they are takes 30 ms to be read in one go.
import { deserialize, serialize } from 'node:v8';
import { runInSlices } from '../slices.ts';

/** A list in pieces. */
export type Packed<_Item> = readonly Uint8Array[];

const PIECE_ITEMS = 32;

/** Cuts a list of plain data into pieces. */
export function pack<Item>(items: readonly Item[]): Packed<Item> {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < items.length; at += PIECE_ITEMS) pieces.push(serialize(items.slice(at, at + PIECE_ITEMS)));
  return pieces;
}

/** The list again, read in slices. Throws the signal's reason when aborted. */
export function unpack<Item>(packed: Packed<Item>, signal?: AbortSignal): Promise<Item[]> {
  return runInSlices(readPieces(packed), signal);
}

function* readPieces<Item>(packed: Packed<Item>): Generator<void, Item[], void> {
  const items: Item[] = [];
  for (const piece of packed) {
    items.push(...(deserialize(piece) as Item[]));
    yield;
  }
  return items;
}
