// Owns the list of what may run in a worker thread. Inputs and outputs are plain data that can be cloned.
import { indexPackFile } from './git/index-pack-file.ts';
import { repackStore } from './git/repack.ts';
import { packArchive } from './pack-archive.ts';

/** Every task by name. */
export const tasks = {
  indexPack: indexPackFile,
  packArchive,
  repack: repackStore,
} as const;

/** Name of a task. */
export type TaskName = keyof typeof tasks;
/** What a task takes. */
export type TaskInput<Name extends TaskName> = Parameters<(typeof tasks)[Name]>[0];
/** What a task gives. */
export type TaskOutput<Name extends TaskName> = Awaited<ReturnType<(typeof tasks)[Name]>>;
