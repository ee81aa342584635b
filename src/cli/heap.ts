// Owns how the heap of a process that stays grows.
import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 collect garbage when the heap has grown by half since the last time, and not when it has grown two to four
 * times: of what a reconciler allocates nearly nothing stays, some 15 KiB an applied object. With 200 applications of 5
 * objects the process peaked at 213 MiB instead of 237, for no more CPU time.
 */
export function growHeapSlowly(): void {
  setFlagsFromString('--heap-growing-percent=50');
}
