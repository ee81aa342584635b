// Owns sizes as people read them, in the form of Go's units package: `12.3kB`.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size in decimal units with four significant digits at the most. */
export function formatHumanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  for (; size >= 1000 && unit < UNITS.length - 1; unit++) size /= 1000;
  return `${Number(size.toPrecision(4))}${UNITS[unit]}`;
}
