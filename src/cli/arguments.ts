// Owns the parsing of option values that several commands share, with refusals that name the option.
import { InvalidArgumentError } from 'commander';
import type { ListenAddress } from '../app/settings.ts';
import { parseDurationMs } from '../lib/duration.ts';

/** A port; 0 takes a free one. */
export function parsePort(text: string): number {
  return parseWhole(text, 0, 65_535);
}

/** A number of workers. */
export function parseWorkers(text: string): number {
  return parseWhole(text, 1, 1_000);
}

/** A number of replicas that share the keys: more would hold too few slots each to be even. */
export function parseReplicas(text: string): number {
  return parseWhole(text, 1, 32);
}

/** A whole number within bounds, both included. */
export function parseWhole(text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
}

/** A Go duration, in milliseconds; not negative. */
export function parseDurationFlag(text: string): number {
  try {
    const ms = parseDurationMs(text);
    if (ms >= 0) return ms;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('expected a duration such as 30s or 1m30s');
}

/** `host:port` as Go's servers take it; without host every address. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(.*):(\d+)$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535)
    throw new InvalidArgumentError('expected an address such as :8080 or 127.0.0.1:8080');
  return { listen: match[1]!.replace(/^\[|\]$/g, '') || '0.0.0.0', port };
}

/** A list whose items are divided by commas. */
export function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Adds to what a repeated option had before. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...parseList(text)];
}

/** One of a few words. */
export function parseChoice<const T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new InvalidArgumentError(`expected one of ${choices.join(', ')}`);
    return found;
  };
}
