// Owns the parsing of option values that several commands share, with refusals that name the option.
import { InvalidArgumentError } from 'commander';

/** A port; 0 takes a free one. */
export function parsePort(text: string): number {
  return parseWhole(text, 0, 65_535);
}

/** A number of workers. */
export function parseWorkers(text: string): number {
  return parseWhole(text, 1, 1_000);
}

/** A whole number within bounds, both included. */
export function parseWhole(text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
}

/** One of a few words. */
export function parseChoice<const T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new InvalidArgumentError(`expected one of ${choices.join(', ')}`);
    return found;
  };
}
